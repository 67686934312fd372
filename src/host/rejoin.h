// How a former primary's directory becomes a standby's, pure: where its own WAL ends and where the
// new primary's history left its timeline go in, the way comes out.
//
// The rules: a directory whose WAL ends at or before the fork is a part of the new history and
// simply follows it (I22); one that goes beyond must lose what is beyond before it follows; one
// that a rejoin has begun to change is only ever mended by a delta copy (I18, H17).
#pragma once

#include <cstdint>
#include <string_view>

#include "postgres/lsn.h"
#include "postgres/timeline.h"

namespace howdah::host {

struct RejoinFacts {
  bool interrupted = false;  // the marker is there
  std::uint64_t system_identifier = 0;
  postgres::Timeline timeline{};  // on which it was primary
  postgres::Lsn wal_end;          // of its last whole record; none: not known
  postgres::PrimaryHistory primary;
  bool primary_serves = false;  // alone, and is no standby any more
  bool has_rewind = false;      // the engine has pg_rewind
};

enum class RejoinWay {
  kWait,       // the primary has not begun a timeline of its own yet
  kRefuse,     // the directory is of another system than the primary
  kAsItWas,    // it follows as it is
  kRewind,     // by pg_rewind, and where that fails by a delta copy
  kDeltaCopy,  // over the directory
};

struct RejoinPlan {
  RejoinWay way = RejoinWay::kWait;
  postgres::Lsn fork;        // none: not known
  std::uint64_t beyond = 0;  // bytes of WAL past the fork, where both are known
};

RejoinPlan PlanRejoin(const RejoinFacts& facts);

// As observed.rejoined says it.
std::string_view RejoinWayName(RejoinWay way);

}  // namespace howdah::host
