// The routes in force, and the rule of epochs: an instance's epoch only goes up, and an epoch that
// was open once has one primary for ever. Pure, and lives on the gateway's first loop.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "gateway/routes.h"

namespace howdah::gateway {

class RouteBook {
 public:
  // Takes a whole table. Routes that are wrong, in the parser's eyes or here, stay as they were;
  // the errors of both are returned.
  std::vector<RouteError> Apply(const ParsedTable& parsed);
  const std::map<InstanceId, Route>& routes() const { return routes_; }

 private:
  // What an instance's epoch has come to; kept when the route goes, so that it cannot come back
  // older.
  struct Fence {
    std::uint64_t epoch = 0;
    std::string opened_backend;   // empty: not opened in this epoch
    std::string opened_handover;  // empty: no socket for handover in this epoch yet
  };
  std::optional<std::string> Refuse(const Route& route, const std::map<InstanceId, Route>& next);
  void Remember(const Route& route);

  std::map<InstanceId, Route> routes_;
  std::map<InstanceId, Fence> fences_;
};

}  // namespace howdah::gateway
