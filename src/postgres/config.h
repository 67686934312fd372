// The configuration files of one node, as text. Pure. What a user's parameters say comes first;
// what Howdah's durability and isolation rest on is laid over it and always wins.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "postgres/lsn.h"
#include "postgres/parameters.h"

namespace howdah::postgres {

// A certificate with which PostgreSQL answers clients itself; the key 0600.
struct ServerTls {
  std::string certificate_file;
  std::string key_file;
};

// "1" among the user's settings: sessions may commit without the synchronous standby. For
// PostgreSQL it is a word without meaning, which can be shown.
inline constexpr std::string_view kAllowAsyncCommit = "rds.allow_async_commit";

struct ForcedInput {
  int major = 0;
  std::string socket_dir;          // where the node listens
  std::string handover_dir;        // where it takes over clients' sockets; empty: nowhere
  std::optional<ServerTls> tls;    // for clients that were handed over; none: TLS is the gateway's
  std::string log_dir;             // log files go to LOG_DIR/error/postgresql.log.YYYY-MM-DD-HH
  std::string cluster_name;        // shown in process titles; the node's id
  std::uint64_t storage_gib = 20;  // bounds the WAL that a lost standby's slot may hold back
  bool has_pg_stat_statements = false;
  std::string commit_guard;  // the library (commit_guard.h); empty: the server runs without it
  // Sessions cannot commit without the synchronous standby, whatever they set.
  bool enforce_synchronous_commit = false;
  bool read_only = false;  // the storage is full: transactions write only who asks for it
};

Settings ForcedSettings(const ForcedInput& input);
// How much WAL slots hold back at most (max_slot_wal_keep_size).
std::uint64_t SlotKeepMib(std::uint64_t storage_gib);
// `user` under `forced`.
Settings Overlay(Settings user, const Settings& forced);
// Parameters that only take effect at a server start are found by PostgreSQL itself
// (Observation::pending_restart); nothing is guessed here.

// postgresql.conf, sorted, every value quoted, ending with the includes of sync.conf and
// standby.conf. kInvalid where a name is no parameter name or a value has a line break or NUL.
Result<std::string> RenderConfig(const Settings& settings);
// Whom PostgreSQL lets in over TCP. Nothing listens there: these are clients whose socket the
// gateway has admitted and handed over.
enum class TcpClients { kNone, kAny, kOnlyTls };

// pg_hba.conf: SCRAM for everybody, replication for rdsrepladmin alone, the database rdsadmin for
// rdsadmin alone, Howdah's own roles on local sockets only, anything else refused.
std::string RenderHba(TcpClients tcp);

// pg_hba.conf while a backup is being recovered from: rdsadmin alone, on the private socket,
// without the password, which is that of the instance that was backed up.
std::string RenderRecoveryHba();

// Where the recovery from a backup ends: with the WAL that restore_command has, or earlier. It ends
// in a promotion to a timeline of its own. Nothing says "as soon as the data are consistent":
// PostgreSQL looks for that end before the next record only, so that a backup of an idle server,
// after which nothing was written, would never get there.
struct RecoveryGoal {
  std::string restore_command;
  std::optional<WallTime> before;  // before the first commit that is later than that
  Timeline timeline{};             // the one to follow; 0: the backup's own
};
// standby.conf of a node that recovers from a backup. kInvalid for a command that is no line.
Result<std::string> RenderRecovery(const RecoveryGoal& goal);

// 'it''s' as postgresql.conf wants it.
std::string QuoteConfigValue(std::string_view value);

// The value of synchronous_standby_names for one named standby, or "" for none.
std::string SynchronousStandbyNames(std::string_view application_name);

}  // namespace howdah::postgres
