// The default parameter groups: for each major version the parameters that RDS sets, with formulas.
// Pure. Modifiable groups come later; their values take the same way through EvaluateParameters.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "postgres/formula.h"
#include "postgres/instance_class.h"

namespace howdah::postgres {

enum class ApplyType { kDynamic, kStatic };

struct Parameter {
  std::string_view name;
  std::string_view value;  // a setting or a formula; in PostgreSQL's base unit
  ApplyType apply = ApplyType::kDynamic;
};

// Name to value as PostgreSQL takes it, ordered, so that equal settings render to equal text.
using Settings = std::map<std::string, std::string, std::less<>>;

// "postgres14".
std::string ParameterFamily(int major);
// The group default.postgresNN, sorted by name; rds.* parameters included.
std::vector<Parameter> DefaultParameters(int major);

FormulaVariables VariablesOf(const InstanceClass& instance_class, std::int64_t storage_gib,
                             int port);
// Evaluates formulas and drops rds.* parameters, which are Howdah's business and not PostgreSQL's.
Result<Settings> EvaluateParameters(std::span<const Parameter> parameters,
                                    const FormulaVariables& variables);

}  // namespace howdah::postgres
