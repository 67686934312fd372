// Any form, decoded into inputs of both query protocols and checked. What decodes must also encode.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "aws/generated/ec2.h"
#include "aws/generated/rds.h"
#include "aws/query.h"
#include "aws/validate.h"

namespace {

using namespace howdah::aws;

template <typename Op>
void Try(const QueryNode& root) {
  typename Op::Input input{};
  if (!DecodeQuery(Op::OfService(), *Op::Desc().input, root, &input)) return;
  (void)Validate(Op::OfService(), *Op::Desc().input, &input);
  if (!ParseQuery(EncodeQuery(Op::OfService(), Op::Desc(), &input))) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto root = ParseQuery({reinterpret_cast<const char*>(data), size});
  if (!root) return 0;
  Try<rds::CreateDBInstance>(*root);
  Try<rds::DescribeDBInstances>(*root);
  Try<ec2::AuthorizeSecurityGroupIngress>(*root);
  Try<ec2::CreateVpc>(*root);
  return 0;
}
