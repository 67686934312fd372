// A security group admits what its rules say, and an address alone makes nobody a member.
#include "network/admission.h"

#include <gtest/gtest.h>

namespace howdah::network {
namespace {

constexpr uid_t kOwner = 1001;
constexpr uid_t kStranger = 1002;

Ipv4 Address(std::string_view text) {
  return Ipv4::Parse(text).value();
}
AdmissionRule FromBlock(std::string_view block, std::uint16_t from = 5432,
                        std::uint16_t to = 5432) {
  return {Cidr::Parse(block).value(), from, to};
}
AdmissionRule FromGroup(std::string id) {
  return {GroupId{std::move(id)}, 5432, 5432};
}

const std::vector<Interface> kInterfaces{{.id = "eni-1",
                                          .host_address = Address("127.0.1.9"),
                                          .private_address = Address("10.0.1.9"),
                                          .owner = kOwner,
                                          .groups = {"sg-app"}}};

Decision From(std::string_view address, std::optional<uid_t> uid, std::vector<AdmissionRule> rules,
              Proof proof = Proof::kAddressAndOwner) {
  return Admit(rules, {Address(address), uid}, kInterfaces, 5432, proof);
}

TEST(Admission, NoRulesAdmitNobody) {
  EXPECT_FALSE(From("127.0.1.9", kOwner, {}).admitted);
}

TEST(Admission, MemberOfTheGroupIsAdmittedByItsPrivateAddress) {
  const Decision decision = From("127.0.1.9", kOwner, {FromGroup("sg-app")});
  EXPECT_TRUE(decision.admitted);
  EXPECT_EQ(decision.interface_id, "eni-1");
  EXPECT_EQ(decision.client_address, Address("10.0.1.9"));
  EXPECT_FALSE(From("127.0.1.9", kOwner, {FromGroup("sg-other")}).admitted);
}

TEST(Admission, StrangerOnAMembersAddressIsNoMember) {
  for (const std::optional<uid_t> uid : {std::optional<uid_t>(kStranger), std::optional<uid_t>()}) {
    EXPECT_FALSE(From("127.0.1.9", uid, {FromGroup("sg-app")}).admitted);
    EXPECT_FALSE(From("127.0.1.9", uid, {FromBlock("10.0.0.0/16")}).admitted);
  }
}

TEST(Admission, BlockOfTheVpcIsMatchedAgainstThePrivateAddress) {
  EXPECT_TRUE(From("127.0.1.9", kOwner, {FromBlock("10.0.0.0/16")}).admitted);
  EXPECT_FALSE(From("127.0.1.9", kOwner, {FromBlock("127.0.0.0/8")}).admitted);
}

TEST(Admission, OtherSourcesMatchBlocksLiterally) {
  EXPECT_TRUE(From("127.0.0.1", kOwner, {FromBlock("127.0.0.1/32")}).admitted);
  EXPECT_TRUE(From("127.0.0.1", std::nullopt, {FromBlock("0.0.0.0/0")}).admitted);
  EXPECT_FALSE(From("127.0.1.8", kOwner, {FromBlock("10.0.0.0/16")}).admitted);
  EXPECT_FALSE(From("127.0.0.1", kOwner, {FromGroup("sg-app")}).admitted);
}

TEST(Admission, PortRangeIsInclusive) {
  const std::vector<AdmissionRule> rules{FromBlock("0.0.0.0/0", 5430, 5440)};
  const auto admitted = [&](std::uint16_t port) {
    return Admit(rules, {Address("127.0.0.1"), {}}, {}, port).admitted;
  };
  EXPECT_FALSE(admitted(5429));
  EXPECT_TRUE(admitted(5430));
  EXPECT_TRUE(admitted(5440));
  EXPECT_FALSE(admitted(5441));
}

TEST(Admission, WhereTheAddressIsProofTheOwnerIsNotAsked) {
  EXPECT_TRUE(From("127.0.1.9", std::nullopt, {FromGroup("sg-app")}, Proof::kAddress).admitted);
  EXPECT_FALSE(NeedsPeerOwner(Address("127.0.1.9"), kInterfaces, Proof::kAddress));
  EXPECT_TRUE(NeedsPeerOwner(Address("127.0.1.9"), kInterfaces, Proof::kAddressAndOwner));
  EXPECT_FALSE(NeedsPeerOwner(Address("127.0.1.8"), kInterfaces, Proof::kAddressAndOwner));
}

}  // namespace
}  // namespace howdah::network
