// Groups have unique names, rules are stored in one form and once, and a group that a rule of
// another group names is not deleted.
#include "vpc/groups.h"

#include "vpc/admission.h"
#include "vpc/test_network.h"

namespace howdah::vpc {
namespace {

class GroupsTest : public NetworkTest {
 protected:
  void SetUp() override {
    NetworkTest::SetUp();
    vpc_ = MakeVpc("10.0.0.0/16").value();
  }
  Result<SecurityGroup> MakeGroup(std::string name) {
    return Do([&](store::Transaction& t) {
      return CreateSecurityGroup(
          *context_, t,
          {.vpc = vpc_.id, .name = std::move(name), .description = "a group", .tags = {}});
    });
  }
  Result<std::vector<Rule>> Add(const GroupId& group, Rule rule) {
    return Do([&](store::Transaction& t) { return AddRules(*context_, t, group, {rule}); });
  }
  Result<> Delete(const GroupId& group) {
    return Do([&](store::Transaction& t) { return DeleteSecurityGroup(*context_, t, group); });
  }
  static Rule Postgres(GroupId source) {
    Rule rule;
    rule.protocol = "6";
    rule.from_port = rule.to_port = 5432;
    rule.source = std::move(source);
    return rule;
  }
  Vpc vpc_;
};

TEST_F(GroupsTest, ANewGroupLetsEverythingOutAndNothingIn) {
  const SecurityGroup group = MakeGroup("db").value();
  const auto rules = RulesOf(*store_, group.id).value();
  ASSERT_EQ(rules.size(), 1u);
  EXPECT_EQ(rules[0].direction, Direction::kEgress);
  EXPECT_EQ(rules[0].cidr.ToString(), "0.0.0.0/0");
}

TEST_F(GroupsTest, NamesAreUniqueInTheVpcAndLegal) {
  ASSERT_TRUE(MakeGroup("db"));
  EXPECT_EQ(MakeGroup("db").error().code(), Code::kAlreadyExists);
  EXPECT_EQ(MakeGroup("default").error().code(), Code::kAlreadyExists);
  EXPECT_EQ(MakeGroup("sg-mine").error().code(), Code::kInvalid);
  EXPECT_EQ(MakeGroup("a\"b").error().code(), Code::kInvalid);
  EXPECT_EQ(MakeGroup("").error().code(), Code::kInvalid);
}

TEST_F(GroupsTest, ARuleIsStoredOnceInOneForm) {
  const SecurityGroup db = MakeGroup("db").value();
  const SecurityGroup ecs = MakeGroup("ecs").value();
  const auto added = Add(db.id, Postgres(ecs.id)).value();
  EXPECT_EQ(added[0].protocol, "tcp");
  EXPECT_TRUE(IsWellFormed(added[0].id.str(), kRulePrefix));
  Rule again = Postgres(ecs.id);
  again.protocol = "TCP";
  again.description = "another description does not make it another rule";
  EXPECT_EQ(Add(db.id, again).error().code(), Code::kAlreadyExists);
}

TEST_F(GroupsTest, RulesThatMakeNoSenseAreRefused) {
  const SecurityGroup db = MakeGroup("db").value();
  Rule rule = Postgres({});
  rule.to_port = 1;
  EXPECT_EQ(Add(db.id, rule).error().code(), Code::kInvalid);
  rule.to_port = 70000;
  EXPECT_EQ(Add(db.id, rule).error().code(), Code::kInvalid);
  rule.protocol = "nonsense";
  EXPECT_EQ(Add(db.id, rule).error().code(), Code::kInvalid);
  EXPECT_EQ(Add(db.id, Postgres(GroupId("sg-00000000"))).error().code(), Code::kNotFound);
}

TEST_F(GroupsTest, AGroupThatARuleNamesIsNotDeleted) {
  const SecurityGroup db = MakeGroup("db").value();
  const SecurityGroup ecs = MakeGroup("ecs").value();
  const auto rules = Add(db.id, Postgres(ecs.id)).value();
  EXPECT_EQ(Delete(ecs.id).error().code(), Code::kInUse);
  ASSERT_TRUE(
      Do([&](store::Transaction& t) { return RemoveRules(*context_, t, db.id, {rules[0].id}); }));
  EXPECT_TRUE(Delete(ecs.id));
}

TEST_F(GroupsTest, DeletingAGroupTakesItsRulesAndSetsTheirSourcesFree) {
  const SecurityGroup db = MakeGroup("db").value();
  const SecurityGroup ecs = MakeGroup("ecs").value();
  ASSERT_TRUE(Add(db.id, Postgres(ecs.id)));
  ASSERT_TRUE(Add(db.id, Postgres(db.id)));  // its own member: no obstacle
  EXPECT_TRUE(Delete(db.id));
  EXPECT_TRUE(Delete(ecs.id));
  EXPECT_TRUE(RulesOf(*store_, db.id)->empty());
  EXPECT_EQ(Get<Vpc>(*store_, vpc_.id)->uses, 0);
}

TEST_F(GroupsTest, TheDefaultGroupCannotBeDeleted) {
  EXPECT_EQ(Delete(vpc_.default_group).error().code(), Code::kPermission);
}

TEST_F(GroupsTest, ReplacingARuleMovesItsSource) {
  const SecurityGroup db = MakeGroup("db").value();
  const SecurityGroup ecs = MakeGroup("ecs").value();
  Rule rule = Add(db.id, Postgres(ecs.id)).value()[0];
  rule.source = {};
  rule.cidr = Range("10.0.0.0/16");
  ASSERT_TRUE(Do([&](store::Transaction& t) { return ReplaceRule(*context_, t, rule); }));
  EXPECT_EQ(Get<Rule>(*store_, rule.id)->cidr.ToString(), "10.0.0.0/16");
  EXPECT_TRUE(Delete(ecs.id));
}

TEST_F(GroupsTest, TwoConcurrentRulesOfOneGroupConflict) {
  const SecurityGroup db = MakeGroup("db").value();
  store::Transaction first;
  store::Transaction second;
  ASSERT_TRUE(AddRules(*context_, first, db.id, {Postgres(db.id)}));
  ASSERT_TRUE(AddRules(*context_, second, db.id, {Postgres(db.id)}));
  EXPECT_TRUE(store_->Commit(first));
  EXPECT_EQ(store_->Commit(second).error().code(), Code::kConflict);
}

TEST_F(GroupsTest, ARuleAboutIpv6IsRecordedAndAdmitsNobody) {
  const SecurityGroup db = MakeGroup("db").value();
  Rule rule;
  rule.protocol = "-1";
  rule.cidr6 = network::Cidr6::Parse("::/0").value();
  ASSERT_TRUE(Add(db.id, rule));
  EXPECT_EQ(Add(db.id, rule).error().code(), Code::kAlreadyExists);
  rule.cidr6.reset();  // 0.0.0.0/0 is another rule
  const Rule range = Add(db.id, rule).value()[0];
  EXPECT_EQ(ResolveAdmission(*store_, {db.id})->rules.size(), 1u);
  ASSERT_TRUE(
      Do([&](store::Transaction& t) { return RemoveRules(*context_, t, db.id, {range.id}); }));
  EXPECT_TRUE(ResolveAdmission(*store_, {db.id})->rules.empty());
  EXPECT_EQ(RulesOf(*store_, db.id)->back().Peer(), "::/0");
}

TEST_F(GroupsTest, AGroupOfAnOlderVersionFindsItsRulesAndThenKnowsThem) {
  SecurityGroup db = MakeGroup("db").value();
  db.rule_ids.reset();
  ASSERT_TRUE(store_->Commit(
      {.compares = {}, .puts = {{KeyOf<SecurityGroup>(db.id), Encode(db), ""}}, .deletes = {}}));
  EXPECT_EQ(RulesOf(*store_, db.id)->size(), 1u);
  ASSERT_TRUE(Add(db.id, Postgres(db.id)));
  EXPECT_EQ(Get<SecurityGroup>(*store_, db.id)->rule_ids->size(), 2u);
  EXPECT_EQ(RulesOf(*store_, db.id)->size(), 2u);
}

}  // namespace
}  // namespace howdah::vpc
