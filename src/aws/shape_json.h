// Generated structs as JSON, requests and answers of the JSON 1.1 protocol: times are epoch
// seconds, blobs are base64.
#pragma once

#include <string>
#include <string_view>

#include "aws/fault.h"
#include "aws/shape.h"

namespace howdah::aws {

enum class Lists : std::uint8_t {
  kAlways,   // answers: clients index what they read
  kPresent,  // requests: an empty list may mean something
};

std::string EncodeJson(const ShapeDesc* shape, const void* value, Lists lists);

// Fills a struct from a document; an empty one counts as {}. What the model does not know is
// skipped. shape may be nullptr.
Outcome<void> DecodeJson(const ServiceDesc& service, const ShapeDesc* shape, std::string_view text,
                         void* value);

}  // namespace howdah::aws
