// A VPC comes with what clients expect in it, addresses of two VPCs never coincide, and nothing is
// deleted while something depends on it.
#include "vpc/vpcs.h"

#include "vpc/groups.h"
#include "vpc/tags.h"
#include "vpc/test_network.h"

namespace howdah::vpc {
namespace {

TEST_F(NetworkTest, AVpcHasItsDefaultGroupAclAndRouteTable) {
  const Vpc vpc = MakeVpc("10.0.0.0/16").value();
  EXPECT_EQ(Get<Vpc>(*store_, vpc.id).value(), vpc);
  EXPECT_EQ(Get<SecurityGroup>(*store_, vpc.default_group)->name, "default");
  EXPECT_EQ(RulesOf(*store_, vpc.default_group)->size(), 2u);
  EXPECT_EQ(Get<NetworkAcl>(*store_, vpc.acl)->vpc, vpc.id);
  EXPECT_EQ(Get<RouteTable>(*store_, vpc.route_table)->vpc, vpc.id);
}

TEST_F(NetworkTest, VpcsWhoseAddressesWouldCoincideAreRefused) {
  ASSERT_TRUE(MakeVpc("10.0.0.0/16"));
  const auto same = MakeVpc("192.0.0.0/20");  // 127.0.0.0/20 is inside 127.0.0.0/16
  ASSERT_FALSE(same);
  EXPECT_EQ(same.error().code(), Code::kInvalid);
  EXPECT_NE(same.error().what().find("vpc-"), std::string::npos) << same.error().what();
  EXPECT_TRUE(MakeVpc("192.1.0.0/20"));
}

TEST_F(NetworkTest, IllegalRangesAreRefused) {
  for (const auto* range : {"10.0.0.0/15", "10.0.0.0/29", "127.5.0.0/16", "224.0.0.0/16"})
    EXPECT_FALSE(MakeVpc(range)) << range;
}

TEST_F(NetworkTest, TwoConcurrentVpcsWithOneRangeConflict) {
  store::Transaction first;
  store::Transaction second;
  ASSERT_TRUE(CreateVpc(*context_, first, {.cidr = Range("10.0.0.0/16"), .tags = {}}));
  ASSERT_TRUE(CreateVpc(*context_, second, {.cidr = Range("10.0.0.0/16"), .tags = {}}));
  EXPECT_TRUE(store_->Commit(first));
  EXPECT_EQ(store_->Commit(second).error().code(), Code::kConflict);
}

TEST_F(NetworkTest, SubnetsLieInTheVpcAndDoNotOverlap) {
  const Vpc vpc = MakeVpc("10.0.0.0/16").value();
  const Subnet subnet = MakeSubnet(vpc.id, "10.0.1.0/24", "usw2-az2").value();
  EXPECT_EQ(subnet.zone, "us-west-2b");
  EXPECT_EQ(AvailableAddresses(*store_, subnet).value(), 251u);
  EXPECT_EQ(MakeSubnet(vpc.id, "10.0.1.128/25").error().code(), Code::kAlreadyExists);
  EXPECT_EQ(MakeSubnet(vpc.id, "10.1.1.0/24").error().code(), Code::kInvalid);
  EXPECT_EQ(MakeSubnet(vpc.id, "10.0.2.0/24", "us-west-2z").error().code(), Code::kUnsupported);
  EXPECT_EQ(MakeSubnet(VpcId("vpc-0"), "10.0.2.0/24").error().code(), Code::kNotFound);
}

TEST_F(NetworkTest, SubnetsWithoutAZoneSpreadOverZones) {
  const Vpc vpc = MakeVpc("10.0.0.0/16").value();
  EXPECT_EQ(MakeSubnet(vpc.id, "10.0.1.0/24")->zone, "us-west-2a");
  EXPECT_EQ(MakeSubnet(vpc.id, "10.0.2.0/24")->zone, "us-west-2b");
}

TEST_F(NetworkTest, AVpcInUseIsNotDeletedAndAnEmptyOneLeavesNothing) {
  const Vpc vpc = MakeVpc("10.0.0.0/16").value();
  const Subnet subnet = MakeSubnet(vpc.id, "10.0.1.0/24").value();
  const auto remove_vpc = [&](store::Transaction& t) { return DeleteVpc(*context_, t, vpc.id); };
  EXPECT_EQ(Do(remove_vpc).error().code(), Code::kInUse);
  EXPECT_TRUE(Do([&](store::Transaction& t) { return DeleteSubnet(*context_, t, subnet.id); }));
  EXPECT_TRUE(Do(remove_vpc));
  EXPECT_EQ(store_->List("/vpc/")->documents.size(), 1u);  // the network document
  EXPECT_EQ(Do(remove_vpc).error().code(), Code::kNotFound);
}

TEST_F(NetworkTest, ASubnetMadeWhileItsVpcIsDeletedConflicts) {
  const Vpc vpc = MakeVpc("10.0.0.0/16").value();
  store::Transaction deletion;
  ASSERT_TRUE(DeleteVpc(*context_, deletion, vpc.id));
  ASSERT_TRUE(MakeSubnet(vpc.id, "10.0.1.0/24"));
  EXPECT_EQ(store_->Commit(deletion).error().code(), Code::kConflict);
}

TEST_F(NetworkTest, TheDefaultVpcIsMadeOnceAndNotAgainAfterItsDeletion) {
  ASSERT_TRUE(EnsureDefaultVpc(*context_));
  ASSERT_TRUE(EnsureDefaultVpc(*context_));
  const auto vpcs = List<Vpc>(*store_).value();
  ASSERT_EQ(vpcs.size(), 1u);
  EXPECT_TRUE(vpcs[0].is_default);
  const auto subnets = List<Subnet>(*store_).value();
  ASSERT_EQ(subnets.size(), 3u);
  for (const Subnet& subnet : subnets)
    ASSERT_TRUE(Do([&](store::Transaction& t) { return DeleteSubnet(*context_, t, subnet.id); }));
  ASSERT_TRUE(Do([&](store::Transaction& t) { return DeleteVpc(*context_, t, vpcs[0].id); }));
  ASSERT_TRUE(EnsureDefaultVpc(*context_));
  EXPECT_TRUE(List<Vpc>(*store_)->empty());
}

TEST_F(NetworkTest, TagsOfAnyRecordAreAddedAndRemoved) {
  const Vpc vpc = MakeVpc("10.0.0.0/16").value();
  const std::string id = vpc.route_table.str();
  ASSERT_TRUE(Do([&](store::Transaction& t) {
    return AddTags(*context_, t, id, {{"Name", "main"}, {"env", "e"}});
  }));
  const auto listed = ListTags(*store_).value();
  ASSERT_EQ(listed.size(), 1u);
  EXPECT_EQ(listed[0].type, "route-table");
  ASSERT_TRUE(Do([&](store::Transaction& t) {
    return RemoveTags(*context_, t, id, {{"Name", {}}, {"env", "other"}});
  }));
  EXPECT_EQ(Get<RouteTable>(*store_, vpc.route_table)->tags, (Tags{{"env", "e"}}));
  EXPECT_EQ(Do([&](store::Transaction& t) { return AddTags(*context_, t, "vpc-00000000", {}); })
                .error()
                .code(),
            Code::kNotFound);
}

}  // namespace
}  // namespace howdah::vpc
