// A store in a temporary file and a context over it: what every test of this room begins with.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>

#include "network/loopback.h"
#include "store/sqlite/sqlite_store.h"
#include "system/fake/fake_clock.h"
#include "system/fake/seeded_entropy.h"
#include "vpc/context.h"
#include "vpc/vpcs.h"

namespace howdah::vpc {

class NetworkTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "/vpc-XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
    auto opened = store::OpenSqlite(directory_ + "/store", clock_, entropy_, {.durable = false});
    ASSERT_TRUE(opened) << opened.error().what();
    store_ = std::move(*opened);
    context_ = std::make_unique<Context>(Context{*store_, entropy_, region_, driver_});
  }
  void TearDown() override {
    context_.reset();
    store_.reset();
    std::filesystem::remove_all(directory_);
  }

  // Runs one function of the room and commits what it added.
  template <typename F>
  auto Do(F function) -> decltype(function(std::declval<store::Transaction&>())) {
    store::Transaction transaction;
    auto outcome = function(transaction);
    if (!outcome) return outcome;
    const auto committed = store_->Commit(transaction);
    if (!committed) return Fail(committed.error());
    return outcome;
  }

  static network::Cidr Range(std::string_view text) { return network::Cidr::Parse(text).value(); }
  Result<Vpc> MakeVpc(std::string_view cidr) {
    return Do([&](store::Transaction& t) {
      return CreateVpc(*context_, t, {.cidr = Range(cidr), .tags = {}});
    });
  }
  Result<Subnet> MakeSubnet(const VpcId& vpc, std::string_view cidr, std::string zone = "") {
    return Do([&](store::Transaction& t) {
      return CreateSubnet(*context_, t,
                          {.vpc = vpc, .cidr = Range(cidr), .zone = std::move(zone), .tags = {}});
    });
  }

  std::string directory_;
  system::FakeClock clock_;
  system::SeededEntropy entropy_;
  std::unique_ptr<store::Store> store_;
  Region region_ = MakeRegion("us-west-2");
  network::LoopbackDriver driver_;
  std::unique_ptr<Context> context_;
};

}  // namespace howdah::vpc
