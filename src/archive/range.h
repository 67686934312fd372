// The names of the WAL's objects in a repository, which are its index: a listing alone says what is
// there. Pure. Faces whatever lies in a repository: see tests/fuzz/fuzz_wal_names.cc.
//
//   instances/<id>/wal/<epoch>/<timeline>/<start>-<end>-<until>-<commit>
//   instances/<id>/wal/<epoch>/<timeline>.history
//
// Numbers are hexadecimal of a fixed width, so that a listing sorts by epoch, timeline and
// position.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "postgres/lsn.h"

namespace howdah::archive {

using postgres::Lsn;
using postgres::Timeline;

// One object: the bytes [start, end) of a timeline, as the primary of an epoch wrote them. One with
// start == end holds no WAL: it is a mark that says how far time had got where the WAL ended.
struct Range {
  std::int64_t epoch = 0;
  Timeline timeline{};
  Lsn start, end;
  // By the server's clock: every commit that anybody was told of up to then is before `end`.
  std::optional<WallTime> until;
  // The newest time in a commit record that ends in the range; none: there is no such record.
  std::optional<WallTime> commit;

  auto operator<=>(const Range&) const = default;
  std::uint64_t size_bytes() const { return BytesBetween(start, end); }
  bool IsMark() const { return start == end; }
  // Everything of `other` is in this one too.
  bool Covers(const Range& other) const {
    return epoch == other.epoch && timeline == other.timeline && start <= other.start &&
           end >= other.end;
  }
};

// The history of one timeline, as the primary of an epoch had it.
struct HistoryRef {
  std::int64_t epoch = 0;
  Timeline timeline{};
  auto operator<=>(const HistoryRef&) const = default;
};

std::string WalPrefix(const InstanceId& instance);  // ends with "/"
std::string ObjectName(const InstanceId& instance, const Range& range);
std::string ObjectName(const InstanceId& instance, const HistoryRef& history);

// Nothing for names that are none. `name`: what follows WalPrefix().
std::optional<Range> ParseRange(std::string_view name);
std::optional<HistoryRef> ParseHistoryRef(std::string_view name);

struct Listing {
  std::vector<Range> ranges;          // sorted
  std::vector<HistoryRef> histories;  // sorted
};
// Of full names; others than the archive's are passed over.
Listing ParseListing(const InstanceId& instance, const std::vector<std::string>& names);

}  // namespace howdah::archive
