// Gateways and addresses hold what they depend on, as on AWS, and leave nothing behind.
#include "vpc/edge.h"

#include "vpc/addresses.h"
#include "vpc/gateways.h"
#include "vpc/interfaces.h"
#include "vpc/test_network.h"

namespace howdah::vpc {
namespace {

constexpr WallTime kNow{std::chrono::hours(24)};

class EdgeTest : public NetworkTest {
 protected:
  void SetUp() override {
    NetworkTest::SetUp();
    vpc_ = MakeVpc("10.0.0.0/16").value();
    subnet_ = MakeSubnet(vpc_.id, "10.0.1.0/24").value();
    gateway_ =
        Do([&](store::Transaction& t) { return CreateInternetGateway(*context_, t, {}); }).value();
  }
  Result<> Attach(const InternetGatewayId& gateway) {
    return Do([&](store::Transaction& t) {
      return AttachInternetGateway(*context_, t, gateway, vpc_.id);
    });
  }
  Result<> Detach() {
    return Do([&](store::Transaction& t) {
      return DetachInternetGateway(*context_, t, gateway_.id, vpc_.id);
    });
  }
  Result<ElasticAddress> Allocate() {
    return Do([&](store::Transaction& t) { return AllocateAddress(*context_, t, {}); });
  }
  Result<> Release(const AllocationId& id) {
    return Do([&](store::Transaction& t) { return ReleaseAddress(*context_, t, id); });
  }
  Interface MakeInterface() {
    return Do([&](store::Transaction& t) {
             return ReserveInterface(*context_, t,
                                     {.subnet = subnet_.id, .groups = {}, .owner = {}, .tags = {}});
           })
        .value();
  }
  Result<ElasticAddress> Associate(const AllocationId& address, const InterfaceId& interface,
                                   bool take_over = true) {
    return Do([&](store::Transaction& t) {
      return AssociateAddress(*context_, t,
                              {.address = address, .interface = interface, .take_over = take_over});
    });
  }
  Result<NatGateway> MakeNat(const AllocationId& address) {
    return Do([&](store::Transaction& t) {
      return CreateNatGateway(
          *context_, t, {.subnet = subnet_.id, .allocation = address, .now = kNow, .tags = {}});
    });
  }
  Vpc vpc_;
  Subnet subnet_;
  InternetGateway gateway_;
};

TEST_F(EdgeTest, AnInternetGatewayHoldsItsVpcAndIsHeldByIt) {
  ASSERT_TRUE(Attach(gateway_.id));
  EXPECT_EQ(Attach(gateway_.id).error().code(), Code::kAlreadyExists);
  const auto second =
      Do([&](store::Transaction& t) { return CreateInternetGateway(*context_, t, {}); }).value();
  EXPECT_EQ(Attach(second.id).error().code(), Code::kInvalid);
  const auto remove = [&](store::Transaction& t) {
    return DeleteInternetGateway(*context_, t, gateway_.id);
  };
  EXPECT_EQ(Do(remove).error().code(), Code::kInUse);
  ASSERT_TRUE(Do([&](store::Transaction& t) { return DeleteSubnet(*context_, t, subnet_.id); }));
  const auto remove_vpc = [&](store::Transaction& t) { return DeleteVpc(*context_, t, vpc_.id); };
  EXPECT_EQ(Do(remove_vpc).error().code(), Code::kInUse);
  ASSERT_TRUE(Detach());
  EXPECT_EQ(Detach().error().code(), Code::kFailedState);
  EXPECT_TRUE(Do(remove));
  EXPECT_TRUE(Do(remove_vpc));
}

TEST_F(EdgeTest, AnAddressNeedsAnInternetGatewayAndThenHoldsIt) {
  const ElasticAddress address = Allocate().value();
  EXPECT_EQ(address.address.ToString(), "203.0.113.1");
  const Interface interface = MakeInterface();
  EXPECT_EQ(Associate(address.id, interface.id).error().code(), Code::kFailedState);
  ASSERT_TRUE(Attach(gateway_.id));
  const auto associated = Associate(address.id, interface.id).value();
  EXPECT_EQ(associated.private_address, interface.address);
  EXPECT_EQ(Get<Interface>(*store_, interface.id)->public_address, address.id);
  EXPECT_EQ(Release(address.id).error().code(), Code::kInUse);
  EXPECT_EQ(Detach().error().code(), Code::kInUse);
  // An interface that goes sets its address free.
  ASSERT_TRUE(
      Do([&](store::Transaction& t) { return ReleaseInterface(*context_, t, interface.id); }));
  EXPECT_TRUE(Get<ElasticAddress>(*store_, address.id)->association.empty());
  EXPECT_TRUE(Detach());
  EXPECT_TRUE(Release(address.id));
  EXPECT_EQ(store_->List(kPublicAddresses)->documents.size(), 0u);
}

TEST_F(EdgeTest, AnAddressMovesOnlyWhereThatIsAllowed) {
  ASSERT_TRUE(Attach(gateway_.id));
  const ElasticAddress first = Allocate().value();
  const ElasticAddress second = Allocate().value();
  const Interface one = MakeInterface();
  const Interface two = MakeInterface();
  ASSERT_TRUE(Associate(first.id, one.id));
  EXPECT_EQ(Associate(first.id, two.id, false).error().code(), Code::kAlreadyExists);
  EXPECT_EQ(Associate(second.id, one.id, false).error().code(), Code::kAlreadyExists);
  ASSERT_TRUE(Associate(first.id, two.id));
  EXPECT_TRUE(Get<Interface>(*store_, one.id)->public_address.empty());
  ASSERT_TRUE(Associate(second.id, two.id));
  EXPECT_TRUE(Get<ElasticAddress>(*store_, first.id)->association.empty());
  EXPECT_EQ(Get<InternetGateway>(*store_, gateway_.id)->uses, 1);
  EXPECT_EQ(MakeNat(second.id).error().code(), Code::kAlreadyExists);
}

TEST_F(EdgeTest, ANatGatewayHasAnInterfaceUntilItIsDeletedAndIsRememberedForAWhile) {
  ASSERT_TRUE(Attach(gateway_.id));
  const ElasticAddress address = Allocate().value();
  const NatGateway nat = MakeNat(address.id).value();
  const Interface interface = Get<Interface>(*store_, nat.interface).value();
  EXPECT_TRUE(interface.groups.empty());
  EXPECT_TRUE(interface.requester_managed);
  EXPECT_EQ(StateOf(nat, kNow), "pending");
  EXPECT_EQ(StateOf(nat, kNow + kNatGatewaySettles), "available");
  EXPECT_EQ(Do([&](store::Transaction& t) { return DisassociateAddress(*context_, t, address.id); })
                .error()
                .code(),
            Code::kPermission);
  const auto remove = [&](store::Transaction& t) {
    return DeleteNatGateway(*context_, t, nat.id, kNow);
  };
  ASSERT_TRUE(Do(remove));
  store::Transaction again;
  EXPECT_TRUE(remove(again));
  EXPECT_TRUE(again.puts.empty());
  EXPECT_TRUE(Release(address.id));
  const NatGateway deleted = Get<NatGateway>(*store_, nat.id).value();
  EXPECT_EQ(StateOf(deleted, kNow), "deleting");
  EXPECT_EQ(StateOf(deleted, kNow + kNatGatewaySettles), "deleted");
  EXPECT_FALSE(StateOf(deleted, kNow + kNatGatewayKept));
  EXPECT_FALSE(Get<Interface>(*store_, nat.interface));
  EXPECT_TRUE(Do([&](store::Transaction& t) { return DeleteSubnet(*context_, t, subnet_.id); }));
}

TEST_F(EdgeTest, AddressesRunOut) {
  for (std::uint32_t i = 0; i < kMaxElasticAddresses; ++i) ASSERT_TRUE(Allocate()) << i;
  EXPECT_EQ(Allocate().error().code(), Code::kExhausted);
}

}  // namespace
}  // namespace howdah::vpc
