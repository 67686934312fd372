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
  kHalted,     // a person has to decide
};

struct Record {
  Phase phase = Phase::kSingle;
  Epoch epoch = 1;
  NodeId primary;
  NodeId standby;  // empty in kSingle
  std::string
      token;  // the standby's identity of this attach: "hd_<epoch>_<nonce>", never reused (H8)
  // The standby streams under its token, so the primary may be told to wait for it without a pause.
  bool armed = false;
  bool protected_ = false;
  std::int64_t seq = 0;  // counts the changes of this record, for people

  bool operator==(const Record&) const = default;
};

std::string_view PhaseName(Phase phase);

// The record as a document, and back.
std::string FormatRecord(const Record& record);
Result<Record> ParseRecord(std::string_view text);

}  // namespace howdah::ha
