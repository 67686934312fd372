// The documents of the fleet keep every field.
#include "fleet/instance.h"

#include <gtest/gtest.h>

#include "fleet/subnet_group.h"

namespace howdah::fleet {
namespace {

Instance Full() {
  Instance instance;
  instance.id = InstanceId("db-ABC");
  instance.identifier = "prod-e-db";
  instance.version = "14.17";
  instance.database = "appdb";
  instance.master_user = "master";
  instance.subnet_group = "db-subnet-group";
  instance.vpc = "vpc-1";
  instance.zone = "us-west-2a";
  instance.secondary_zone = "us-west-2b";
  instance.settings = {.instance_class = "db.t3.small",
                       .storage_gib = 21,
                       .storage_type = "gp3",
                       .multi_az = true,
                       .port = 6432,
                       .security_groups = {"sg-1", "sg-2"},
                       .deletion_protection = true,
                       .auto_minor_version_upgrade = false,
                       .copy_tags_to_snapshot = true,
                       .backup_retention_days = 7,
                       .backup_window = "01:00-02:00",
                       .maintenance_window = "sun:03:00-sun:04:00",
                       .master_verifier = "SCRAM-SHA-256$\"quoted\"",
                       .password_stamp = 7};
  instance.sealed_password = "sealed";
  instance.first_node = NodeId("n-1");
  instance.second_node = NodeId("n-2");
  instance.first_interface = "eni-1";
  instance.second_interface = "eni-2";
  instance.private_address = "10.0.1.4";
  instance.host_address = "127.0.1.4";
  instance.restore = {.source = InstanceId("db-OLD"),
                      .backup = "b-1",
                      .target = nodes::Restore::Target::kTime,
                      .time = FromMicros(5)};
  instance.restored_from = "Restored";
  instance.deferred.backup_retention_days = 0;
  instance.restarts = 4;
  instance.power = nodes::Power::kStopped;
  instance.endpoint_open = true;
  instance.failure = "why";
  instance.run = RunId("run-1");
  instance.created = FromMicros(1'795'424'400'000'001);
  instance.tags = {{"env", "prod"}, {"empty", ""}};
  return instance;
}

TEST(InstanceTest, ADocumentKeepsEveryField) {
  const Instance before = Full();
  const Result<Instance> after = ParseInstance(Format(before));
  ASSERT_TRUE(after) << after.error().what();
  EXPECT_EQ(Format(*after), Format(before));
  EXPECT_EQ(after->settings, before.settings);
  EXPECT_EQ(after->id, before.id);
  EXPECT_EQ(after->second_interface, "eni-2");
  EXPECT_EQ(after->power, nodes::Power::kStopped);
  EXPECT_EQ(after->created, before.created);
  EXPECT_EQ(after->tags, before.tags);
}

TEST(InstanceTest, ADefaultInstanceIsNoValidDocument) {
  const Result<Instance> parsed = ParseInstance(Format(Instance()));
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().code(), Code::kCorrupt);
}

TEST(InstanceTest, TextThatIsNoDocumentIsAnErrorAndNothingWorse) {
  EXPECT_FALSE(ParseInstance(""));
  EXPECT_FALSE(ParseInstance("[]"));
  EXPECT_FALSE(ParseInstance(R"({"id":"db-1","identifier":"x","power":"sideways"})"));
}

TEST(SubnetGroupTest, ADocumentKeepsEveryField) {
  const SubnetGroup group{.name = "g",
                          .description = "d",
                          .vpc = "vpc-1",
                          .subnets = {"subnet-1", "subnet-2"},
                          .tags = {{"k", "v"}}};
  const Result<SubnetGroup> after = ParseSubnetGroup(Format(group));
  ASSERT_TRUE(after);
  EXPECT_EQ(Format(*after), Format(group));
  EXPECT_EQ(after->subnets, group.subnets);
}

}  // namespace
}  // namespace howdah::fleet
