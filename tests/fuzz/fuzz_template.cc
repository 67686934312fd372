// Any bytes as a template: read, given parameters, its conditions decided, evaluated and compared
// with itself. Nothing may crash, hang or grow without bound.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "services/cloudformation/template/changes.h"
#include "services/cloudformation/template/dynamic_reference.h"

using namespace howdah::cfn;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)ParseSecretReference(text);
  const auto declared = ParseTemplate(text);
  if (!declared) return 0;
  const auto values = ResolveParameters(*declared, {});
  if (!values) return 0;
  const Surroundings around = {"us-west-2", "123456789012", "stack", "arn:stack"};
  const auto made = MakeDefinite(*declared, *values, around);
  if (!made) return 0;
  const Import import = [](const std::string& name) -> howdah::Result<std::string> { return name; };
  const Version version{*made, *values, ""};
  const auto plan = PlanChanges(&version, version, around, import);
  if (plan && !plan->Empty()) std::abort();  // a template does not differ from itself
  return 0;
}
