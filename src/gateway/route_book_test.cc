// An epoch only goes up, and one that was open has one primary for ever.
#include "gateway/route_book.h"

#include <gtest/gtest.h>

namespace howdah::gateway {
namespace {

Route MakeRoute(std::uint64_t epoch, RouteState state = RouteState::kOpen,
                std::string dir = "/run/a") {
  Route route;
  route.instance = InstanceId("db-1");
  route.listen_address = network::Ipv4(0x7f000104);
  route.backend_socket_dir = std::move(dir);
  route.epoch = epoch;
  route.state = state;
  return route;
}

class RouteBookTest : public testing::Test {
 protected:
  std::size_t Apply(std::vector<Route> routes) {
    return book_.Apply({{1, std::move(routes)}, {}}).size();
  }
  const Route& Now() { return book_.routes().at(InstanceId("db-1")); }
  RouteBook book_;
};

TEST_F(RouteBookTest, TheSameTableAgainIsFine) {
  EXPECT_EQ(Apply({MakeRoute(1)}), 0U);
  EXPECT_EQ(Apply({MakeRoute(1)}), 0U);
}

TEST_F(RouteBookTest, AnOlderEpochIsRefusedAndTheRouteStays) {
  Apply({MakeRoute(2)});
  EXPECT_EQ(Apply({MakeRoute(1)}), 1U);
  EXPECT_EQ(Now().epoch, 2U);
}

TEST_F(RouteBookTest, AnOlderEpochIsRefusedEvenAfterTheRouteWasGone) {
  Apply({MakeRoute(2)});
  Apply({});
  EXPECT_TRUE(book_.routes().empty());
  EXPECT_EQ(Apply({MakeRoute(1)}), 1U);
  EXPECT_TRUE(book_.routes().empty());
}

TEST_F(RouteBookTest, AnOpenEpochKeepsItsPrimary) {
  Apply({MakeRoute(1)});
  EXPECT_EQ(Apply({MakeRoute(1, RouteState::kOpen, "/run/b")}), 1U);
  EXPECT_EQ(Now().backend_socket_dir, "/run/a");
  Apply({MakeRoute(1, RouteState::kHeld)});
  EXPECT_EQ(Apply({MakeRoute(1, RouteState::kOpen, "/run/b")}), 1U);
  EXPECT_EQ(Apply({MakeRoute(2, RouteState::kOpen, "/run/b")}), 0U);
}

TEST_F(RouteBookTest, HandoverComesAndGoesWithinAnEpochButLeadsToOneServer) {
  Route route = MakeRoute(1);
  EXPECT_EQ(Apply({route}), 0U);
  route.handover_socket = "/run/ah/.s.PGSQL.5432";
  EXPECT_EQ(Apply({route}), 0U);
  EXPECT_EQ(Apply({MakeRoute(1)}), 0U);
  route.handover_socket = "/run/bh/.s.PGSQL.5432";
  EXPECT_EQ(Apply({route}), 1U);
}

TEST_F(RouteBookTest, AnEpochThatWasNeverOpenMayStillChooseItsPrimary) {
  Apply({MakeRoute(1, RouteState::kHeld)});
  EXPECT_EQ(Apply({MakeRoute(1, RouteState::kOpen, "/run/b")}), 0U);
}

TEST_F(RouteBookTest, ARouteThatCouldNotBeReadStays) {
  Apply({MakeRoute(1)});
  EXPECT_EQ(book_.Apply({{2, {}}, {{InstanceId("db-1"), "'port' is wrong"}}}).size(), 1U);
  EXPECT_EQ(Now().epoch, 1U);
}

TEST_F(RouteBookTest, TheNextGatewayKnowsWhatWasOpen) {
  Route route = MakeRoute(2);
  route.handover_socket = "/run/ah/.s.PGSQL.5432";
  Apply({route});
  book_ = RouteBook::Parse(ParseJsonObject(json::serialize(book_.Format())).value()).value();
  EXPECT_TRUE(book_.routes().empty());
  EXPECT_EQ(Apply({MakeRoute(1)}), 1U);
  EXPECT_EQ(Apply({MakeRoute(2, RouteState::kOpen, "/run/b")}), 1U);
  route.handover_socket = "/run/bh/.s.PGSQL.5432";
  EXPECT_EQ(Apply({route}), 1U);
  EXPECT_EQ(Apply({MakeRoute(2)}), 0U);
}

TEST_F(RouteBookTest, DamagedEpochsAreAnError) {
  for (const char* text : {"{}", R"({"epochs":{}})", R"({"epochs":[1]})", R"({"epochs":[{}]})",
                           R"({"epochs":[{"instance":"db-1","epoch":-1}]})",
                           R"({"epochs":[{"instance":"","epoch":1}]})"})
    EXPECT_FALSE(RouteBook::Parse(ParseJsonObject(text).value())) << text;
}

TEST_F(RouteBookTest, OfInstancesThatWentTheLastTenThousandAreKnown) {
  std::vector<Route> routes;
  for (unsigned i = 0; i < 10'001; ++i) {
    routes.push_back(MakeRoute(1));
    routes.back().instance = InstanceId("db-" + std::to_string(i));
    routes.back().listen_address = network::Ipv4(0x7f000000 + i);
  }
  Apply({routes.front()});
  routes.erase(routes.begin());
  Apply(routes);
  Apply({});
  EXPECT_EQ(book_.Format().at("epochs").as_array().size(), 10'000U);
  EXPECT_EQ(book_.Format().at("epochs").as_array().front().at("instance"), "db-1");
}

TEST_F(RouteBookTest, OneAddressOneInstance) {
  Route other = MakeRoute(1);
  other.instance = InstanceId("db-2");
  EXPECT_EQ(Apply({MakeRoute(1), other}), 1U);
  EXPECT_EQ(Apply({MakeRoute(1), MakeRoute(1)}), 1U);
}

}  // namespace
}  // namespace howdah::gateway
