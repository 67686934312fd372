// One node: a data directory and the server that runs on it. Every operation looks first and may be
// repeated at any moment, also by a new process after a crash: what is true is read from the disk,
// from /proc and from the server, and kept nowhere else. Blocking; one caller at a time per node;
// any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/log.h"
#include "postgres/catalogue.h"
#include "postgres/config.h"
#include "postgres/connection.h"
#include "postgres/control_file.h"
#include "postgres/observe.h"
#include "system/clock.h"
#include "system/disk.h"
#include "system/processes.h"

namespace howdah::postgres {

// All names of a node's files.
struct NodePaths {
  std::string root;              // absolute, without symbolic links
  std::string socket_dir;        // short: the path of a Unix socket has at most 107 bytes
  std::string handover_library;  // preloaded into the server (handover.h); empty: none

  std::string Data() const { return root + "/data"; }
  std::string NewData() const { return root + "/data.new"; }
  std::string Config() const {
    return root + "/conf";
  }  // outside Data(): no backup carries it along
  std::string ConfigFile() const { return Config() + "/postgresql.conf"; }
  std::string HbaFile() const { return Config() + "/pg_hba.conf"; }
  std::string IdentFile() const { return Config() + "/pg_ident.conf"; }
  std::string SyncFile() const { return Config() + "/sync.conf"; }
  std::string StandbyFile() const { return Config() + "/standby.conf"; }
  std::string PassFile() const { return Config() + "/replication.pass"; }
  std::string LogDir() const { return root + "/log"; }
  std::string ServerOutput() const { return LogDir() + "/server.out"; }  // before the log collector
  std::string RecoverySignal() const { return Data() + "/recovery.signal"; }
  std::string StandbySignal() const { return Data() + "/standby.signal"; }
  std::string ControlFile() const { return Data() + "/global/pg_control"; }
  std::string PidFile() const { return Data() + "/postmaster.pid"; }
  std::string Wal() const { return Data() + "/pg_wal"; }
  // While it is there, the data directory is half of one history and half of another (I18).
  std::string RejoinMarker() const { return root + "/rejoin.inprogress"; }
  std::string Socket() const { return socket_dir + "/.s.PGSQL.5432"; }
  // A second listening place, whose connections carry a client's own socket.
  std::string HandoverDir() const { return socket_dir + "/h"; }
  std::string HandoverSocket() const { return HandoverDir() + "/.s.PGSQL.5432"; }
};

// Where a standby streams from.
struct StandbySource {
  std::string socket_dir;        // the primary's
  std::string application_name;  // hd_<epoch>_<nonce>: what the primary waits for (H8)
  std::string slot_name;         // empty: none
  std::string password;          // of rdsrepladmin; goes to a file 0600, never to the configuration
  bool operator==(const StandbySource&) const = default;
};

enum class StopMode { kFast, kImmediate };

// What runs of a node.
struct Life {
  std::optional<system::ProcessIdentity> postmaster;
  bool anything = false;  // the postmaster, or what one left behind
};

enum class Readiness {
  kDown,      // no postmaster
  kStarting,  // it runs but does not take connections yet
  kReady,
};

class Node {
 public:
  struct Needs {
    system::Disk& disk;
    system::Processes& processes;
    const system::Clock& clock;
    const Log& log;
    int interrupt = -1;  // for connections (ConnectOptions::interrupt)
  };
  Node(NodePaths paths, Engine engine, std::string admin_password, Needs needs);

  const NodePaths& paths() const { return paths_; }
  const Engine& engine() const { return engine_; }

  // --- on disk ---
  // A finished data directory is there, and no rejoin is half way through it.
  Result<bool> IsInitialized();
  Result<bool> IsRejoining();
  // initdb with checksums, UTF8 and SCRAM, as rdsadmin. Never over a data directory (H16): one that
  // is there already is success.
  Result<> Initialize(Duration limit);
  // True if a file changed. Takes effect at start or Reload().
  Result<bool> WriteConfiguration(std::string_view config, std::string_view hba);
  // Makes the data directory a standby's: files first, standby.signal last. True if anything
  // changed.
  Result<bool> ConfigureStandby(const StandbySource& source);
  // A standby that follows nobody: its password goes first, so that no WAL receiver that starts
  // from then on can log in anywhere, then the source; standby.signal stays, or comes back. True if
  // anything changed.
  Result<bool> ConfigureAlone();
  // A directory that holds a backup: how its recovery ends, and that it is one. Not while it runs.
  Result<> ConfigureRecovery(const RecoveryGoal& goal);
  Result<bool> HasSource();  // the standby's configuration names a primary
  // Removes standby.signal and the source. Only for a node that the record names as primary and
  // that is shut down.
  Result<bool> ConfigurePrimary();
  Result<ControlData> ReadControl();
  // Where the WAL ends after a clean stop as a primary; none where the last stop was another.
  Result<Lsn> ReadShutdownEnd();
  // Removes the whole node from the disk; refuses while a server runs.
  Result<> Remove();

  // --- processes ---
  // The running postmaster: postmaster.pid, /proc and the process's directory must agree.
  Result<std::optional<system::ProcessIdentity>> FindPostmaster();
  Result<Life> Look();
  // Clears orphans, then starts the server in a session of its own and returns without waiting for
  // readiness. A running one is returned as it is. Primary or standby is decided by what Configure…
  // left.
  Result<system::ProcessIdentity> Start();
  // Waits until the server takes connections; kFailedState with the last lines of its log if it
  // died.
  Result<> AwaitReady(Duration limit);
  // What the postmaster itself says in postmaster.pid (line 8, since PostgreSQL 10): looked at
  // before connecting, so that a server that recovers is not asked in vain, with a line in its log
  // each time.
  Result<bool> SaysReady();
  Result<Readiness> CheckReadiness(Duration limit);  // one attempt at a new connection
  // Past the limit every process of the node is killed.
  Result<> Stop(StopMode mode, Duration limit);
  // Kills every process of this data directory, postmaster included, and waits until none is left:
  // the fence (H11, H13).
  Result<> Fence(Duration limit);
  // Waits until nobody is in the middle of a login, or the limit is over: a stop would end it with
  // an error, and its client cannot begin again unnoticed. Lets nobody new in by itself.
  void AwaitLogins(Duration limit);
  // Kills what a dead postmaster left behind (H12, H13). kFailedState while the postmaster lives.
  // Returns how many.
  Result<int> ClearOrphans(Duration limit);
  Result<> Reload();
  // The last lines that the server said, for a person.
  std::string LastWords();

  // --- the running server ---
  ConnectOptions AdminOptions(std::string database = std::string(kAdminDatabase)) const;
  // As rdsadmin to the database rdsadmin; before EnsureAdminDatabase made it, to postgres.
  Result<Connection> Connect(Duration limit) const;
  // Writes sync.conf, reloads, and waits until a new session sees it. An empty name: none. Not yet
  // proof that commits wait: see ProbeCommit and H6.
  Result<> SetSynchronousStandby(std::string_view application_name, Duration limit);
  Result<ProbeOutcome> Probe(Duration limit) const;
  // pg_promote without waiting; not an error on a primary.
  Result<> Promote(Duration limit);

 private:
  Result<> RunInitdb(std::string_view locale, Duration limit);
  Result<> PrepareStart();
  Result<> RemoveStalePidFile();
  system::SpawnSpec ServerSpec() const;
  std::string SyncConfig(std::string_view application_name) const;
  Result<bool> WriteIfChanged(const std::string& path, std::string_view contents, unsigned mode);
  std::vector<system::ProcessInfo> OwnProcesses();
  Result<int> KillOwnProcesses(Duration limit);

  NodePaths paths_;
  Engine engine_;
  std::string admin_password_;
  Needs needs_;
  std::optional<system::ProcessIdentity> spawned_;  // the last postmaster that this object started
};

}  // namespace howdah::postgres
