// A primary and a standby that it waits for, on real servers.
#pragma once

#include <functional>

#include "postgres/server_test.h"

namespace howdah::postgres {

class ServerPairTest : public ServerTest {
 protected:
  static constexpr const char* kToken = "hd_1_nonce";
  static constexpr const char* kSlot = "hd_n_standby";

  void StartPair(const Engine& engine) {
    const std::string suffix = std::to_string(++pairs_);
    primary_.emplace(MakeNode(engine, "p" + suffix));
    StartPrimary(*primary_);
    if (HasFatalFailure()) return;
    standby_.emplace(MakeNode(engine, "s" + suffix));
    ASSERT_OK(TakeBaseBackup(standby_->paths(), BackupFrom(*primary_, kSlot), disk_, clock_));
    Configure(*standby_);
    StartStandby(*standby_, *primary_, kToken, kSlot);
    if (HasFatalFailure()) return;
    ASSERT_OK(primary_->SetSynchronousStandby(kToken, 5s));
    const auto probe = primary_->Probe(20s);
    ASSERT_OK(probe);
    ASSERT_TRUE(probe->acknowledged);
  }

  void StopPair() {
    for (Node* node : {&*primary_, &*standby_}) {
      ASSERT_OK(node->Fence(10s));
      ASSERT_OK(node->Remove());
    }
  }

  static BaseBackupOptions BackupFrom(const Node& primary, const std::string& slot) {
    return {.socket_dir = primary.paths().socket_dir,
            .password = kTestPassword,
            .slot_name = slot,
            .on_progress = nullptr};
  }

  void StartStandby(Node& standby, const Node& primary, const std::string& token,
                    const std::string& slot) {
    ASSERT_OK(standby.ConfigureStandby({.socket_dir = primary.paths().socket_dir,
                                        .application_name = token,
                                        .slot_name = slot,
                                        .password = kTestPassword}));
    ASSERT_OK(standby.Start());
    ASSERT_OK(standby.AwaitReady(30s));
  }

  std::optional<Node> primary_;
  std::optional<Node> standby_;
  int pairs_ = 0;
};

}  // namespace howdah::postgres
