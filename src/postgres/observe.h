// What a running server says about itself, asked over an admin connection.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "postgres/connection.h"
#include "postgres/lsn.h"

namespace howdah::postgres {

// A row of pg_stat_replication.
struct ReplicationPeer {
  std::string application_name;
  std::string state;       // startup, catchup, streaming, backup, stopping
  std::string sync_state;  // async, potential, sync, quorum
  Lsn sent, write, flush, replay;
  std::optional<Duration> reply_age;  // since its last message
};

struct WalReceiver {
  std::string status;  // streaming, waiting, …
  std::string slot_name;
  Lsn flushed;
  std::optional<Duration> message_age;
};

struct Observation {
  std::string server_version;  // "14.17", maybe with the packager's words after it
  bool in_recovery = false;
  Lsn lsn;       // primary: flushed; standby: received, else replayed
  Lsn replayed;  // standby only
  Timeline timeline{};
  std::int64_t client_sessions = 0;  // of users, not of Howdah's own roles
  std::string synchronous_standby_names;
  std::vector<ReplicationPeer> peers;
  std::optional<WalReceiver> receiver;
  std::vector<std::string> pending_restart;  // settings that wait for a restart
};

Result<Observation> Observe(Connection& admin, Duration limit);

// A column `timeline` of a query: on a primary the one it writes, on a standby the newest it knows.
extern const std::string_view kTimelineColumn;
Timeline ParseTimeline(std::string_view text);  // 0 where it is no number

// The primary's flushed position: the LSN of H6.
Result<Lsn> CurrentFlushLsn(Connection& admin, Duration limit);

struct ProbeOutcome {
  bool acknowledged = false;  // false: no answer within the limit; the connection is gone then
  Lsn lsn;                    // when acknowledged: flushed position after the probe's commit
};
// Commits a small transaction that writes WAL, over a connection of its own, and so waits for the
// synchronous standby if there is one. On timeout the connection is closed, never cancelled. It
// proves the sync path only together with the standby's flush position ≥ `lsn`.
Result<ProbeOutcome> ProbeCommit(const ConnectOptions& options, const system::Clock& clock,
                                 Duration limit);

// Physical slots: creation reserves WAL at once. Both look first.
Result<> EnsureSlot(Connection& admin, std::string_view slot, Duration limit);
Result<> DropSlot(Connection& admin, std::string_view slot, Duration limit);  // absent: no error
Result<std::vector<std::string>> ListSlots(Connection& admin, Duration limit);

}  // namespace howdah::postgres
