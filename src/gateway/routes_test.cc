// Routes survive the wire unchanged, and a route that is not exactly right is an error of its own.
#include "gateway/routes.h"

#include <gtest/gtest.h>

namespace howdah::gateway {
namespace {

network::Ipv4 Address(std::string_view text) {
  return network::Ipv4::Parse(text).value();
}

Route MakeRoute() {
  Route route;
  route.instance = InstanceId("db-1");
  route.name = "prod";
  route.listen_address = Address("127.0.1.4");
  route.port = 5433;
  route.backend_socket_dir = "/run/n1";
  route.handover_socket = "/run/n1h/.s.PGSQL.5432";
  route.server_tls = true;
  route.epoch = 3;
  route.state = RouteState::kHeld;
  route.tls = TlsFiles{"/c", "/k"};
  route.force_tls = true;
  route.max_connections = 7;
  route.allow = {{network::Cidr::Parse("10.0.0.0/16").value(), 0, 65535},
                 {network::GroupId{"sg-1"}, 5432, 5433}};
  route.interfaces = {{"eni-1", Address("127.0.1.9"), Address("10.0.1.9"), 1001, {"sg-1", "sg-2"}}};
  return route;
}

json::object Message() {
  return ParseJsonObject(json::serialize(FormatRouteTable({7, {MakeRoute()}}))).value();
}
// The message with one member of its route replaced (or removed, by null).
json::object With(std::string_view name, const json::value& value) {
  json::object message = Message();
  json::object& route = message["routes"].as_array()[0].as_object();
  route[name] = value;
  if (value.is_null()) route.erase(name);
  return message;
}

TEST(Routes, SurviveTheWire) {
  const auto parsed = ParseRouteTable(Message()).value();
  EXPECT_TRUE(parsed.errors.empty());
  EXPECT_EQ(parsed.table.version, 7);
  ASSERT_EQ(parsed.table.routes.size(), 1U);
  EXPECT_EQ(parsed.table.routes[0], MakeRoute());
  EXPECT_EQ(MakeRoute().BackendPath(), "/run/n1/.s.PGSQL.5432");
}

TEST(Routes, WhatMayBeLeftOutHasDefaults) {
  for (const char* name : {"name", "backend_port", "handover_socket", "server_tls", "tls",
                           "force_tls", "proof", "max_connections"}) {
    const auto parsed = ParseRouteTable(With(name, nullptr)).value();
    EXPECT_TRUE(parsed.errors.empty()) << name;
  }
  EXPECT_EQ(ParseRouteTable(With("proof", nullptr))->table.routes[0].proof,
            network::Proof::kAddressAndOwner);
}

TEST(Routes, WhatIsMissingOrWrongIsAnErrorOfThatRoute) {
  struct Wrong {
    const char* name;
    json::value value;
  };
  const std::vector<Wrong> wrong{
      {"listen_address", nullptr},
      {"listen_address", "0.0.0.0"},
      {"listen_address", "localhost"},
      {"port", nullptr},
      {"port", 0},
      {"port", 70000},
      {"port", "5432"},
      {"backend_socket_dir", nullptr},
      {"backend_socket_dir", json::string(200, 'x')},
      {"handover_socket", 1},
      {"handover_socket", json::string(200, 'x')},
      {"server_tls", "yes"},
      {"epoch", nullptr},
      {"epoch", -1},
      {"state", nullptr},
      {"state", "ajar"},
      {"tls", "yes"},
      {"tls", json::object{{"key_file", "/k"}}},
      {"force_tls", "true"},
      {"proof", "none"},
      {"max_connections", 0},
      {"allow", nullptr},
      {"allow", json::array{json::object{{"from_port", 1}, {"to_port", 2}}}},
      {"allow", json::array{json::object{{"cidr", "all"}, {"from_port", 1}, {"to_port", 2}}}},
      {"allow", json::array{json::object{{"cidr", "0.0.0.0/0"}, {"from_port", 1}}}},
      {"allow", json::array{json::object{{"cidr", "0.0.0.0/0"}, {"from_port", 2}, {"to_port", 1}}}},
      {"interfaces", nullptr},
      {"interfaces", json::array{json::object{{"id", "eni-1"}}}},
  };
  for (const auto& [name, value] : wrong) {
    const auto parsed = ParseRouteTable(With(name, value)).value();
    EXPECT_TRUE(parsed.table.routes.empty()) << name << json::serialize(value);
    ASSERT_EQ(parsed.errors.size(), 1U) << name;
    EXPECT_EQ(parsed.errors[0].instance, InstanceId("db-1"));
  }
}

TEST(Routes, TlsIsLeftToPostgresOnlyWithAHandover) {
  Route route = MakeRoute();
  EXPECT_TRUE(route.TlsInServer());
  route.handover_socket.clear();
  EXPECT_FALSE(route.TlsInServer());
}

TEST(Routes, ATableWithoutNamesOrRoutesIsNone) {
  EXPECT_FALSE(ParseRouteTable(With("instance", nullptr)));
  EXPECT_FALSE(ParseRouteTable(json::object{{"version", 1}}));
  EXPECT_FALSE(ParseRouteTable(json::object{{"routes", json::array{}}}));
  EXPECT_TRUE(ParseRouteTable(json::object{{"version", 1}, {"routes", json::array{}}}));
}

TEST(Answers, SurviveTheWire) {
  const auto answer = ParseAnswer(FormatAnswer({9, {{InstanceId("db-1"), "in use"}}})).value();
  EXPECT_EQ(answer.applied, 9);
  EXPECT_EQ(answer.errors, (std::vector<RouteError>{{InstanceId("db-1"), "in use"}}));
  EXPECT_FALSE(ParseAnswer(json::object{{"error", "no"}}));
}

TEST(StatisticsCodec, SurvivesTheWire) {
  const Statistics statistics{{InstanceId("db-1"), {1, 2, 3, 4, 5}}};
  EXPECT_EQ(ParseStatistics(FormatStatistics(statistics)).value(), statistics);
}

}  // namespace
}  // namespace howdah::gateway
