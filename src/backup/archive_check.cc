#include "backup/archive_check.h"

#include <fmt/format.h>

#include <algorithm>

#include "archive/coverage.h"
#include "postgres/timeline.h"

namespace howdah::backup {

namespace {

using archive::Coverage;
using archive::Range;

class Checking {
 public:
  Checking(const InstanceId& instance, const Needs& needs, Job& job)
      : instance_(instance), needs_(needs), job_(job) {}

  Result<std::vector<std::string>> Run(const std::vector<Manifest>& backups) {
    TRY_ASSIGN(const archive::Listing listing, List());
    TRY(ReadHistories(listing));
    for (const Range& range : listing.ranges) {
      TRY(job_.GoOn());
      TRY(Check(range));
    }
    FindGaps(listing, backups);
    return std::move(damages_);
  }

 private:
  Result<archive::Listing> List() {
    TRY_ASSIGN(const auto objects, needs_.repository.List(archive::WalPrefix(instance_)));
    std::vector<std::string> names;
    names.reserve(objects.size());
    for (const repository::ObjectInfo& object : objects) names.push_back(object.name);
    return archive::ParseListing(instance_, names);
  }

  // Nothing where it cannot be read, which is noted.
  Result<std::optional<std::string>> Read(const std::string& name) {
    Result<std::string> contents = ReadObject(needs_, name);
    if (contents) return std::optional(*std::move(contents));
    if (contents.error().code() == Code::kUnavailable) return Fail(contents.error());
    // Small ones are merged into large ones all the time.
    if (contents.error().code() == Code::kNotFound) return std::nullopt;
    damages_.push_back(contents.error().what());
    return std::nullopt;
  }

  Result<> ReadHistories(const archive::Listing& listing) {
    for (const archive::HistoryRef& ref : listing.histories) {
      const std::string name = archive::ObjectName(instance_, ref);
      TRY_ASSIGN(const auto text, Read(name));
      if (!text) continue;
      auto ancestors = postgres::ParseTimelineHistory(*text);
      if (ancestors) {
        histories_.push_back({.ref = ref, .ancestors = *std::move(ancestors)});
      } else {
        damages_.push_back(name + ": " + ancestors.error().what());
      }
    }
    return {};
  }

  Result<> Check(const Range& range) {
    const std::string name = archive::ObjectName(instance_, range);
    TRY_ASSIGN(const auto bytes, Read(name));
    if (!bytes || range.IsMark() || bytes->size() == range.size_bytes()) return {};
    damages_.push_back(fmt::format("{} holds {} bytes of WAL instead of {}", name, bytes->size(),
                                   range.size_bytes()));
    return {};
  }

  void FindGaps(const archive::Listing& listing, const std::vector<Manifest>& backups) {
    const Coverage coverage(listing.ranges, archive::NewestPath(listing.ranges, histories_));
    const std::vector<Coverage::Interval>& whole = coverage.intervals();
    for (std::size_t i = 1; i < whole.size(); ++i) NoteGap(whole[i - 1].end, whole[i].start);
    if (whole.empty() || backups.empty()) return;
    // From at least one backup, what there is begins to be of use.
    const bool is_reached = std::ranges::any_of(backups, [&](const Manifest& backup) {
      return backup.stop() >= whole.front().start && backup.stop() <= whole.front().end;
    });
    const auto newest = std::ranges::max_element(backups, {}, &Manifest::stop_lsn);
    if (!is_reached && newest->stop() < whole.front().start) {
      NoteGap(newest->stop(), whole.front().start);
    }
  }

  void NoteGap(postgres::Lsn from, postgres::Lsn to) {
    damages_.push_back(fmt::format("{}: the WAL from {} to {} is missing",
                                   archive::WalPrefix(instance_), from.Format(), to.Format()));
  }

  const InstanceId& instance_;
  const Needs& needs_;
  Job& job_;
  std::vector<archive::History> histories_;
  std::vector<std::string> damages_;
};

}  // namespace

Result<std::vector<std::string>> CheckArchive(const InstanceId& instance,
                                              const std::vector<Manifest>& backups,
                                              const Needs& needs, Job& job) {
  return Checking(instance, needs, job).Run(backups);
}

}  // namespace howdah::backup
