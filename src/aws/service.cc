// The table of handlers of one service.
#include "aws/service.h"

#include <algorithm>

#include "base/check.h"

namespace howdah::aws {

void Service::Add(Handler handler) {
  const std::string_view name = handler.operation->name;
  const auto& served = desc_.operations;
  Check(std::find(served.begin(), served.end(), handler.operation) != served.end(),
        "the operation belongs to another service");
  Check(handlers_.emplace(name, std::move(handler)).second, "operation registered twice");
}

const Service::Handler* Service::Find(std::string_view operation) const {
  const auto found = handlers_.find(operation);
  return found == handlers_.end() ? nullptr : &found->second;
}

bool Service::Knows(std::string_view operation) const {
  return std::binary_search(desc_.all_operations.begin(), desc_.all_operations.end(), operation);
}

}  // namespace howdah::aws
