// The host agent: makes this host's nodes and routes what the store says they should be, and
// reports what they are. It can end at any moment; servers and gateway live on and are adopted
// again.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>

#include "host/backup_duty.h"
#include "host/gateway_keeper.h"
#include "host/needs.h"
#include "host/node_keeper.h"

namespace howdah::host {

class Agent {
 public:
  Agent(GatewayKeeper::Options gateway, const Needs& needs);
  ~Agent();  // stops keeping; stops no server

  void Start();
  GatewayKeeper& gateway() { return gateway_; }
  // Sessions of users on the primaries of this host, as seen last (at most seconds ago).
  std::map<InstanceId, std::int64_t> CountSessions();

  // For `shutdown`: stops every server on this host cleanly (primaries first, so that standbys hold
  // everything) and the gateway. Nothing is started again by this agent.
  Result<> StopEverything();

 private:
  void Run(std::stop_token stop);
  Result<> Follow(std::stop_token stop);
  Result<store::Revision> KeepAll();

  const Needs& needs_;
  GatewayKeeper gateway_;
  BackupDuty backups_;
  std::mutex mutex_;
  std::map<NodeId, std::unique_ptr<NodeKeeper>> keepers_;
  std::jthread thread_;
};

}  // namespace howdah::host
