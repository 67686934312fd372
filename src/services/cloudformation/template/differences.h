// How a thing differs from what its template says: the comparison behind drift. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"

namespace howdah::cfn {

struct Difference {
  enum class Kind { kAdd, kRemove, kNotEqual };

  std::string path;  // "/Tags/0/Value"
  Kind kind = Kind::kNotEqual;
  std::string expected,
      actual;  // texts as they are, other values as JSON; empty where there is none
};

// Looks only at properties that are in both: what a template does not set may be anything, and what
// cannot be read is not known. The order of lists says nothing.
std::vector<Difference> FindDifferences(const json::object& expected, const json::object& actual);

}  // namespace howdah::cfn
