// A template made definite: conditions decided by parameter values, Fn::If replaced by the branch
// that holds, resources and outputs whose condition is false left out. Pure.
#pragma once

#include <map>
#include <string>

#include "services/cloudformation/template/parameters.h"
#include "services/cloudformation/template/template.h"

namespace howdah::cfn {

// What the pseudo parameters come to.
struct Surroundings {
  std::string region;
  std::string account_id;
  std::string stack_name;
  std::string stack_id;
};

Result<std::map<std::string, bool>> DecideConditions(const Template& made,
                                                     const ParameterValues& parameters,
                                                     const Surroundings& around);

// The template that is left. It has no conditions, and every reference leads to what is there.
Result<Template> MakeDefinite(Template made, const ParameterValues& parameters,
                              const Surroundings& around);

}  // namespace howdah::cfn
