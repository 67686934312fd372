// Which small objects to make one of. Pure. What is written a few times a second is small; once a
// segment's worth stands, or too many parts of one do, they become one object, and then the parts
// go. An object never reaches over the end of a segment.
#pragma once

#include <optional>
#include <vector>

#include "archive/range.h"

namespace howdah::archive {

// So many parts of one segment are merged before it is whole.
inline constexpr std::size_t kMostParts = 256;
// Fewer than so many in a whole segment are left as they are.
inline constexpr std::size_t kFewestParts = 8;

struct Merge {
  Range whole;
  std::vector<Range> parts;  // in order; together they are `whole`
  bool operator==(const Merge&) const = default;
};

// The next merge among these objects of one epoch and timeline, the oldest first.
std::optional<Merge> NextMerge(const std::vector<Range>& ranges);

// Those of which another one holds everything: left over where a merge was cut. And marks that a
// later object has made needless.
std::vector<Range> NeedlessOf(const std::vector<Range>& ranges);

}  // namespace howdah::archive
