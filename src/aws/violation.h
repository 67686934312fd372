// What is wrong with an input, before a service gives it its own code and words.
#pragma once

#include <string>

#include "aws/fault.h"
#include "aws/shape.h"

namespace howdah::aws {

struct Violation {
  enum class Kind {
    kMissing,     // required and absent
    kType,        // not a number, not a boolean, …: detail says what was expected
    kConstraint,  // outside bounds, pattern or enumeration: detail is the constraint
  };
  Kind kind;
  std::string path;   // "Tags.1.Key": the model's names, lists counted from 1
  std::string value;  // as given
  std::string detail;
  bool unquotable = false;  // secret, long, or no scalar: the value is not repeated
};

// The fault that a service of AWS's answers to such an input.
Fault FaultOf(const ServiceDesc& service, const Violation& violation);

// A request that cannot be read at all: broken escapes, JSON that is none, too many parameters.
Fault MalformedRequest(const ServiceDesc& service, std::string message);

}  // namespace howdah::aws
