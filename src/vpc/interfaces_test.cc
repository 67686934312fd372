// An address is given once, an interface holds its subnet and groups in place, and the gateway
// learns exactly what rules and interfaces say.
#include "vpc/interfaces.h"

#include "vpc/admission.h"
#include "vpc/groups.h"
#include "vpc/test_network.h"

namespace howdah::vpc {
namespace {

class InterfacesTest : public NetworkTest {
 protected:
  void SetUp() override {
    NetworkTest::SetUp();
    vpc_ = MakeVpc("10.0.0.0/16").value();
    subnet_ = MakeSubnet(vpc_.id, "10.0.1.0/28").value();
    db_ = MakeGroup("db");
    ecs_ = MakeGroup("ecs");
  }
  SecurityGroup MakeGroup(std::string name) {
    return Do([&](store::Transaction& t) {
             return CreateSecurityGroup(
                 *context_, t,
                 {.vpc = vpc_.id, .name = std::move(name), .description = "a group", .tags = {}});
           })
        .value();
  }
  NewInterface Wish(std::vector<GroupId> groups) const {
    NewInterface wish;
    wish.subnet = subnet_.id;
    wish.groups = std::move(groups);
    wish.owner.uid = 1000;
    return wish;
  }
  Result<Interface> Reserve(const NewInterface& wish) {
    return Do([&](store::Transaction& t) { return ReserveInterface(*context_, t, wish); });
  }
  Result<> Release(const InterfaceId& id) {
    return Do([&](store::Transaction& t) { return ReleaseInterface(*context_, t, id); });
  }
  Vpc vpc_;
  Subnet subnet_;
  SecurityGroup db_;
  SecurityGroup ecs_;
};

TEST_F(InterfacesTest, AddressesAreGivenFromTheFifthOnAndMappedToTheHost) {
  const Interface first = Reserve(Wish({db_.id})).value();
  EXPECT_EQ(first.address.ToString(), "10.0.1.4");
  EXPECT_EQ(first.host_address.ToString(), "127.0.1.4");
  EXPECT_EQ(Get<Interface>(*store_, first.id).value(), first);
  EXPECT_EQ(Reserve(Wish({db_.id}))->address.ToString(), "10.0.1.5");
  EXPECT_EQ(AvailableAddresses(*store_, subnet_).value(), 9u);
}

TEST_F(InterfacesTest, WithoutGroupsItIsInTheDefaultGroup) {
  EXPECT_EQ(Reserve(Wish({}))->groups, std::vector<GroupId>{vpc_.default_group});
}

TEST_F(InterfacesTest, AddressesThatTheHostCannotUseAreSkipped) {
  NewInterface wish = Wish({});
  wish.usable = [](network::Ipv4 host) { return host.ToString() != "127.0.1.4"; };
  EXPECT_EQ(Reserve(wish)->address.ToString(), "10.0.1.5");
  wish.usable = [](network::Ipv4) { return false; };
  EXPECT_EQ(Reserve(wish).error().code(), Code::kExhausted);
}

TEST_F(InterfacesTest, AFullSubnetSaysSoAndAReleasedAddressIsFreeAgain) {
  Interface last;
  for (int i = 0; i < 11; ++i) last = Reserve(Wish({})).value();
  EXPECT_EQ(Reserve(Wish({})).error().code(), Code::kExhausted);
  ASSERT_TRUE(Release(last.id));
  ASSERT_TRUE(Release(last.id));
  EXPECT_EQ(Reserve(Wish({}))->address, last.address);
}

TEST_F(InterfacesTest, AWishedAddressIsGivenOnceAndOnlyIfItIsLegal) {
  NewInterface wish = Wish({});
  wish.address = network::Ipv4::Parse("10.0.1.9").value();
  EXPECT_EQ(Reserve(wish)->address, *wish.address);
  EXPECT_EQ(Reserve(wish).error().code(), Code::kAlreadyExists);
  wish.address = network::Ipv4::Parse("10.0.1.15").value();
  EXPECT_EQ(Reserve(wish).error().code(), Code::kInvalid);
  wish.address = network::Ipv4::Parse("10.0.2.9").value();
  EXPECT_EQ(Reserve(wish).error().code(), Code::kInvalid);
}

TEST_F(InterfacesTest, TwoInOneTransactionGetTwoAddresses) {
  store::Transaction transaction;
  const auto first = ReserveInterface(*context_, transaction, Wish({db_.id}));
  const auto second = ReserveInterface(*context_, transaction, Wish({db_.id}));
  ASSERT_TRUE(first && second);
  EXPECT_NE(first->address, second->address);
  ASSERT_TRUE(store_->Commit(transaction));
  EXPECT_EQ(Get<SecurityGroup>(*store_, db_.id)->uses, 2);
  EXPECT_EQ(Get<Subnet>(*store_, subnet_.id)->uses, 2);
}

TEST_F(InterfacesTest, ItHoldsItsSubnetAndGroupsInPlace) {
  const Interface interface = Reserve(Wish({db_.id})).value();
  const auto delete_subnet = [&](store::Transaction& t) {
    return DeleteSubnet(*context_, t, subnet_.id);
  };
  const auto delete_group = [&](store::Transaction& t) {
    return DeleteSecurityGroup(*context_, t, db_.id);
  };
  EXPECT_EQ(Do(delete_subnet).error().code(), Code::kInUse);
  EXPECT_EQ(Do(delete_group).error().code(), Code::kInUse);
  ASSERT_TRUE(Do([&](store::Transaction& t) {
    return SetInterfaceGroups(*context_, t, interface.id, {ecs_.id, ecs_.id});
  }));
  EXPECT_TRUE(Do(delete_group));
  ASSERT_TRUE(Release(interface.id));
  EXPECT_TRUE(Do(delete_subnet));
}

TEST_F(InterfacesTest, ItConflictsWithADeletionThatDidNotSeeIt) {
  store::Transaction subnet_deletion;
  store::Transaction group_deletion;
  ASSERT_TRUE(DeleteSubnet(*context_, subnet_deletion, subnet_.id));
  ASSERT_TRUE(DeleteSecurityGroup(*context_, group_deletion, db_.id));
  ASSERT_TRUE(Reserve(Wish({db_.id})));
  EXPECT_EQ(store_->Commit(subnet_deletion).error().code(), Code::kConflict);
  EXPECT_EQ(store_->Commit(group_deletion).error().code(), Code::kConflict);
}

TEST_F(InterfacesTest, AGroupOfAnotherVpcIsRefused) {
  const Vpc other = MakeVpc("10.1.0.0/16").value();
  EXPECT_EQ(Reserve(Wish({other.default_group})).error().code(), Code::kInvalid);
}

TEST_F(InterfacesTest, TheGatewayLearnsTheMembersOfTheGroupsThatRulesName) {
  Rule rule;
  rule.protocol = "tcp";
  rule.from_port = rule.to_port = 5432;
  rule.source = ecs_.id;
  ASSERT_TRUE(Do([&](store::Transaction& t) { return AddRules(*context_, t, db_.id, {rule}); }));
  ASSERT_TRUE(Reserve(Wish({db_.id})));
  const Interface task = Reserve(Wish({ecs_.id})).value();
  const Admission admission = ResolveAdmission(*store_, {db_.id}).value();
  ASSERT_EQ(admission.rules.size(), 1u);
  EXPECT_EQ(std::get<network::GroupId>(admission.rules[0].source).id, ecs_.id.str());
  EXPECT_EQ(admission.rules[0].from_port, 5432);
  ASSERT_EQ(admission.interfaces.size(), 1u);
  EXPECT_EQ(admission.interfaces[0].id, task.id.str());
  EXPECT_EQ(admission.interfaces[0].owner, 1000u);
  EXPECT_EQ(admission.interfaces[0].host_address, task.host_address);
}

TEST_F(InterfacesTest, ARuleAboutARangeNeedsEveryInterfaceOfTheVpc) {
  Rule rule;
  rule.protocol = "-1";
  rule.cidr = Range("10.0.0.0/16");
  Rule udp = rule;
  udp.protocol = "udp";
  udp.from_port = udp.to_port = 53;
  ASSERT_TRUE(
      Do([&](store::Transaction& t) { return AddRules(*context_, t, db_.id, {rule, udp}); }));
  ASSERT_TRUE(Reserve(Wish({ecs_.id})));
  const Admission admission = ResolveAdmission(*store_, {db_.id}).value();
  ASSERT_EQ(admission.rules.size(), 1u);  // databases speak TCP
  EXPECT_EQ(admission.rules[0].to_port, 65535);
  EXPECT_EQ(admission.interfaces.size(), 1u);
}

}  // namespace
}  // namespace howdah::vpc
