// Keeps the gateway process alive and its routes what the control plane derived, narrowed by what
// this host knows: a primary that is not fit to answer has its connections held.
//
// The gateway is not our child's hostage: it is started in its own session, found again after a
// restart by its control socket, and goes on with the last table while we are away.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>

#include "gateway/route_client.h"
#include "host/data_path.h"
#include "host/needs.h"
#include "nodes/route.h"

namespace howdah::host {

class GatewayKeeper {
 public:
  struct Options {
    std::string program;  // the path of this program: `PROGRAM gateway --control SOCKET`
    network::Proof proof = network::Proof::kAddressAndOwner;
  };
  GatewayKeeper(Options options, const Needs& needs);
  ~GatewayKeeper();  // stops the thread, not the gateway

  void Start();
  void Wake();  // routes have changed
  // May connections to this primary be let in? With false it returns once the gateway has taken it
  // over (or is not there to let anybody in).
  void SetFit(const NodeId& primary, const Fitness& fitness);
  gateway::Statistics ReadStatistics();
  std::int64_t Pid();
  // Ends the gateway for good, cutting every connection: only for `shutdown`.
  void StopGateway();

 private:
  void Run(std::stop_token stop);
  Result<> PassOnce();
  Result<> EnsureConnected();
  Result<> SpawnGateway();
  Result<gateway::RouteTable> BuildTable();
  Result<gateway::Route> ToGatewayRoute(const nodes::Route& route);
  Result<> RemoveStaleCertificates(const gateway::RouteTable& table);
  Result<> Report(const gateway::RouteTable& table, const gateway::ApplyAnswer& answer,
                  const std::map<InstanceId, std::string>& broken);
  Fitness FitnessOf(const NodeId& primary);

  const Options options_;
  const Needs& needs_;

  // Only on the keeper's thread.
  std::optional<gateway::RouteClient> client_;
  std::map<InstanceId, std::string> broken_;  // routes that could not be made, and why

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::map<NodeId, Fitness> fit_;
  std::int64_t wanted_ = 1;   // counts changes
  std::int64_t applied_ = 0;  // the change that the gateway has taken over
  bool reachable_ = false;
  bool statistics_wanted_ = false;
  std::int64_t pid_ = 0;
  gateway::Statistics statistics_;
  std::int64_t statistics_count_ = 0;
  std::jthread thread_;  // last: stops first
};

}  // namespace howdah::host
