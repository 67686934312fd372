// Each service has its own code for a bad input: rds and ec2 name the parameter, cloudformation and
// the JSON services speak of validation errors.
#include "aws/violation.h"

#include <fmt/format.h>

namespace howdah::aws {
namespace {

using Wrong = Violation::Kind;

// "StackName" is told as "stackName": the constraint texts use the members of AWS's own classes.
std::string LowerFirst(std::string path) {
  if (!path.empty() && path[0] >= 'A' && path[0] <= 'Z') path[0] = static_cast<char>(path[0] + 32);
  return path;
}

std::string ConstraintText(const Violation& violation) {
  // Of what must not be repeated AWS gives no value: "Value at 'secretString' failed …".
  const std::string value = violation.kind == Wrong::kMissing ? "null "
                            : violation.unquotable            ? ""
                                                              : "'" + violation.value + "' ";
  return fmt::format(
      "1 validation error detected: Value {}at '{}' failed to satisfy constraint: Member must {}",
      value, LowerFirst(violation.path),
      violation.kind == Wrong::kMissing ? std::string("not be null") : violation.detail);
}

Fault ParameterFault(const Violation& violation) {
  if (violation.kind == Wrong::kMissing) {
    return MissingParameter("The request must contain the parameter " + violation.path);
  }
  if (violation.unquotable || violation.value.empty()) {
    return InvalidParameterValue(fmt::format("The value of parameter {} is invalid: it must {}",
                                             violation.path, violation.detail));
  }
  return InvalidParameterValue(fmt::format("Value ({}) for parameter {} is invalid: it must {}",
                                           violation.value, violation.path, violation.detail));
}

}  // namespace

Fault FaultOf(const ServiceDesc& service, const Violation& violation) {
  if (service.protocol == Protocol::kJson) {
    if (violation.kind == Wrong::kType) {
      return {"SerializationException", 400,
              fmt::format("The value at '{}' must {}", violation.path, violation.detail), true};
    }
    return {"ValidationException", 400, ConstraintText(violation), true};
  }
  if (service.name == "cloudformation") return ValidationError(ConstraintText(violation));
  const bool enumeration = violation.detail.starts_with("satisfy enum");
  if (service.protocol == Protocol::kQuery && enumeration) {
    return ValidationError(ConstraintText(violation));
  }
  return ParameterFault(violation);
}

Fault MalformedRequest(const ServiceDesc& service, std::string message) {
  if (service.protocol == Protocol::kJson) {
    return {"SerializationException", 400, std::move(message), true};
  }
  return {"MalformedQueryString", 400, std::move(message), true};
}

}  // namespace howdah::aws
