// One PostgreSQL node as the control plane wants it and as its host's agent sees it. The control
// plane writes only `desired`, the agent only `observed`; each waits for the other by watching.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/json.h"
#include "base/result.h"
#include "base/time.h"
#include "nodes/storage.h"

namespace howdah::nodes {

enum class Role {
  kPrimary,
  kStandby,
  // About to be promoted: follows nobody any more, replays all that it received, stays in recovery.
  kRecruit,
  // A former primary: every process of it is killed, and nothing of it runs.
  kFenced,
};
enum class Power { kRunning, kStopped, kAbsent };

// What has to exist inside the server beyond initdb. Applied whenever `stamp` differs from the one
// observed, so a changed password is a new stamp.
struct Bootstrap {
  std::int64_t stamp = 0;
  std::string master_user;
  std::string master_verifier;  // SCRAM verifier; the password itself is stored nowhere
  std::string database;         // empty: none beyond `postgres`
};

// How clients' connections travel; automatic: by what engine and host can do.
enum class DataPath { kAuto, kRelay };
// Where TLS with clients ends; automatic: in PostgreSQL, unless its TLS library is past its end of
// life.
enum class TlsPlace { kAuto, kServer, kGateway };

// Where clients find the instance to which a node belongs.
struct Endpoint {
  std::string host_address;  // empty: none yet
  std::string private_address;
  bool force_tls = false;
  DataPath data_path = DataPath::kAuto;
  TlsPlace tls = TlsPlace::kAuto;
};

// Where the data of a first node come from when they are not fresh.
struct Restore {
  enum class Target {
    kBackup,  // as of the backup's end
    kTime,    // all that was committed up to `time`
    kLatest,  // all that the archive has
  };
  InstanceId source;   // whose backups; empty: no restore
  std::string backup;  // its id; empty: the one that serves the target best
  Target target = Target::kBackup;
  WallTime time{};
  // What the source's archiver had last reported when this was asked for; see Archived.
  std::int64_t archived_lsn = 0;
  WallTime archived_until{};
  bool operator==(const Restore&) const = default;
};

struct Desired {
  NodeId id;
  InstanceId instance;
  std::string zone;     // "us-west-2a"
  std::string version;  // exact: "14.17"
  Role role = Role::kPrimary;
  Power power = Power::kRunning;
  // The fencing token: an agent that has promised one obeys no document with an older one.
  std::int64_t epoch = 1;
  NodeId primary;         // for a standby: whom it follows
  std::string token;      // the standby's identity: it connects so, its primary looks out for it
  std::string waits_for;  // for a primary: the identity that commits wait for; empty: nobody
  std::int64_t storage_gib = 20;                // what the instance was given; bounds data and WAL
  bool read_only = false;                       // for a primary: its standby has no room for more
  std::map<std::string, std::string> settings;  // postgresql.conf, beyond what the host forces
  std::int64_t restarts = 0;                    // a higher number asks for one restart
  // A primary whose server ended while commits waited for a standby starts again only when this
  // is higher than what it has obeyed: whether it or its standby goes on is not its agent's to say.
  std::int64_t revive = 0;
  std::int64_t checkpoint = 0;  // a higher number asks for one CHECKPOINT, before a planned stop
  bool archive = false;         // for a primary: its WAL goes to the repository
  Restore restore;              // for a primary that has no data directory yet
  // A throw-away copy: once restored it is checked, reported on, and never anybody's.
  bool proof = false;
  Bootstrap bootstrap;  // for a primary
  Endpoint endpoint;
  std::string sealed_password;  // of rdsadmin and of replication, sealed in the vault
};

enum class State {
  kUnknown,
  kAbsent,
  kPreparing,
  kStarting,
  kRunning,
  kStopped,
  kFailed,
  kDown,    // a primary's server ended by itself while commits waited for a standby
  kFenced,  // as told: nothing of it runs
};

// How far the repository has the WAL.
struct Archived {
  std::int64_t lsn = 0;  // all before it is durable there
  WallTime until{};      // what was committed up to then is in it, by the server's clock
  std::int64_t lag_bytes = 0;
  std::string problem;  // why it does not get on; empty: it does
  // The newest stretch that the server gave up before the repository had it: where it ends (0:
  // there is none), and up to when everything that was committed is before it.
  std::int64_t gap_end = 0;
  WallTime gap_since{};
  bool operator==(const Archived&) const = default;
};

// How far a restore is.
struct Restored {
  bool done = false;
  std::string stage;  // "files", "replay", …
  std::uint64_t done_bytes = 0, total_bytes = 0;
  bool operator==(const Restored&) const = default;
};

// What became of the checks of a throw-away copy.
struct Proven {
  bool done = false;
  std::string failure;  // what is wrong with the copy; empty: nothing
  std::int64_t databases = 0, tables = 0, indexes = 0, pages = 0;  // how many were looked at
  bool operator==(const Proven&) const = default;
};

struct Observed {
  State state = State::kUnknown;
  std::string detail;  // what it is doing, or why it failed; for people
  std::int64_t pid = 0;
  bool seeded = false;          // the data directory is whole
  bool in_recovery = false;     // true on a standby
  std::string effective_token;  // primary: synchronous_standby_names in force
  std::string connects_as;      // standby: identity in force
  std::string streaming_token;  // primary: who streams from it now; empty: nobody
  std::int64_t silent_ms = 0;   // primary: how long nobody had streamed when this was written
  std::string proven_token;     // primary: identity for which a probe commit was confirmed
  std::int64_t restarts = 0;    // the number that the last start obeyed
  std::int64_t bootstrap_stamp = 0;
  std::string settings_hash;    // of the settings with which the server runs
  std::int64_t starts = 0;      // how often the agent has started this server
  std::int64_t epoch = 0;       // promised: on disk before it is reported here
  std::int64_t revive = 0;      // the number that was obeyed
  std::int64_t checkpoint = 0;  // the number that was obeyed
  // Primary: why probes fail ("" : they do not), and for how long they had when this was written.
  std::string unresponsive;
  std::int64_t unresponsive_ms = 0;
  bool recruited = false;         // its WAL receiver is gone and nothing starts it again
  std::int64_t received_lsn = 0;  // standby, recruit: what is flushed to its disk
  std::int64_t replayed_lsn = 0;
  std::int64_t shutdown_lsn = 0;  // not running: where its WAL ends after a clean stop; 0: unclean
  std::int64_t timeline = 0;
  // How it came back as a standby last ("", "as it was", "pg_rewind", "delta copy", "copy"), and
  // how much WAL beyond the new primary's fork was set aside then.
  std::string rejoined;
  std::int64_t set_aside_bytes = 0;
  Archived archived;  // primary with an archive
  Restored restored;
  Proven proven;             // of a throw-away copy
  std::string data_path;     // "handover", or "relay" and why; for people
  std::string tls;           // "server", or "gateway" and why; for people
  std::string commit_guard;  // "on", or "off" and why; for people
  Storage storage;
  bool operator==(const Observed&) const = default;
};

// For documents that hold one.
json::object ToJson(const Restore& restore);
Result<Restore> RestoreFromJson(const json::value& value);

std::string_view RoleName(Role role);
std::string_view StateName(State state);
std::string_view PowerName(Power power);
Result<DataPath> ParseDataPath(std::string_view name);  // auto, relay
Result<TlsPlace> ParseTlsPlace(std::string_view name);  // auto, server, gateway
Result<Power> ParsePower(std::string_view name);

std::string Format(const Desired& desired);
Result<Desired> ParseDesired(std::string_view text);
std::string Format(const Observed& observed);
Result<Observed> ParseObserved(std::string_view text);

// A short digest of settings, to compare what should be with what is.
std::string HashOf(const std::map<std::string, std::string>& settings);

// Keys.
inline constexpr std::string_view kNodesPrefix = "/nodes/";
std::string DesiredKey(const NodeId& node);
std::string ObservedKey(const NodeId& node);

}  // namespace howdah::nodes
