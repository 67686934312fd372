// Protects against a home in which PostgreSQL could not listen.
#include "cli/doctor.h"

#include <gtest/gtest.h>

namespace howdah::cli {
namespace {

TEST(CheckSocketPaths, FailsWhereTheKernelWouldRefuse) {
  EXPECT_EQ(CheckSocketPaths("/var/lib/howdah").health, Health::kOk);
  const auto finding = CheckSocketPaths("/" + std::string(100, 'x'));
  EXPECT_EQ(finding.health, Health::kFailure);
  EXPECT_FALSE(finding.help.empty());
}

}  // namespace
}  // namespace howdah::cli
