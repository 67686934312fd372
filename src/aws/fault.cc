// Faults that AWS uses without modelling them, and the map from Error to Fault at the edge.
#include "aws/fault.h"

namespace howdah::aws {

Fault InvalidParameterValue(std::string message) {
  return {"InvalidParameterValue", 400, std::move(message), true};
}
Fault InvalidParameterCombination(std::string message) {
  return {"InvalidParameterCombination", 400, std::move(message), true};
}
Fault MissingParameter(std::string message) {
  return {"MissingParameter", 400, std::move(message), true};
}
Fault ValidationError(std::string message) {
  return {"ValidationError", 400, std::move(message), true};
}
Fault InternalFailure() {
  return {"InternalFailure", 500, "The request processing has failed because of an internal error.",
          false};
}

Fault FaultOf(const Error& error) {
  switch (error.code()) {
    case Code::kInvalid:
      return InvalidParameterValue(error.what());
    case Code::kNotFound:
      return {"ResourceNotFound", 404, error.what(), true};
    case Code::kAlreadyExists:
      return {"ResourceAlreadyExists", 400, error.what(), true};
    case Code::kConflict:
      return {"OperationAborted", 409, error.what(), true};
    case Code::kFailedState:
      return {"InvalidState", 400, error.what(), true};
    case Code::kInUse:
      return {"DependencyViolation", 400, error.what(), true};
    case Code::kExhausted:
      return {"LimitExceeded", 400, error.what(), true};
    case Code::kPermission:
      return {"AccessDenied", 403, error.what(), true};
    case Code::kTimeout:
    case Code::kUnavailable:
      return {"ServiceUnavailable", 503, error.what(), false};
    case Code::kUnsupported:
      return {"InvalidParameterCombination", 400, error.what(), true};
    case Code::kCorrupt:
    case Code::kInternal:
      return InternalFailure();
  }
  return InternalFailure();
}

}  // namespace howdah::aws
