// What nodes should be, by the phase of the record and the power of the instance.
#include "fleet/node_plan.h"

#include <gtest/gtest.h>

#include "ha/step.h"
#include "postgres/config.h"

namespace howdah::fleet {
namespace {

using ha::Phase;
using nodes::Desired;
using nodes::Power;

Instance MultiAz() {
  Instance instance;
  instance.id = InstanceId("db-A");
  instance.identifier = "prod-e-db";
  instance.version = "14.17";
  instance.database = "appdb";
  instance.master_user = "master";
  instance.zone = "us-west-2a";
  instance.secondary_zone = "us-west-2b";
  instance.settings.instance_class = "db.t3.micro";
  instance.settings.multi_az = true;
  instance.settings.master_verifier = "SCRAM";
  instance.settings.password_stamp = 3;
  instance.first_node = NodeId("n-1");
  instance.second_node = NodeId("n-2");
  instance.power = Power::kRunning;
  instance.restarts = 2;
  return instance;
}

ha::Record In(Phase phase, bool armed = false) {
  ha::Record record;
  record.primary = NodeId("n-1");
  record = ha::AddStandby(record, NodeId("n-2"), "nonce");
  record.phase = phase;
  record.protected_ = phase == Phase::kProtected;
  record.armed = armed;
  return record;
}

std::vector<Desired> Plan(const Instance& instance, const ha::Record& record,
                          bool primary_stopped = false) {
  const auto plan = PlanNodes(instance, record, primary_stopped);
  EXPECT_TRUE(plan) << plan.error().what();
  return plan.value_or(std::vector<Desired>());
}

TEST(NodePlanTest, ThePrimaryWaitsOnlyForAStandbyThatStreamsUnderItsName) {
  const std::string token = In(Phase::kSeeding).token;
  EXPECT_EQ(token, "hd_1_nonce");
  EXPECT_EQ(Plan(MultiAz(), In(Phase::kSeeding)).at(0).waits_for, "");
  EXPECT_EQ(Plan(MultiAz(), In(Phase::kCatchup)).at(0).waits_for, "");
  EXPECT_EQ(Plan(MultiAz(), In(Phase::kCatchup, true)).at(0).waits_for, token);
  EXPECT_EQ(Plan(MultiAz(), In(Phase::kProtected)).at(0).waits_for, token);
  EXPECT_EQ(Plan(MultiAz(), In(Phase::kDegraded)).at(0).waits_for, "");
}

TEST(NodePlanTest, RolesZonesAndIdentitiesFollowTheRecord) {
  const std::vector<Desired> plan = Plan(MultiAz(), In(Phase::kProtected));
  ASSERT_EQ(plan.size(), 2);
  EXPECT_EQ(plan[0].id, NodeId("n-1"));
  EXPECT_EQ(plan[0].role, nodes::Role::kPrimary);
  EXPECT_EQ(plan[0].zone, "us-west-2a");
  EXPECT_EQ(plan[0].restarts, 2);
  EXPECT_EQ(plan[0].bootstrap.stamp, 3);
  EXPECT_EQ(plan[0].bootstrap.database, "appdb");
  EXPECT_EQ(plan[1].id, NodeId("n-2"));
  EXPECT_EQ(plan[1].role, nodes::Role::kStandby);
  EXPECT_EQ(plan[1].zone, "us-west-2b");
  EXPECT_EQ(plan[1].primary, NodeId("n-1"));
  EXPECT_EQ(plan[1].token, "hd_1_nonce");
  EXPECT_EQ(plan[1].waits_for, "");
}

TEST(NodePlanTest, AfterAFailoverTheNodesChangeRolesAndStayInTheirZones) {
  ha::Record record;
  record.primary = NodeId("n-2");
  record = ha::AddStandby(record, NodeId("n-1"), "nonce");
  const std::vector<Desired> plan = Plan(MultiAz(), record);
  EXPECT_EQ(plan.at(0).id, NodeId("n-2"));
  EXPECT_EQ(plan.at(0).zone, "us-west-2b");
  EXPECT_EQ(plan.at(1).id, NodeId("n-1"));
  EXPECT_EQ(plan.at(1).zone, "us-west-2a");
}

TEST(NodePlanTest, AStandbyIsStoppedAfterItsPrimary) {
  Instance instance = MultiAz();
  instance.power = Power::kStopped;
  const std::vector<Desired> first = Plan(instance, In(Phase::kProtected), false);
  EXPECT_EQ(first.at(0).power, Power::kStopped);
  EXPECT_EQ(first.at(1).power, Power::kRunning);
  const std::vector<Desired> then = Plan(instance, In(Phase::kProtected), true);
  EXPECT_EQ(then.at(1).power, Power::kStopped);
}

TEST(NodePlanTest, ANodeThatTheRecordDoesNotKnowAsStandbyIsAbsent) {
  const ha::Record record = *ha::RemoveStandby(In(Phase::kProtected));
  const std::vector<Desired> plan = Plan(MultiAz(), record);
  EXPECT_EQ(plan.at(0).power, Power::kRunning);
  EXPECT_EQ(plan.at(0).waits_for, "");
  EXPECT_EQ(plan.at(1).id, NodeId("n-2"));
  EXPECT_EQ(plan.at(1).power, Power::kAbsent);
}

TEST(NodePlanTest, ASingleNodeHasNoStandbyInItsPlan) {
  Instance instance = MultiAz();
  instance.second_node = NodeId();
  ha::Record record;
  record.primary = NodeId("n-1");
  EXPECT_EQ(Plan(instance, record).size(), 1);
}

TEST(NodePlanTest, SessionsDoWithoutTheStandbyOnlyWhereATagSaysSo) {
  Instance instance = MultiAz();
  const std::string name(postgres::kAllowAsyncCommit);
  EXPECT_FALSE(NodeSettings(instance)->contains(name));
  instance.tags[std::string(kSynchronousCommitTag)] = "session";
  EXPECT_EQ(NodeSettings(instance)->at(name), "1");
  EXPECT_TRUE(CheckDataPathTags(instance.tags));
  instance.tags[std::string(kSynchronousCommitTag)] = "enforced";
  EXPECT_FALSE(NodeSettings(instance)->contains(name));
  EXPECT_TRUE(CheckDataPathTags(instance.tags));
  instance.tags[std::string(kSynchronousCommitTag)] = "off";
  EXPECT_FALSE(CheckDataPathTags(instance.tags));
}

TEST(NodePlanTest, AClassThatNobodyKnowsIsAnError) {
  Instance instance = MultiAz();
  instance.settings.instance_class = "db.z9.nano";
  EXPECT_FALSE(PlanNodes(instance, In(Phase::kProtected), false));
}

}  // namespace
}  // namespace howdah::fleet
