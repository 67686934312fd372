// What the fleet works with. Built once by bin/; everything it refers to outlives it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "fleet/backup_shelf.h"
#include "ha/step.h"
#include "postgres/catalogue.h"
#include "store/store.h"
#include "system/clock.h"
#include "system/entropy.h"
#include "vpc/context.h"

namespace howdah::fleet {

// How much of everything an account may have: RDS's defaults.
struct Quotas {
  std::int64_t instances = 40;
  std::int64_t storage_gib = 100'000;
  std::int64_t subnet_groups = 50;
  std::int64_t subnets_per_group = 20;
  std::int64_t manual_snapshots = 100;
};

struct Context {
  store::Store& store;
  const system::Clock& clock;
  system::Entropy& entropy;
  vpc::Context vpc;
  std::string account;
  std::string region;
  uid_t daemon_uid = 0;  // the user whose sockets speak for the interfaces of nodes
  // Seals a text so that only this installation can open it (the vault).
  std::function<Result<std::string>(std::string_view plain, std::string_view about)> seal;
  // The engines that can run here, now.
  std::function<Result<std::vector<postgres::Engine>>()> engines;
  // Whether an address of this host can be listened on, for the gateway.
  std::function<bool(network::Ipv4 host_address, std::int64_t port)> can_listen;
  const Log& log;
  Quotas quotas = {};
  ha::Policy ha = {};
  // The repository of backups; none: no backups are promised.
  BackupShelf* shelf = nullptr;
  // How often the newest backup of each instance is restored for a test; 0: never by itself.
  std::chrono::days restore_tests{7};
  // What is free where a zone keeps its volumes; none: not known, and never short.
  std::function<std::optional<std::uint64_t>(const std::string& zone)> free_bytes = {};

  std::string InstanceArn(std::string_view identifier) const;
  std::string SubnetGroupArn(std::string_view name) const;
  std::string SnapshotArn(std::string_view identifier) const;
};

}  // namespace howdah::fleet
