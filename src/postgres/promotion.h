// What a standby does on its way to being the primary: it follows nobody any more, replays what it
// has received, and ends its recovery.
#pragma once

#include "postgres/connection.h"
#include "postgres/lsn.h"

namespace howdah::postgres {

// Where a server stands in its recovery, in one question.
struct Recovery {
  bool in_recovery = false;
  // A WAL receiver process is there, be it still connecting. Once the standby's password is gone
  // (Node::ConfigureAlone) and none is seen, none can ever receive again.
  bool receives = false;
  bool waits_for_wal = false;  // all WAL that it has is replayed, and it looks for more in vain
  Lsn received;                // flushed to its disk, as far as it knows; on a primary: flushed
  Lsn replayed;
  Timeline timeline{};
};

Result<Recovery> ReadRecovery(Connection& admin, Duration limit);

// Asks for the end of recovery and does not wait for it; nothing on a primary.
Result<> AskToPromote(Connection& admin, Duration limit);

// Returns when it is done, which may take long.
Result<> RunCheckpoint(Connection& admin, Duration limit);

}  // namespace howdah::postgres
