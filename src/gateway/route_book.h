// The routes in force, and the rule of epochs: an instance's epoch only goes up, and an epoch that
// was open once has one primary for ever, also for a gateway that comes after this one: what
// it has to know of that is Format(), which its owner keeps. Pure, and lives on the first loop.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "gateway/routes.h"

namespace howdah::gateway {

class RouteBook {
 public:
  RouteBook() = default;
  // Of the epochs that Format() told.
  static Result<RouteBook> Parse(const json::object& epochs);
  json::object Format() const;

  // Takes a whole table. Routes that are wrong, in the parser's eyes or here, stay as they were;
  // the errors of both are returned.
  std::vector<RouteError> Apply(const ParsedTable& parsed);
  const std::map<InstanceId, Route>& routes() const { return routes_; }

 private:
  // What an instance's epoch has come to; kept when the route goes, so that it cannot come back
  // older, for as many as kMaxGone instances: their ids are not given twice.
  struct Fence {
    std::uint64_t epoch = 0;
    std::string opened_backend;   // empty: not opened in this epoch
    std::string opened_handover;  // empty: no socket for handover in this epoch yet
    std::uint64_t gone = 0;       // since which table, counted here; 0: it has a route
  };
  static constexpr std::size_t kMaxGone = 10000;
  std::optional<std::string> Refuse(const Route& route, const std::map<InstanceId, Route>& next);
  void Remember(const Route& route);
  void ForgetLongGone();

  std::map<InstanceId, Route> routes_;
  std::map<InstanceId, Fence> fences_;
  std::uint64_t tables_ = 0;
};

}  // namespace howdah::gateway
