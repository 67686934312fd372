// Archives the WAL of one primary, for one instance and epoch: streams it as it is written and puts
// it into the repository within a fraction of a second. It finds by itself where the archive stands
// and goes on from there: after a restart of any part, after a failover (the former primary's
// timeline up to the fork, then the new one), after a repository that was full, slow or gone. It
// keeps nothing on disk; ending it at any moment loses nothing, because the server is told only of
// what the repository holds. What it cannot get any more is a gap, which is said and stays visible.
//
// Two threads of its own: one streams, one writes. Read() and Stop() from any thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "archive/queue.h"
#include "archive/writer.h"
#include "system/real/interrupt.h"

namespace howdah::archive {

struct ArchiverOptions {
  InstanceId instance;
  std::int64_t epoch = 0;
  std::string socket_dir;
  std::string password;        // of rdsadmin and of rdsrepladmin
  Duration group_age = 200ms;  // how long WAL waits for more
  Duration mark_interval = Writer::kMarkInterval;
};

struct ArchiveGap {
  postgres::Lsn start, end;  // what lies between is lost to the archive
  WallTime since{};          // every commit that was acknowledged up to then is before it
  bool operator==(const ArchiveGap&) const = default;
};

struct ArchiveStatus {
  postgres::Timeline timeline{};
  postgres::Lsn lsn;              // all before it is durable in the repository; 0: not known yet
  std::optional<WallTime> until;  // every commit that was acknowledged up to then is before `lsn`
  std::uint64_t lag_bytes = 0;    // flushed by the server and not durable in the repository
  std::string problem;            // why it does not get on; empty: it does
  std::optional<ArchiveGap> gap;  // the newest: only a backup made after it is restored beyond it
};

class Archiver {
 public:
  // What `needs` refers to outlives it.
  Archiver(ArchiverOptions options, WriterNeeds needs);
  ~Archiver();  // as Stop()
  Archiver(const Archiver&) = delete;
  Archiver& operator=(const Archiver&) = delete;

  void Start();
  // Returns within the time that the repository takes for one call, and at most a few seconds for a
  // server that does not answer. Not needed before a planned stop of the server: a stop waits only
  // until what the server has written is in the repository, and not when that takes long.
  void Stop();
  ArchiveStatus Read();

 private:
  struct Beginning {
    Path path;              // the server's
    postgres::Lsn early;    // a segment's start: from here on WAL is looked at
    postgres::Lsn from;     // and from here on it is wanted
    postgres::Lsn durable;  // and in the repository up to here, if by a former epoch
  };

  void Run(std::stop_token stop);
  Result<> RunSession(std::stop_token stop);
  Result<postgres::PrimaryHistory> Prepare();
  Result<> DropForeign(const postgres::PrimaryHistory& server, Listing& listing);
  Result<Beginning> FindBeginning(const postgres::PrimaryHistory& server);
  Result<> Stream(const postgres::PrimaryHistory& server, const Beginning& beginning);
  Result<> SkipGap(std::stop_token stop, const postgres::PrimaryHistory& server);
  Result<postgres::Connection> Connect(bool replication);
  void NoteGap(const ArchiveGap& gap);
  void SetProblem(const std::string& problem);

  const ArchiverOptions options_;
  WriterNeeds needs_;
  system::Interrupt interrupt_;
  WalQueue queue_;
  Writer writer_;
  Reader reader_;

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::string problem_;
  std::optional<ArchiveGap> gap_;

  std::jthread writing_;
  std::jthread streaming_;
};

}  // namespace howdah::archive
