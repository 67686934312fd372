// The decision, pure: what was seen goes in, the changed record and what is to be done come out.
//
// Order is everything. The caller first commits the changed record (compare-and-swap); only when
// that has succeeded does it carry out the actions. What a node must do is derived from the record
// alone (`Wanted`), so a crash between the two loses nothing: the next pass derives it again.
#pragma once

#include <optional>
#include <string>

#include "base/time.h"
#include "ha/record.h"

namespace howdah::ha {

// How long acknowledged work may wait for a silent standby before the primary goes on alone (H5).
inline constexpr Duration kDegradeBudget = 2s;

// What the host agents report of one instance, gathered into one look.
struct Sight {
  MonotonicTime now;
  // The primary's server answers and is not in recovery.
  bool primary_up = false;
  // The token that the primary's checkpointer and backends wait for ("" : they wait for nobody).
  std::string effective_token;
  // The standby's copy exists and its server is up.
  bool standby_seeded = false;
  bool standby_up = false;
  // The primary sees a WAL receiver of this name, streaming ("" : none).
  std::string streaming_token;
  // A probe commit made after `effective_token` was in force has been confirmed by that standby,
  // and its flush position has passed the primary's position at that time (H6, H7).
  bool probe_confirmed = false;
  // Since when the standby has not been streaming; unset while it is.
  std::optional<MonotonicTime> silent_since;
  // A fresh random part for a token, drawn by the caller: the decision itself draws nothing.
  std::string fresh_nonce;
};

// What the record says the nodes should be doing. Derived, never stored.
struct Wanted {
  std::string primary_waits_for;  // synchronous_standby_names names exactly this ("" : nobody)
  std::string standby_token;      // the identity with which the standby connects
  bool standby_exists = false;
};
Wanted WantedOf(const Record& record);

// The next record; equal to the given one when there is nothing to decide.
Record Step(const Record& record, const Sight& sight);

// What a person asked for: a standby from now on, or none. The standby's node is named by the
// caller.
Record AddStandby(const Record& record, const NodeId& standby, const std::string& nonce);
// First half of removing the standby: nobody may be promoted any more. The node may be deleted only
// when the primary waits for nobody.
Record RemoveStandby(const Record& record);

}  // namespace howdah::ha
