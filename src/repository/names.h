// What may be the name of an object, the same in every repository: what a directory can hold safely
// and an S3 key says without any escaping.
#pragma once

#include <string_view>

#include "base/result.h"

namespace howdah::repository {

inline constexpr std::size_t kMostNameBytes = 900;     // S3 allows 1024, with the place's prefix
inline constexpr std::size_t kMostSegmentBytes = 200;  // file systems allow 255

// Segments of [A-Za-z0-9._-] that do not begin with a dot, joined by "/".
bool IsSegment(std::string_view segment);
bool IsName(std::string_view name);

// kInvalid says what is wrong with it.
Result<> CheckName(std::string_view name);
// A prefix is the beginning of a name, perhaps all of it, perhaps nothing.
Result<> CheckPrefix(std::string_view prefix);
// A prefix that ends with "/".
Result<> CheckSegmentsPrefix(std::string_view prefix);

}  // namespace howdah::repository
