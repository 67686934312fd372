// The SQL side of taking a base backup: start, stop, and what the server says of itself. The
// session stays open from start to stop; when it ends early, the server forgets the backup and the
// slot that keeps its WAL.
#pragma once

#include <string>

#include "base/time.h"
#include "postgres/connection.h"
#include "postgres/lsn.h"

namespace howdah::backup {

struct ServerFacts {
  std::string data_directory;
  std::string version;  // "14.17"
  std::string system_identifier;
  bool in_recovery = false;
  bool checksums = false;
};

struct StartedBackup {
  postgres::Lsn start;
  WallTime time{};  // of the server's clock
};

struct StoppedBackup {
  postgres::Lsn stop;
  std::string label;
  postgres::Timeline timeline{};
  WallTime time{};  // of the server's clock, after the stop
};

class BackupSession {
 public:
  // kUnsupported: tablespaces, or pages or WAL segments of another size.
  static Result<BackupSession> Open(const postgres::ConnectOptions& options,
                                    const system::Clock& clock);

  const ServerFacts& facts() const { return facts_; }
  // Makes the slot and waits for a checkpoint, which may take minutes.
  Result<StartedBackup> Start(const std::string& label);
  // kConflict: the server has changed its timeline in between; take the backup again.
  Result<StoppedBackup> Stop();

 private:
  explicit BackupSession(postgres::Connection connection) : connection_(std::move(connection)) {}
  Result<postgres::Rows> Execute(const std::string& sql, Duration limit);
  Result<> ReadFacts();
  Result<WallTime> ServerTime();
  Result<> CheckTimeline(const StoppedBackup& stopped);

  postgres::Connection connection_;
  ServerFacts facts_;
};

// "START TIMELINE: 3" of a backup label.
Result<postgres::Timeline> TimelineOfLabel(std::string_view label);

}  // namespace howdah::backup
