// Any bytes as a template: read, given parameters, evaluated and compared with itself. Nothing may
// crash, hang or grow without bound.
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
  const auto made = ParseTemplate(text);
  if (!made) return 0;
  const auto values = ResolveParameters(*made, {});
  if (!values) return 0;
  const Version version{*made, *values, ""};
  const auto plan = PlanChanges(&version, version, "us-west-2");
  if (plan && !plan->Empty()) std::abort();  // a template does not differ from itself
  return 0;
}
