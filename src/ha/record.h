// The high-availability record of one instance. It says which node is primary, which is standby,
// and whether the standby may ever be promoted. It is changed only by compare-and-swap, so two
// control planes can never both be right.
//
// The rule that keeps it right (H5): the record forbids promotion *before* the primary stops
// waiting for the standby, and allows it only *after* the standby holds all that was acknowledged
// without it (H6). `protected_` is that permission.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"

namespace howdah::ha {

// The fencing token: set only by compare-and-swap, only by one more.
using Epoch = std::int64_t;

enum class Phase {
  kSingle,     // one node; there is no standby to speak of
  kSeeding,    // the standby is being copied from the primary
  kCatchup,    // the standby attaches; then the primary waits for it, and that is being proved
  kProtected,  // every acknowledged commit is on the standby: it may be promoted
  kDegraded,   // the standby is lost; the primary goes on alone and nobody may be promoted
  kPrepare,    // as protected; the primary makes a checkpoint, so that it will stop quickly
  kSwitch,     // as protected; new connections are held and the primary stops cleanly
  kFailover,   // a new epoch: `primary` is recruited, the former primary (`standby`) is fenced
  kPromoting,  // the former primary is down for certain: `primary` is promoted
  kRejoin,     // the new primary serves alone; the former one comes back as its standby
  kHalted,  // the primary cannot come back by itself, the standby lacks commits: a person decides
};

// Why roles changed last.
enum class Cause {
  kNone,
  kPrimaryDown,          // its server ended
  kPrimaryUnresponsive,  // it runs and does not answer
  kPrimaryFailed,        // it cannot be started
  kSwitchover,           // somebody asked for it
  kTurnedBack,           // the recruit could not take over; nothing was promoted
  kDataLossAccepted,     // a person promoted a standby that lacks commits
};

struct Record {
  Phase phase = Phase::kSingle;
  Epoch epoch = 1;
  NodeId primary;
  NodeId standby;  // empty in kSingle
  // The standby's identity of this attach: "hd_<epoch>_<nonce>", never reused (H8).
  std::string token;
  // The standby streams under its token, so the primary may be told to wait for it without a pause.
  bool armed = false;
  bool protected_ = false;
  Cause cause = Cause::kNone;
  // How often a primary whose server ended was told to start again in place.
  std::int64_t revive = 0;
  // How often a checkpoint was asked for before a planned stop.
  std::int64_t checkpoint = 0;
  // Where the former primary's WAL ended when it stopped cleanly: the recruit must have all of it
  // (I22). 0: it did not stop cleanly.
  std::int64_t shutdown_lsn = 0;
  // When failovers began that nobody asked for, newest last, by the clock that no one sets. What
  // lies in the future is of before the machine started.
  std::vector<MonotonicTime> failovers;
  std::int64_t seq = 0;  // counts the changes of this record, for people

  bool operator==(const Record&) const = default;
};

std::string_view PhaseName(Phase phase);
std::string_view CauseName(Cause cause);  // for people and documents: "the primary is down", …

// Between the old primary's last commit and the new one's first.
bool IsChangingRoles(const Record& record);

// The record as a document, and back.
std::string FormatRecord(const Record& record);
Result<Record> ParseRecord(std::string_view text);

}  // namespace howdah::ha
