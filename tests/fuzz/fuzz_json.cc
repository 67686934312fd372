// Any body, decoded into inputs of a JSON service and checked. What decodes must decode again.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "aws/generated/secretsmanager.h"
#include "aws/shape_json.h"
#include "aws/validate.h"

namespace {

using namespace howdah::aws;

template <typename Op>
void Try(std::string_view text) {
  typename Op::Input input{};
  const ShapeDesc* shape = Op::Desc().input;
  if (!DecodeJson(Op::OfService(), shape, text, &input)) return;
  (void)Validate(Op::OfService(), *shape, &input);
  typename Op::Input again{};
  if (!DecodeJson(Op::OfService(), shape, EncodeJson(shape, &input, Lists::kPresent), &again)) {
    __builtin_trap();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Try<secretsmanager::CreateSecret>(text);
  Try<secretsmanager::PutSecretValue>(text);
  Try<secretsmanager::ListSecrets>(text);
  Try<secretsmanager::GetRandomPassword>(text);
  return 0;
}
