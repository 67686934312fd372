// Calls of other services within the process: their typed handlers, without the wire between.
#pragma once

#include <string>

#include "aws/service.h"
#include "base/json.h"

namespace howdah::cfn {

template <typename Op>
aws::Outcome<typename Op::Output> Invoke(const aws::Service& service,
                                         const aws::RequestContext& context,
                                         const typename Op::Input& input) {
  const aws::Service::Handler* handler = service.Find(Op::kName);
  if (handler == nullptr) {
    return aws::Refuse("InvalidAction", "The action " + std::string(Op::kName) + " is not served");
  }
  typename Op::Output output{};
  OUTCOME_TRY(handler->call(
      context,
      [&](void* to) -> aws::Outcome<void> {
        *static_cast<typename Op::Input*>(to) = input;
        return {};
      },
      [&](const void* from) { output = *static_cast<const typename Op::Output*>(from); }));
  return output;
}

// Fills the members of a request that have the names of the given properties ("DBInstanceClass").
// A property that the request does not have is an error: nothing is passed over.
Result<> FillRequest(const aws::ShapeDesc& shape, const json::object& properties, void* request);

// The members of an answer's structure that have the names of expected properties and plain values.
json::object ReadMembers(const aws::ShapeDesc& shape, const void* from,
                         const json::object& expected);
// The shape of the items of a list in an operation's answer.
const aws::ShapeDesc& ItemShape(const aws::OperationDesc& operation, std::string_view list);

// A request of the operation, filled from properties.
template <typename Op>
aws::Outcome<typename Op::Input> RequestFrom(const json::object& properties) {
  typename Op::Input request{};
  if (auto filled = FillRequest(*Op::Desc().input, properties, &request); !filled) {
    return aws::Refuse(aws::ValidationError(filled.error().what()));
  }
  return request;
}

}  // namespace howdah::cfn
