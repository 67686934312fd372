// Parameter values: what the caller gave, the defaults, and whether they keep the declared bounds.
// Pure. Messages are AWS's, and never repeat a value.
#pragma once

#include <map>
#include <string>

#include "services/cloudformation/template/template.h"

namespace howdah::cfn {

using ParameterValues = std::map<std::string, std::string, std::less<>>;

// A value for every declared parameter.
Result<ParameterValues> ResolveParameters(const Template& made, const ParameterValues& given);

// The items of a list parameter's value, without the blanks around them.
std::vector<std::string> SplitList(std::string_view value);

}  // namespace howdah::cfn
