// Tables and routes keep AWS's rules about what may be deleted, and a range has one form.
#include "vpc/routes.h"

#include "vpc/acls.h"
#include "vpc/gateways.h"
#include "vpc/test_network.h"

namespace howdah::vpc {
namespace {

class RoutesTest : public NetworkTest {
 protected:
  void SetUp() override {
    NetworkTest::SetUp();
    vpc_ = MakeVpc("10.0.0.0/16").value();
    subnet_ = MakeSubnet(vpc_.id, "10.0.1.0/24").value();
    gateway_ =
        Do([&](store::Transaction& t) { return CreateInternetGateway(*context_, t, {}); }).value();
    table_ = MakeTable().value();
  }
  Result<RouteTable> MakeTable() {
    return Do([&](store::Transaction& t) {
      return CreateRouteTable(*context_, t, {.vpc = vpc_.id, .tags = {}});
    });
  }
  Result<> Attach() {
    return Do([&](store::Transaction& t) {
      return AttachInternetGateway(*context_, t, gateway_.id, vpc_.id);
    });
  }
  Result<> Route(const std::string& destination) {
    return Do([&](store::Transaction& t) {
      return CreateRoute(*context_, t, table_.id, {destination, gateway_.id.str()});
    });
  }
  Result<std::string> Associate(const RouteTableId& table) {
    return Do([&](store::Transaction& t) {
      return AssociateRouteTable(*context_, t, table, subnet_.id);
    });
  }
  Result<std::string> Replace(const std::string& association, const RouteTableId& table) {
    return Do([&](store::Transaction& t) {
      return ReplaceRouteTableAssociation(*context_, t, association, table);
    });
  }
  Result<> Delete(const RouteTableId& table) {
    return Do([&](store::Transaction& t) { return DeleteRouteTable(*context_, t, table); });
  }
  Vpc vpc_;
  Subnet subnet_;
  InternetGateway gateway_;
  RouteTable table_;
};

TEST_F(RoutesTest, ARouteGoesToAGatewayOfTheSameVpcAndOnlyOnce) {
  EXPECT_EQ(Route("0.0.0.0/0").error().code(), Code::kInvalid);
  ASSERT_TRUE(Attach());
  ASSERT_TRUE(Route("0.0.0.0/0"));
  ASSERT_TRUE(Route("::/0"));
  EXPECT_EQ(Route("0.0.0.0/0").error().code(), Code::kAlreadyExists);
  EXPECT_EQ(Route("10.0.0.0/16").error().code(), Code::kInvalid);
  EXPECT_EQ(Route("10.0.3.0/24").error().code(), Code::kInvalid);
  const auto remove = [&](const std::string& destination) {
    return Do(
        [&](store::Transaction& t) { return DeleteRoute(*context_, t, table_.id, destination); });
  };
  EXPECT_EQ(remove("10.0.0.0/16").error().code(), Code::kInvalid);
  EXPECT_EQ(remove("10.9.0.0/16").error().code(), Code::kNotFound);
  EXPECT_TRUE(remove("0.0.0.0/0"));
  EXPECT_EQ(Get<RouteTable>(*store_, table_.id)->routes,
            (std::vector<vpc::Route>{{"::/0", gateway_.id.str()}}));
}

TEST_F(RoutesTest, RangesHaveOneForm) {
  EXPECT_EQ(CanonicalRange("100.68.0.18/18").value(), "100.68.0.0/18");
  EXPECT_EQ(CanonicalRange("0::0/0").value(), "::/0");
  EXPECT_FALSE(CanonicalRange("everything"));
}

TEST_F(RoutesTest, AnAssociatedTableIsNotDeletedAndASubnetTakesItsAssociationAlong) {
  ASSERT_TRUE(Associate(table_.id));
  EXPECT_EQ(Associate(table_.id).error().code(), Code::kAlreadyExists);
  EXPECT_EQ(Delete(table_.id).error().code(), Code::kInUse);
  EXPECT_EQ(Delete(vpc_.route_table).error().code(), Code::kInUse);
  ASSERT_TRUE(Do([&](store::Transaction& t) { return DeleteSubnet(*context_, t, subnet_.id); }));
  const auto remove_vpc = [&](store::Transaction& t) { return DeleteVpc(*context_, t, vpc_.id); };
  EXPECT_EQ(Do(remove_vpc).error().code(), Code::kInUse);
  EXPECT_TRUE(Delete(table_.id));
  EXPECT_TRUE(Do(remove_vpc));
  EXPECT_EQ(store_->List(RouteTable::kKeys)->documents.size(), 0u);
}

TEST_F(RoutesTest, AssociationsMoveAndTheMainOneIsOnlyMoved) {
  const std::string before = Associate(table_.id).value();
  const RouteTable other = MakeTable().value();
  const std::string after = Replace(before, other.id).value();
  EXPECT_NE(after, before);
  EXPECT_TRUE(Delete(table_.id));
  const std::string main = Get<RouteTable>(*store_, vpc_.route_table)->association;
  const auto disassociate = [&](const std::string& association) {
    return Do(
        [&](store::Transaction& t) { return DisassociateRouteTable(*context_, t, association); });
  };
  EXPECT_EQ(disassociate(main).error().code(), Code::kInvalid);
  EXPECT_EQ(disassociate("rtbassoc-0").error().code(), Code::kNotFound);
  ASSERT_TRUE(disassociate(after));
  ASSERT_TRUE(Replace(main, other.id));
  EXPECT_EQ(Get<Vpc>(*store_, vpc_.id)->route_table, other.id);
  EXPECT_EQ(Delete(other.id).error().code(), Code::kInUse);
  EXPECT_TRUE(Delete(vpc_.route_table));  // the first one is an ordinary table now
  ASSERT_TRUE(Do([&](store::Transaction& t) { return DeleteSubnet(*context_, t, subnet_.id); }));
  ASSERT_TRUE(Do([&](store::Transaction& t) { return DeleteVpc(*context_, t, vpc_.id); }));
  EXPECT_EQ(store_->List(RouteTable::kKeys)->documents.size(), 0u);
}

TEST_F(RoutesTest, AclEntriesAreKeptInOneFormByNumber) {
  AclEntry entry{
      .number = 50, .protocol = "tcp", .range = "10.1.2.3/8", .from_port = 1, .to_port = 2};
  ASSERT_TRUE(Normalize(entry));
  EXPECT_EQ(entry.protocol, "6");
  EXPECT_EQ(entry.range, "10.0.0.0/8");
  const auto add = [&](store::Transaction& t) {
    return AddAclEntry(*context_, t, vpc_.acl, entry);
  };
  ASSERT_TRUE(Do(add));
  EXPECT_EQ(Do(add).error().code(), Code::kAlreadyExists);
  EXPECT_EQ(Get<NetworkAcl>(*store_, vpc_.acl)->entries.front(), entry);
  const auto remove = [&](store::Transaction& t) {
    return RemoveAclEntry(*context_, t, vpc_.acl, 50, false);
  };
  ASSERT_TRUE(Do(remove));
  EXPECT_EQ(Do(remove).error().code(), Code::kNotFound);
  AclEntry bad{.number = 32767};
  EXPECT_FALSE(Normalize(bad));
  bad = {.protocol = "tcp"};
  EXPECT_FALSE(Normalize(bad));
}

}  // namespace
}  // namespace howdah::vpc
