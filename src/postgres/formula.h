// RDS's formula language for parameter values: `{DBInstanceClassMemory/32768}`, GREATEST, LEAST,
// SUM, IF, log, over whole numbers. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace howdah::postgres {

using FormulaVariables = std::map<std::string, std::int64_t, std::less<>>;

// Whether the value is a formula at all, and not a plain setting such as "on" or "4096".
bool IsFormula(std::string_view value);
// kInvalid with the place where it went wrong. The result is cut to a whole number, as on RDS.
Result<std::int64_t> EvaluateFormula(std::string_view formula, const FormulaVariables& variables);

}  // namespace howdah::postgres
