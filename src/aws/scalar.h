// Scalars as text, the same in queries and in XML, and small text helpers of the protocols.
#pragma once

#include <string>
#include <string_view>

#include "aws/shape.h"
#include "base/result.h"

namespace howdah::aws {

// A value of a scalar kind: "true", "20", "2026-01-01T12:30:45.000Z", base64.
std::string FormatScalar(const ShapeDesc& shape, const void* value);
// "2026-11-23T09:46:00.123456Z": as a request says a time, of which nothing may be lost.
std::string FormatExactTime(WallTime time);
// The reverse. False leaves the value unspecified.
bool ParseScalar(const ShapeDesc& shape, std::string_view text, void* value);
// What a scalar of that kind must be: "be an integer".
std::string_view ScalarRule(const ShapeDesc& shape);

std::string EncodeBase64(std::string_view bytes);
Result<std::string> DecodeBase64(std::string_view text);

// RFC 3986: everything but letters, digits and -._~ becomes %XX. Paths keep their '/'.
std::string PercentEncode(std::string_view text, bool keep_slash = false);
// Form decoding: %XX, and '+' for a space. The result must be UTF-8.
Result<std::string> FormDecode(std::string_view text);

bool IsUtf8(std::string_view text);
// The number of characters of UTF-8 text.
std::size_t Characters(std::string_view text);

}  // namespace howdah::aws
