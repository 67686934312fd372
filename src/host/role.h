// The decision what a node's agent does next, pure: what the control plane wants and plain facts of
// disk, processes and server in, one act out. The keeper carries an act out, looks again and asks
// again; so the acts below are also what a crash at any moment goes on from. A simulation runs this
// same function over a model of PostgreSQL.
//
// The rules that keep it right: nothing is done for a document older than the promise, and nothing
// under a newer one before that promise is on disk (I6); a directory is started as a primary only
// if it was one, and leaves recovery only by promotion (I17); nothing is put in the place of data
// that was there (H16); a half-made directory is never started (I18); and a primary whose commits
// waited for a standby is not brought back by its agent alone (H4).
#pragma once

#include <cstdint>
#include <string_view>

#include "nodes/node.h"

namespace howdah::host {

// What the node's data directory is.
enum class Directory {
  kNone,
  kPrimary,    // no standby.signal, and its last server was not in recovery
  kStandby,    // standby.signal is there, or its last server had not left recovery
  kRestoring,  // a backup is being put there, or its server has not ended the recovery from it yet
  kRejoining,  // a rejoin changes it or was cut while it did: it holds no consistent data
};

// What its server does.
enum class Server {
  kNone,
  kStarting,   // a postmaster lives but does not answer (yet)
  kRecovery,   // it answers, and is in recovery
  kReadWrite,  // it answers, and is a primary
};

struct Facts {
  std::int64_t promised = 0;  // the epoch in the promise file; 0: none yet
  Directory directory = Directory::kNone;
  bool had_data = false;  // this node has been seeded once, whatever the directory is now
  Server server = Server::kNone;
  bool processes = false;  // anything of the node runs: a postmaster, or what one left behind
  bool ended = false;      // a server that this keeper watched ended, and not by the keeper's hand
  std::int64_t restarts = 0;  // obeyed
  std::int64_t revived = 0;   // obeyed
  // Of a standby:
  bool has_source = false;    // its configuration names a primary
  bool receives = false;      // it has a WAL receiver
  bool replayed_all = false;  // nothing that it received waits to be replayed
  bool promoting = false;     // this keeper has asked its server to promote
};

enum class Act {
  kDisobey,      // the document is older than what was promised
  kPromise,      // make the promise durable
  kRemove,       // the node leaves this machine
  kKill,         // end every process of it at once
  kStayFenced,   // nothing of it runs, as told
  kStop,         // end the server cleanly
  kStayStopped,  // nothing of it runs, as told
  kCreate,       // initdb
  kRestore,      // put a backup there, and start the recovery from it
  kAwaitRestore,
  kEndRestore,   // the recovery has ended: make what was restored this instance's own
  kCopy,         // copy the primary into the empty place
  kRejoin,       // bring what was a primary's directory to the new primary's history
  kStart,        // start the server as what its directory is; a standby follows its primary
  kStartAlone,   // start it as a standby that follows nobody
  kRestart,      // stop it cleanly, to be started again
  kAwait,        // look again soon
  kStayDown,     // report that it ended, and leave it so
  kLeave,        // take its source away: no WAL receiver starts any more
  kAwaitReplay,  // its WAL receiver is gone, and it replays what it has
  kStayRecruited,
  kPromote,  // ask it to end its recovery
  kServe,    // keep a running primary
  kFollow,   // keep a running standby
  kRefuse,   // what is wanted cannot be done without risk to data: a person has to look
};

Act NextAct(const nodes::Desired& want, const Facts& facts);

std::string_view ActName(Act act);

}  // namespace howdah::host
