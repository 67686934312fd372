// The operator's service: what the command line needs beyond AWS's API. JSON 1.1, signed like all
// others with the root key.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "aws/service.h"
#include "fleet/context.h"
#include "fleet/records.h"
#include "system/processes.h"

namespace howdah::services {

struct ConnectionCounts {
  std::int64_t open = 0;
  std::int64_t refused = 0;
};

// What this process knows of the host beyond the store. Everything outlives the service.
struct OperatorHost {
  std::string version;
  std::string home;
  std::int64_t pid = 0;
  std::function<std::int64_t()> gateway_pid;  // 0: none runs
  std::function<std::map<InstanceId, ConnectionCounts>()> connections;
  std::function<std::string(const NodeId&)> socket_directory;
  // Whether the volumes of two zones are on one file system.
  std::function<bool(const std::string& zone, const std::string& other)> share_a_disk;
  // The ARN of the secret that holds the master password; empty: none is known to.
  std::function<std::string(const fleet::Instance&)> secret_of;
  std::function<void()> shut_down;  // asks for it and returns
  system::Processes& processes;
};

void RegisterOperator(aws::Service& service, const fleet::Context& context,
                      const OperatorHost& host);

// failover.cc: role changes asked for, and told of.
void RegisterFailover(aws::Service& service, const fleet::Context& context,
                      const OperatorHost& host);

// restore.cc: what a restore would do, and taking up the backups that a repository holds.
void RegisterRestore(aws::Service& service, const fleet::Context& context);

// Releases the interfaces of tasks whose process is gone: a killed `howdah run` leaves nothing.
Result<> ReapTasks(const fleet::Context& context, system::Processes& processes);

}  // namespace howdah::services
