// Copies a running primary into a new data directory over the replication protocol, WAL included,
// without pg_basebackup. The copy grows in data.new, gets standby.signal before it is renamed to
// data, and so can never start as a primary by mistake. A copy that was interrupted is thrown away
// and begun anew.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "postgres/node.h"
#include "postgres/timeline.h"

namespace howdah::postgres {

struct BaseBackupOptions {
  std::string socket_dir;  // of the server to copy
  std::string password;    // of rdsrepladmin
  std::string slot_name;   // created (with WAL reserved) if absent; empty: none
  Duration stall_limit = std::chrono::seconds(60);  // longest silence of the server
  // (done, expected); expected 0: not known. False stops the copy with kUnavailable.
  std::function<bool(std::uint64_t, std::uint64_t)> on_progress;
};

struct BaseBackupOutcome {
  Lsn start, end;
  Timeline timeline{};
  std::uint64_t bytes = 0;    // received
  std::uint64_t written = 0;  // a delta copy: how much of it differed
};

// Into target.Data(); kAlreadyExists if there is a data directory. kUnsupported for tablespaces.
Result<BaseBackupOutcome> TakeBaseBackup(const NodePaths& target, const BaseBackupOptions& options,
                                         system::Disk& disk, const system::Clock& clock);

// The same over a data directory that is there and of the same system: only what differs is
// written, and what the primary does not have is removed. The caller has made the rejoin marker
// (NodePaths::RejoinMarker) durable before and removes it after; nothing of the node runs. Ends
// with standby.signal in place and everything synced. May be begun again after a failure.
Result<BaseBackupOutcome> TakeDeltaCopy(const NodePaths& target, const BaseBackupOptions& options,
                                        system::Disk& disk, const system::Clock& clock);

// Which system and timeline the server is on, and how it came there; also makes the slot, so that
// the WAL which is needed from then on stays. `slot_name` may be empty.
Result<PrimaryHistory> ReadPrimaryHistory(const BaseBackupOptions& options,
                                          const system::Clock& clock);
// The same over a replication connection that is open.
Result<PrimaryHistory> ReadHistory(Connection& replication, Duration limit);

}  // namespace howdah::postgres
