#include "services/rds/validate.h"

#include <gtest/gtest.h>

namespace howdah::services::rds {
namespace {

TEST(Validate, IdentifiersAreLoweredAndFollowTheRules) {
  EXPECT_EQ(*ValidIdentifier("DBInstanceIdentifier", "Prod-E-db"), "prod-e-db");
  for (const char* bad : {"", "1a", "a--b", "a-", "a_b", "ä"}) {
    const auto refused = ValidIdentifier("DBInstanceIdentifier", bad);
    ASSERT_FALSE(refused) << bad;
    EXPECT_EQ(refused.error().code, "InvalidParameterValue");
    EXPECT_NE(refused.error().message.find("DBInstanceIdentifier"), std::string::npos);
  }
  EXPECT_FALSE(ValidIdentifier("x", std::string(64, 'a')));
}

TEST(Validate, ReservedNamesAreRefused) {
  EXPECT_FALSE(ValidMasterUsername("admin"));
  EXPECT_FALSE(ValidMasterUsername("rdsadmin"));
  EXPECT_FALSE(ValidMasterUsername("pg_me"));
  EXPECT_TRUE(ValidMasterUsername("postgres"));
  EXPECT_FALSE(ValidDatabaseName("rdsadmin"));
  EXPECT_FALSE(ValidDatabaseName("a-b"));
  EXPECT_TRUE(ValidDatabaseName("appdb"));
}

TEST(Validate, APasswordNeverAppearsInItsRefusal) {
  const auto refused = ValidPassword("sehr@geheim/8");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message.find("geheim"), std::string::npos);
  EXPECT_FALSE(ValidPassword("short"));
  EXPECT_TRUE(ValidPassword("correct-horse"));
}

TEST(Validate, WindowsHaveAFormALengthAndDoNotOverlap) {
  EXPECT_TRUE(ValidBackupWindow("23:50-00:20"));
  EXPECT_FALSE(ValidBackupWindow("10:00-10:20"));
  EXPECT_FALSE(ValidBackupWindow("10:00-25:00"));
  EXPECT_EQ(*ValidMaintenanceWindow("Sun:23:45-Mon:00:15"), "sun:23:45-mon:00:15");
  EXPECT_FALSE(ValidMaintenanceWindow("sun:10:00-tue:10:00"));
  EXPECT_TRUE(ValidWindows("10:00-11:00", "mon:11:00-mon:12:00"));
  EXPECT_FALSE(ValidWindows("10:00-11:00", "mon:10:30-mon:12:00"));
  EXPECT_FALSE(ValidWindows("10:30-11:00", "mon:10:00-mon:12:00"));
}

TEST(Validate, PortAndStorageHaveBounds) {
  EXPECT_FALSE(ValidPort("Port", 80));
  EXPECT_TRUE(ValidPort("Port", 5432));
  EXPECT_FALSE(ValidStorage("AllocatedStorage", "gp2", 1));
  EXPECT_TRUE(ValidStorage("AllocatedStorage", "gp2", 20));
}

}  // namespace
}  // namespace howdah::services::rds
