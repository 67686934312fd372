// See server_test.h.
#include <grp.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>

#include "postgres/server_test.h"

namespace howdah::postgres {
namespace {

constexpr uid_t kNobody = 65534;

void BecomeOrdinaryUser() {
  if (::geteuid() != 0) return;
  ASSERT_EQ(::setgroups(0, nullptr), 0);
  ASSERT_EQ(::setgid(kNobody), 0);
  ASSERT_EQ(::setuid(kNobody), 0);
}

}  // namespace

void ServerTest::SetUp() {
  BecomeOrdinaryUser();
  std::string pattern = "/tmp/hd-pg-XXXXXX";
  ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
  root_ = pattern;
}

void ServerTest::TearDown() {
  for (const auto& node : to_stop_) (void)node->Fence(10s);
  std::filesystem::remove_all(root_);
}

std::vector<Engine> ServerTest::Engines() {
  const char* named = std::getenv("HOWDAH_TEST_ENGINES");
  std::filesystem::path home = named == nullptr ? "/nonexistent" : named;
  if (home.filename() == "engines") home = home.parent_path();
  auto engines = FindEngines(disk_, processes_, home.string());
  EXPECT_TRUE(engines);
  EXPECT_FALSE(engines->empty()) << "no PostgreSQL here: install Debian's package postgresql";
  return engines.value_or(std::vector<Engine>());
}

Node ServerTest::MakeNode(const Engine& engine, const std::string& name) {
  const auto library = InstallHandoverLibrary(disk_, root_);
  EXPECT_TRUE(library);
  const NodePaths paths{.root = root_ + "/" + name,
                        .socket_dir = root_ + "/s" + name,
                        .handover_library = library.value_or("")};
  const Node::Needs needs{.disk = disk_, .processes = processes_, .clock = clock_, .log = log_};
  to_stop_.push_back(std::make_unique<Node>(paths, engine, kTestPassword, needs));
  return {paths, engine, kTestPassword, needs};
}

void ServerTest::Configure(Node& node) {
  const auto micro = FindInstanceClass("db.t3.micro");
  const int major = node.engine().version.major;
  auto user = EvaluateParameters(DefaultParameters(major), VariablesOf(*micro, 20, 5432));
  ASSERT_OK(user);
  (*user)["shared_buffers"] = "2048";  // tests run beside each other
  (*user)["max_prepared_transactions"] = "5";
  const auto library = HasLibrary(disk_, node.engine(), "pg_stat_statements");
  ASSERT_OK(library);
  const auto guard = InstallCommitGuard(disk_, root_);
  ASSERT_OK(guard);
  const auto text =
      RenderConfig(Overlay(*user, ForcedSettings({.major = major,
                                                  .socket_dir = node.paths().socket_dir,
                                                  .handover_dir = node.paths().HandoverDir(),
                                                  .log_dir = node.paths().LogDir(),
                                                  .cluster_name = "n-1",
                                                  .storage_gib = 20,
                                                  .has_pg_stat_statements = *library,
                                                  .commit_guard = *guard,
                                                  .enforce_synchronous_commit = true})));
  ASSERT_OK(text);
  ASSERT_OK(node.WriteConfiguration(*text, RenderHba(TcpClients::kAny)));
}

void ServerTest::StartPrimary(Node& node) {
  ASSERT_OK(node.Initialize(60s));
  Configure(node);
  ASSERT_OK(node.ConfigurePrimary());
  ASSERT_OK(node.Start());
  ASSERT_OK(node.AwaitReady(30s));
  auto admin = node.Connect(5s);
  ASSERT_OK(admin);
  ASSERT_OK(EnsureAdminDatabase(*admin, 30s));
  const RoleSpec spec{.master_user = "app",
                      .master_verifier = *MakeScramVerifier(kMasterPassword, entropy_),
                      .replication_verifier = *MakeScramVerifier(kTestPassword, entropy_),
                      .database = "appdb"};
  ASSERT_OK(EnsureRoles(*admin, spec, 30s));
  ASSERT_OK(EnsureRoles(*admin, spec, 30s));  // once more changes nothing
}

Result<Connection> ServerTest::AsMaster(const Node& node, const std::string& database) {
  return Connection::Open({.socket_dir = node.paths().socket_dir,
                           .user = "app",
                           .database = database,
                           .password = kMasterPassword},
                          clock_, 5s);
}

}  // namespace howdah::postgres
