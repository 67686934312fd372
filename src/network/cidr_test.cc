// Addresses and blocks parse strictly, and subnet arithmetic keeps AWS's rules.
#include "network/cidr.h"

#include <gtest/gtest.h>

namespace howdah::network {
namespace {

Ipv4 Address(std::string_view text) {
  return Ipv4::Parse(text).value();
}
Cidr Block(std::string_view text) {
  return Cidr::Parse(text).value();
}

TEST(Ipv4, ReadsAndWritesDottedForm) {
  EXPECT_EQ(Address("10.1.2.3").value(), 0x0a010203U);
  EXPECT_EQ(Address("255.255.255.255").ToString(), "255.255.255.255");
  EXPECT_EQ(Address("0.0.0.0").ToString(), "0.0.0.0");
}

TEST(Ipv4, RefusesWhatIsNotExactlyFourNumbers) {
  for (const char* bad : {"", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.-4", "1.2.3.+4",
                          " 1.2.3.4", "1.2.3.4 ", "01.2.3.4", "1..3.4", "1.2.3.", "a.b.c.d",
                          "0x1.2.3.4", "::1", "1.2.3.99999999999999999999"})
    EXPECT_FALSE(Ipv4::Parse(bad)) << bad;
}

TEST(Cidr, IsCanonical) {
  EXPECT_EQ(Block("100.68.0.18/18").ToString(), "100.68.0.0/18");
  EXPECT_EQ(Block("1.2.3.4/32").ToString(), "1.2.3.4/32");
  EXPECT_EQ(Block("1.2.3.4/0").ToString(), "0.0.0.0/0");
  EXPECT_EQ(Block("10.0.0.0/16").last().ToString(), "10.0.255.255");
}

TEST(Cidr, RefusesBadText) {
  for (const char* bad : {"", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/016",
                          "10.0.0/8", "/8", "10.0.0.0/8 "})
    EXPECT_FALSE(Cidr::Parse(bad)) << bad;
}

TEST(Cidr, ContainsAndOverlaps) {
  EXPECT_TRUE(Block("10.0.0.0/8").Contains(Address("10.255.0.1")));
  EXPECT_FALSE(Block("10.0.0.0/8").Contains(Address("11.0.0.0")));
  EXPECT_TRUE(Block("0.0.0.0/0").Contains(Address("255.0.0.1")));
  EXPECT_TRUE(Block("10.0.0.0/16").Contains(Block("10.0.5.0/24")));
  EXPECT_FALSE(Block("10.0.5.0/24").Contains(Block("10.0.0.0/16")));
  EXPECT_TRUE(Block("10.0.5.0/24").Overlaps(Block("10.0.0.0/16")));
  EXPECT_FALSE(Block("10.0.5.0/24").Overlaps(Block("10.0.6.0/24")));
}

TEST(Vpc, SizesAndPlacesAreChecked) {
  EXPECT_TRUE(CheckVpcCidr(Block("10.0.0.0/16")));
  EXPECT_TRUE(CheckVpcCidr(Block("10.0.0.0/28")));
  EXPECT_FALSE(CheckVpcCidr(Block("10.0.0.0/15")));
  EXPECT_FALSE(CheckVpcCidr(Block("10.0.0.0/29")));
  EXPECT_TRUE(CheckSubnetCidr(Block("10.0.0.0/16"), Block("10.0.1.0/24")));
  EXPECT_FALSE(CheckSubnetCidr(Block("10.0.0.0/16"), Block("10.1.1.0/24")));
  EXPECT_FALSE(CheckSubnetCidr(Block("10.0.0.0/24"), Block("10.0.0.0/16")));
}

TEST(Subnet, FirstFourAndLastAreReserved) {
  const Cidr subnet = Block("10.0.1.0/28");
  for (const char* reserved : {"10.0.1.0", "10.0.1.1", "10.0.1.2", "10.0.1.3", "10.0.1.15"})
    EXPECT_TRUE(IsReserved(subnet, Address(reserved))) << reserved;
  EXPECT_FALSE(IsReserved(subnet, Address("10.0.1.4")));
  EXPECT_FALSE(IsReserved(subnet, Address("10.0.2.0")));
}

TEST(Subnet, HandsOutLowestFreeAddressUntilFull) {
  const Cidr subnet = Block("10.0.1.0/28");
  std::set<Ipv4> taken{Address("10.0.1.5"), Address("10.0.9.9")};
  EXPECT_EQ(AvailableAddressCount(subnet, taken), 10U);
  EXPECT_EQ(NextFreeAddress(subnet, taken), Address("10.0.1.4"));
  while (const auto next = NextFreeAddress(subnet, taken)) taken.insert(*next);
  EXPECT_EQ(taken.size(), 12U);
  EXPECT_EQ(AvailableAddressCount(subnet, taken), 0U);
}

TEST(Subnet, AtTheEndOfTheAddressSpaceDoesNotWrap) {
  const Cidr subnet = Block("255.255.255.240/28");
  EXPECT_EQ(NextFreeAddress(subnet, {}), Address("255.255.255.244"));
}

}  // namespace
}  // namespace howdah::network
