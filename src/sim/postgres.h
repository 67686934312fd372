// A model of PostgreSQL's servers as far as failover rests on them: WAL with positions and
// timelines, the wait for a named standby with its holes, streams with delay and loss, crash
// recovery, promotion, rewind. What the holes are is measured on the real thing:
//   L4  a wait that is cancelled answers success, and the row is there for everybody;
//   L5  statement_timeout ends no wait of a plain commit, but that of a COMMIT inside a procedure;
//       a session that has set synchronous_commit to local does not wait at all;
//   L6  a session that ends in its wait leaves a row that everybody reads;
//   L7  after a restart everything in the WAL is there, waited for or not;
//   L8  when synchronous_standby_names is emptied, whoever waits is let go, and acknowledged;
//   L9  a frozen primary that wakes still believes that it is one, and waits for its name;
//   L10 any stream of that name counts, whoever it is;
//   L11 a frozen postmaster takes no connection and no signal, while its sessions go on;
//   L12 what a killed postmaster leaves behind runs on, and no server starts beside it;
//   L13 a promotion replays first what was received.
// Holes 4 to 6 are open as far as `guard` says. It keeps no promise of Howdah's: it does what it is
// told.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "sim/random.h"

namespace howdah::sim {

enum class Proc { kNone, kStarting, kRecovery, kReadWrite };

// A position in the WAL is how many entries lie before it; an entry is a number given once.
using Position = std::size_t;
using EntryId = std::uint32_t;

inline constexpr int kProbe = -1;   // the agent's own commit
inline constexpr int kNobody = -2;  // whose client is gone

struct Waiter {
  Position end = 0;
  EntryId entry = 0;
  int client = kProbe;
  std::optional<MonotonicTime> times_out;
  bool cut = false;  // its wait was cut short
};

// How a session commits.
enum class CommitBy {
  kStatement,
  kProcedure,  // a COMMIT within one, under a statement_timeout
  kLocal,      // with synchronous_commit = local
};

// What of the commit guard is there.
struct Guard {
  bool ends_the_session = true;  // whose wait is cut short, without an answer
  bool waits_on = true;          // and nobody sees the row before the standby has it
  bool raises = true;            // synchronous_commit, to `on`
};

struct Machine {
  // Its disk.
  bool initialized = false;
  bool rejoining = false;  // the marker of a rejoin is there
  bool torn = false;       // half one history, half another
  bool standby_signal = false;
  bool was_in_recovery = false;  // by its control file
  bool has_source = false;
  NodeId source;
  std::string source_name;  // application_name
  std::string sync_name;    // synchronous_standby_names as written down
  std::vector<EntryId> wal;
  Position shutdown_end = 0;  // after a clean stop; 0: none
  int timeline = 1;
  std::int64_t promised = 0;  // the agent's promise file
  std::int64_t told = 0;      // the highest promise that was ever reported
  bool disk_full = false;
  bool broken = false;  // it cannot be started
  // Its server.
  Proc proc = Proc::kNone;
  bool frozen = false;
  bool deaf = false;     // only its postmaster is frozen (L11)
  bool orphans = false;  // what a dead postmaster has left behind (L12)
  MonotonicTime ready_at{};
  std::optional<MonotonicTime> promoted_at;
  std::string sync_in_force;
  Position visible = 0;  // what anybody can read; on a standby: what is replayed
  Position checked = 0;  // told of already
  std::vector<Waiter> waiters;
  std::int64_t incarnation = 0;  // of the server
  std::int64_t epoch_of_reign = 0;
  // Its WAL receiver, when it runs; the primary's view of it with the stream.
  struct Stream {
    NodeId primary;
    std::string name;
    std::int64_t incarnation = 0;  // of the primary's server
    MonotonicTime next{};          // when the next bytes arrive
    MonotonicTime last_reply{};
    Position confirmed = 0;
    std::deque<std::pair<MonotonicTime, Position>> replies;  // under way
  };
  std::optional<Stream> stream;
  MonotonicTime connect_at{};
};

struct Pace {
  Duration start_low = 20ms, start_high = 200ms;
  Duration promote_low = 20ms, promote_high = 200ms;
  Duration wal_low = 1ms, wal_high = 8ms;
  Duration reply_low = 1ms, reply_high = 8ms;
  Duration rewind_low = 100ms, rewind_high = 1500ms;
  bool replays_late = false;
};

class Postgres {
 public:
  explicit Postgres(Random& random) : random_(random) {}

  std::map<NodeId, Machine> machines;
  bool partitioned = false;
  Guard guard;
  Pace pace;
  // A commit was answered with success. `confirmed_by`: whose flush it was; empty: nobody's.
  std::function<void(const NodeId& node, const Waiter& waiter, const NodeId& confirmed_by)> on_ack;
  std::function<void(const NodeId& node, const Waiter& waiter)> on_lost;  // nobody ever answers
  std::function<void(const NodeId& node)> on_promoted;
  std::function<void(const NodeId& node)> on_primary_up;
  std::function<void(const NodeId& node)> on_start;
  std::function<void(const NodeId& node)> on_let_go;  // it waits for nobody from now on

  // Time has come to `now`.
  void Advance(MonotonicTime now);

  void Start(const NodeId& node, MonotonicTime now);
  void End(const NodeId& node);  // kill -9 of everything
  void EndPostmaster(const NodeId& node);
  void StopFast(const NodeId& node);
  void AskToPromote(const NodeId& node, MonotonicTime now);
  bool SetSync(const NodeId& node, const std::string& name);  // whether it is in force
  // Writes one entry and waits as the server is told to; 0: it takes none.
  EntryId Commit(const NodeId& node, int client, CommitBy by = CommitBy::kStatement);
  EntryId NextEntry() const { return next_entry_; }
  void Cancel(const NodeId& node, int client);
  void Terminate(const NodeId& node, int client);
  // As pg_rewind and base backup leave it.
  bool Rewind(const NodeId& node, const NodeId& primary);
  bool Copy(const NodeId& node, const NodeId& primary);

  bool IsPrimary(const NodeId& node) const;   // runs, and is not in recovery
  static bool Runs(const Machine& machine) {  // anything of it
    return machine.proc != Proc::kNone || machine.orphans;
  }
  bool Answers(const Machine& machine) const {
    return !machine.frozen && (machine.proc == Proc::kRecovery || machine.proc == Proc::kReadWrite);
  }
  // The name under which somebody streams from here, the one in `preferred` before others.
  std::string StreamingFrom(const NodeId& node, const std::string& preferred,
                            MonotonicTime now) const;
  Position ConfirmedUnder(const NodeId& node, const std::string& name) const;
  bool Holds(const NodeId& node, EntryId entry) const;

  std::set<EntryId> leaked;  // rows that are readable though the standby lacks them (L4 to L6)

 private:
  void Up(const NodeId& node, Machine& machine);
  void Promoted(const NodeId& node, Machine& machine);
  void Replay(Machine& machine);
  void TimeOut(const NodeId& node, Machine& machine);
  void Cut(const NodeId& node, Waiter& waiter, bool terminated);
  void Connect(const NodeId& node, Machine& machine, MonotonicTime now);
  void Receive(const NodeId& node, Machine& machine, MonotonicTime now);
  void Release(const NodeId& node, Machine& machine, Position end, const NodeId& by);
  EntryId Append(Machine& machine);

  Random& random_;
  EntryId next_entry_ = 1;
  MonotonicTime now_{};
};

// Whether all of `prefix` is how `whole` begins.
bool IsPrefix(const std::vector<EntryId>& prefix, const std::vector<EntryId>& whole);

}  // namespace howdah::sim
