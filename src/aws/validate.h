// Checks an input against its model: what is required, and the bounds of what is there. Types were
// checked when it was decoded.
#pragma once

#include "aws/fault.h"
#include "aws/shape.h"

namespace howdah::aws {

// The first thing wrong with a generated struct, in the service's own code and words.
Outcome<void> Validate(const ServiceDesc& service, const ShapeDesc& shape, const void* value);

}  // namespace howdah::aws
