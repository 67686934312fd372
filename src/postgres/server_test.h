// Real servers for tests: an ordinary user (PostgreSQL refuses root), a directory of its own, the
// engines of this machine. HOWDAH_TEST_ENGINES may name a Howdah home (or its engines/) with more
// engines.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "postgres/base_backup.h"
#include "postgres/commit_guard.h"
#include "postgres/config.h"
#include "postgres/extensions.h"
#include "postgres/handover.h"
#include "postgres/node.h"
#include "postgres/roles.h"
#include "postgres/scram.h"
#include "system/real/os_entropy.h"
#include "system/real/posix_disk.h"
#include "system/real/posix_processes.h"
#include "system/real/real_clock.h"

namespace howdah::postgres {

constexpr const char* kTestPassword = "admin-pass:word\\1";
constexpr const char* kMasterPassword = "master-password";

class ServerTest : public testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  std::vector<Engine> Engines();
  Node MakeNode(const Engine& engine, const std::string& name);
  // Configured, started, with roles; the application's database is "appdb", its master "app".
  void StartPrimary(Node& node);
  void Configure(Node& node);
  Result<Connection> AsMaster(const Node& node, const std::string& database = "appdb");

  system::PosixDisk disk_;
  system::PosixProcesses processes_;
  system::RealClock clock_;
  system::OsEntropy entropy_;
  Log log_;
  std::string root_;
  std::vector<std::unique_ptr<Node>> to_stop_;
};

}  // namespace howdah::postgres

// For Result<T>: fails the test with the error's text.
#define ASSERT_OK(expression)                                   \
  do {                                                          \
    const auto& assert_result = (expression);                   \
    ASSERT_TRUE(assert_result) << assert_result.error().what(); \
  } while (false)
