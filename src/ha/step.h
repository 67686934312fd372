// The decision, pure: what was seen goes in, the changed record and the reason come out.
//
// Order is everything. The caller first commits the changed record (compare-and-swap); only when
// that has succeeded does anybody act. What a node must do is derived from the record alone
// (`WantedOf`), so a crash between the two loses nothing: the next pass derives it again.
#pragma once

#include <optional>
#include <string>

#include "base/time.h"
#include "ha/record.h"

namespace howdah::ha {

struct Policy {
  // How long acknowledged work may wait for a silent standby before the primary goes on alone (H5).
  Duration degrade_budget = 2s;
  // How long a primary may fail to answer before its standby takes over (H12).
  Duration detect = 3s;
  // How long a server may take to come up before it is as good as one that does not answer.
  Duration start_limit = 60s;
  // How long a standby may take to be recruited before the former primary gets its role back.
  Duration recruit_limit = 10s;
  // H30: after a failover, one that does not answer is not failed over from for so long; and after
  // so many failovers within the window, one whose server ends is started again where it is.
  Duration hold_down = 60s;
  std::size_t failovers_in_window = 3;
  Duration window = 10min;
};

// What one agent reports of its node.
struct NodeSight {
  Epoch epoch = 0;      // that it has promised: it obeys nothing older
  bool seeded = false;  // its data directory is whole
  bool up = false;      // its server answers
  bool in_recovery = false;
  bool down = false;       // its server ended by itself, and its agent waits for a decision
  bool failed = false;     // it cannot be made what it should be
  bool stopped = false;    // as told
  bool fenced = false;     // as told: nothing of it runs
  bool recruited = false;  // as told: it follows nobody
  std::int64_t received_lsn = 0;
  std::int64_t shutdown_lsn = 0;  // 0: not stopped, or not cleanly
  std::int64_t revive = 0;        // the numbers that it has obeyed
  std::int64_t checkpoint = 0;
  // The identity that its commits wait for ("" : nobody), the one that streams from it, and the one
  // for which a probe commit, made after the first was in force, was confirmed (H6, H7).
  std::string effective_token;
  std::string streaming_token;
  std::string proven_token;
  // Since when it does not answer for a reason of its own; unset while it does.
  std::optional<MonotonicTime> unresponsive_since;
  // Since when its server is coming up; unset when it is not.
  std::optional<MonotonicTime> starting_since;
  std::string evidence;  // the agent's words for what is wrong
};

// What is reported of one instance, gathered into one look.
struct Sight {
  MonotonicTime now;
  NodeSight primary;  // as the record names them
  NodeSight standby;
  // Since when the primary has had no stream of the recorded standby; unset while it has.
  std::optional<MonotonicTime> silent_since;
  // Since when the record has been in kFailover, as far as the onlooker knows.
  std::optional<MonotonicTime> phase_since;
  // The epoch that the gateway lets clients in under or holds them for; unset: it has no route.
  std::optional<Epoch> route_epoch;
  // A fresh random part for a token, drawn by the caller: the decision itself draws nothing.
  std::string fresh_nonce;
};

// What the record says a node should be doing. Derived, never stored.
enum class Task {
  kServe,    // be the primary; promoted, if it is in recovery
  kFollow,   // be a standby of the primary
  kRecruit,  // follow nobody any more, replay everything, stay in recovery
  kStop,     // stop cleanly
  kFence,    // be down for certain
};
struct Wanted {
  Task primary = Task::kServe;
  Task standby = Task::kFollow;
  std::string primary_waits_for;  // synchronous_standby_names names exactly this ("" : nobody)
  std::string standby_token;      // the identity with which the standby connects
  bool standby_exists = false;
};
Wanted WantedOf(const Record& record);

// The next record, equal to the given one when there is nothing to decide, and why, for people.
struct Decision {
  Record record;
  std::string reason;
};
Decision Step(const Policy& policy, const Record& record, const Sight& sight);

// What a person asked for: a standby from now on, or none. The standby's node is named by the
// caller.
Record AddStandby(const Record& record, const NodeId& standby, const std::string& nonce);
// First half of removing the standby: nobody may be promoted any more. The node may be deleted only
// when the primary waits for nobody. kFailedState while roles change.
Result<Record> RemoveStandby(const Record& record);

// Planned: the standby becomes primary. kFailedState unless it may be promoted.
Result<Record> Switchover(const Record& record);
// A person's call, never made here: the standby is promoted although it lacks what was acknowledged
// without it. kFailedState where there is none, or where roles change already.
Result<Record> AcceptDataLoss(const Record& record, const std::string& nonce);

}  // namespace howdah::ha
