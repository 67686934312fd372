#include "ha/step.h"

#include <fmt/format.h>

namespace howdah::ha {

namespace {

std::string Token(Epoch epoch, const std::string& nonce) {
  return fmt::format("hd_{}_{}", epoch, nonce);
}

bool Streaming(const Record& record, const Sight& sight) {
  return sight.standby_up && !record.token.empty() && sight.streaming_token == record.token;
}

bool SilentTooLong(const Sight& sight) {
  return sight.silent_since && sight.now - *sight.silent_since >= kDegradeBudget;
}

// H5: the permission goes first. `primary_waits_for` follows from the phase, so the primary is told
// to stop waiting only by the record that already forbids promotion.
Record Degrade(Record record) {
  record.phase = Phase::kDegraded;
  record.armed = false;
  record.protected_ = false;
  return record;
}

// A standby that comes back gets a new identity: what streamed under the old one can never again
// count as a confirmation (H8).
Record Reattach(Record record, const Sight& sight) {
  record.phase = Phase::kCatchup;
  record.armed = false;
  record.token = Token(record.epoch, sight.fresh_nonce);
  record.protected_ = false;
  return record;
}

// The primary is told to wait only for a standby that streams already under its new name.
Record Arm(Record record, const Sight& sight) {
  record.armed = sight.primary_up && Streaming(record, sight);
  return record;
}

Record Prove(const Record& record, const Sight& sight) {
  // The primary waits already: if the standby goes silent now, commits must not wait for ever.
  if (sight.primary_up && SilentTooLong(sight)) return Degrade(record);
  const bool proved = sight.primary_up && Streaming(record, sight) &&
                      sight.effective_token == record.token && sight.probe_confirmed;
  if (!proved) return record;
  Record next = record;
  next.phase = Phase::kProtected;
  next.protected_ = true;
  return next;
}

Record Decide(const Record& record, const Sight& sight) {
  switch (record.phase) {
    case Phase::kSingle:
    case Phase::kHalted:
      return record;
    case Phase::kSeeding: {
      if (!sight.standby_seeded || !sight.standby_up) return record;
      Record next = record;
      next.phase = Phase::kCatchup;
      return next;
    }
    case Phase::kCatchup:
      return record.armed ? Prove(record, sight) : Arm(record, sight);
    case Phase::kProtected:
      // A dead primary is no reason to degrade: the standby may be the only whole copy (I5, I20).
      if (sight.primary_up && SilentTooLong(sight)) return Degrade(record);
      return record;
    case Phase::kDegraded:
      // The primary must have let go before the standby is taken back, so that the two meet under
      // the new identity only.
      if (sight.primary_up && sight.standby_up && sight.effective_token.empty() &&
          sight.streaming_token == record.token) {
        return Reattach(record, sight);
      }
      return record;
  }
  return record;
}

}  // namespace

Wanted WantedOf(const Record& record) {
  Wanted wanted;
  wanted.standby_exists = !record.standby.empty();
  wanted.standby_token = record.token;
  const bool waits =
      record.phase == Phase::kProtected || (record.phase == Phase::kCatchup && record.armed);
  wanted.primary_waits_for = waits ? record.token : "";
  return wanted;
}

Record Step(const Record& record, const Sight& sight) {
  Record next = Decide(record, sight);
  if (next != record) ++next.seq;
  return next;
}

Record AddStandby(const Record& record, const NodeId& standby, const std::string& nonce) {
  Record next = record;
  next.phase = Phase::kSeeding;
  next.standby = standby;
  next.token = Token(record.epoch, nonce);
  next.armed = false;
  next.protected_ = false;
  ++next.seq;
  return next;
}

Record RemoveStandby(const Record& record) {
  Record next = record;
  next.phase = Phase::kSingle;
  next.standby = NodeId();
  next.token.clear();
  next.armed = false;
  next.protected_ = false;
  ++next.seq;
  return next;
}

}  // namespace howdah::ha
