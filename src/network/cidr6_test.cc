// IPv6 blocks are kept in one form, however they were written, and nonsense is no block.
#include "network/cidr6.h"

#include <gtest/gtest.h>

namespace howdah::network {
namespace {

TEST(Cidr6, IsCanonical) {
  EXPECT_EQ(Cidr6::Parse("::/0")->ToString(), "::/0");
  EXPECT_EQ(Cidr6::Parse("0:0:0:0:0:0:0:0/0")->ToString(), "::/0");
  EXPECT_EQ(Cidr6::Parse("2001:DB8:0:1::99/64")->ToString(), "2001:db8:0:1::/64");
  EXPECT_EQ(Cidr6::Parse("2001:db8::1/128")->ToString(), "2001:db8::1/128");
  EXPECT_EQ(Cidr6::Parse("fe80::/10").value(), Cidr6::Parse("febf:ffff::1/10").value());
}

TEST(Cidr6, RefusesBadText) {
  for (const char* bad : {"", "::", "::/", "::/129", "::/-1", "::/00", "::/0 ", "1.2.3.4/8",
                          ":::/0", "2001:db8::g/32", "1:2:3:4:5:6:7:8:9/0"})
    EXPECT_FALSE(Cidr6::Parse(bad)) << bad;
}

}  // namespace
}  // namespace howdah::network
