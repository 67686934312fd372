// Private addresses map to the host's and back, and 127.0.0.1 stays the host.
#include "network/loopback.h"

#include <gtest/gtest.h>

namespace howdah::network {
namespace {

Ipv4 Address(std::string_view text) {
  return Ipv4::Parse(text).value();
}
Cidr Block(std::string_view text) {
  return Cidr::Parse(text).value();
}

TEST(LoopbackDriver, MapsBothWays) {
  const LoopbackDriver driver;
  EXPECT_EQ(driver.HostAddress(Address("10.1.2.3")), Address("127.1.2.3"));
  EXPECT_EQ(driver.PrivateAddress(Block("10.1.0.0/16"), Address("127.1.2.3")), Address("10.1.2.3"));
  EXPECT_FALSE(driver.PrivateAddress(Block("10.1.0.0/16"), Address("127.2.2.3")));
  EXPECT_FALSE(driver.PrivateAddress(Block("10.1.0.0/16"), Address("10.1.2.3")));
}

TEST(LoopbackDriver, TheHostItselfIsNeverAnAddressOfAVpc) {
  const LoopbackDriver driver;
  EXPECT_FALSE(driver.HostAddress(Address("10.0.0.1")));
  EXPECT_FALSE(driver.PrivateAddress(Block("10.0.0.0/16"), kHostItself));
}

TEST(LoopbackDriver, VpcsThatDifferOnlyInTheFirstOctetCoincide) {
  const LoopbackDriver driver;
  EXPECT_TRUE(driver.Coincide(Block("10.31.0.0/16"), Block("172.31.0.0/16")));
  EXPECT_TRUE(driver.Coincide(Block("10.31.4.0/24"), Block("172.31.0.0/16")));
  EXPECT_FALSE(driver.Coincide(Block("10.30.0.0/16"), Block("172.31.0.0/16")));
  EXPECT_TRUE(driver.Coincide(Block("10.0.0.0/8"), Block("172.31.0.0/16")));
}

TEST(HostDriver, IsIdentity) {
  const HostDriver driver;
  EXPECT_EQ(driver.HostAddress(Address("10.0.0.9")), Address("10.0.0.9"));
  EXPECT_FALSE(driver.Coincide(Block("10.31.0.0/16"), Block("172.31.0.0/16")));
  EXPECT_FALSE(driver.AddressNeedsOwner());
}

TEST(MakeAddressDriver, KnowsTwoNames) {
  EXPECT_EQ(MakeAddressDriver("loopback").value()->name(), "loopback");
  EXPECT_EQ(MakeAddressDriver("host").value()->name(), "host");
  EXPECT_FALSE(MakeAddressDriver("bridge"));
}

}  // namespace
}  // namespace howdah::network
