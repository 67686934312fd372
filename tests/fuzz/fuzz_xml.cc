// Any document, read, and unfolded into outputs.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "aws/generated/ec2.h"
#include "aws/generated/rds.h"
#include "aws/shape_xml.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace howdah::aws;
  const auto root = ParseXml({reinterpret_cast<const char*>(data), size});
  if (!root) return 0;
  rds::DBInstanceMessage instances{};
  (void)DecodeXml(*root, *rds::DescribeDBInstances::Desc().output, &instances);
  ec2::DescribeSecurityGroupsResult groups{};
  (void)DecodeXml(*root, *ec2::DescribeSecurityGroups::Desc().output, &groups);
  return 0;
}
