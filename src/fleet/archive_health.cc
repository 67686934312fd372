#include "fleet/archive_health.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>

#include "base/document.h"
#include "fleet/backup_records.h"
#include "fleet/keys.h"
#include "fleet/workflows.h"
#include "postgres/config.h"

namespace howdah::fleet {

namespace {

constexpr Duration kLook = 10s;
constexpr Duration kLatest = 5min;  // RDS sends its log that often
constexpr Duration kCaughtUp = 1min;
constexpr Duration kPassing = 1min;  // what is over sooner is not worth an event
constexpr std::int64_t kMib = 1 << 20;

const DocumentCodec<ArchiveTold>& ToldCodec() {
  static const auto codec = DocumentCodec<ArchiveTold>("what was told of an archive")
                                .With("trouble", &ArchiveTold::trouble)
                                .With("gap_end", &ArchiveTold::gap_end)
                                .With("gap_since", &ArchiveTold::gap_since);
  return codec;
}

std::int64_t KeepBytes(const Instance& instance) {
  const auto gib = static_cast<std::uint64_t>(instance.settings.storage_gib);
  return static_cast<std::int64_t>(postgres::SlotKeepMib(gib)) * kMib;
}

// The primary's report; nothing where it does not serve.
Result<std::optional<nodes::Archived>> ReportOf(store::Store& store, const Instance& instance) {
  const bool is_on =
      instance.settings.backup_retention_days > 0 && instance.power == nodes::Power::kRunning;
  if (!is_on) return std::nullopt;
  const auto record = LoadRecord(store, instance.id);
  if (!record && record.error().code() == Code::kNotFound) return std::nullopt;
  if (!record) return Fail(record.error());
  TRY_ASSIGN(const nodes::Observed primary, LoadObserved(store, record->value.primary));
  if (primary.state != nodes::State::kRunning || primary.in_recovery) return std::nullopt;
  return primary.archived;
}

std::string UpTo(WallTime until) {
  return until == WallTime{} ? "nothing" : "what was committed up to " + FormatIso8601(until);
}

void TellNews(const Context& context, store::Transaction& transaction, const Instance& instance,
              const ArchiveNews& news, const ArchiveTold& now, const nodes::Archived& archived) {
  if (news.has_gap) {
    Tell(context, transaction, instance,
         fmt::format("A part of the write-ahead log is lost to the backups: the DB instance keeps "
                     "at most {} MiB that are not in the backup repository yet. Times after {} can "
                     "not be restored, until those after the backup that begins now.",
                     KeepBytes(instance) / kMib, FormatIso8601(now.gap_since)),
         "failure");
  }
  if (news.is_behind) {
    Tell(context, transaction, instance,
         fmt::format("The archive of the write-ahead log is behind: {}. The backup repository has "
                     "{}. The DB instance goes on, and keeps at most {} MiB for it.",
                     now.trouble, UpTo(archived.until), KeepBytes(instance) / kMib),
         "notification");
  }
  if (news.has_caught_up) {
    Tell(context, transaction, instance, "The archive of the write-ahead log has caught up.",
         "notification");
  }
}

class Watch {
 public:
  explicit Watch(const Context& context) : context_(context) {}

  Result<Duration> Pass() {
    TRY_ASSIGN(const auto instances, ListVersionedInstances(context_.store));
    std::map<InstanceId, WallTime> since;
    bool again = false;
    for (const Versioned<Instance>& instance : instances) {
      const Result<> done = Look(instance, since);
      if (done) continue;
      again = true;
      if (done.error().code() == Code::kConflict) continue;
      context_.log.Warning("archive of {}: {}", instance.value.identifier, done.error().what());
    }
    since_ = std::move(since);
    TRY(Clear(instances));
    return again ? Duration(100ms) : kLook;
  }

 private:
  Result<> Look(const Versioned<Instance>& instance, std::map<InstanceId, WallTime>& since) {
    const Instance& it = instance.value;
    TRY_ASSIGN(const auto archived, ReportOf(context_.store, it));
    if (!archived) return {};
    TRY_ASSIGN(Versioned<ArchiveTold> told, LoadArchiveTold(context_.store, it.id));
    const WallTime now = context_.clock.Now();
    const std::string trouble = ArchiveTrouble(*archived, KeepBytes(it), now);
    std::optional<WallTime> begun;
    if (!trouble.empty()) {
      const auto known = since_.find(it.id);
      begun = since[it.id] = known == since_.end() ? now : known->second;
    }
    const ArchiveNews news = NewsOf(told.value, *archived, KeepBytes(it), begun, now);
    if (!news.Any()) return {};
    if (news.is_behind) told.value.trouble = trouble;
    if (news.has_caught_up) told.value.trouble.clear();
    if (news.has_gap) {
      told.value.gap_end = archived->gap_end;
      told.value.gap_since = archived->gap_since;
    }
    const std::string key = ArchiveToldKey(it.id);
    store::Transaction transaction{
        .compares = {{key, told.revision}, {InstanceKey(it.id), instance.revision}},
        .puts = {{key, Format(told.value), ""}},
        .deletes = {}};
    TellNews(context_, transaction, it, news, told.value, *archived);
    TRY(context_.store.Commit(transaction));
    context_.log.Warning("archive of {}: {}", it.identifier,
                         news.has_gap         ? "a part of the WAL is lost to it"
                         : news.has_caught_up ? "it has caught up"
                                              : trouble);
    return {};
  }

  // Of instances that are gone.
  Result<> Clear(const std::vector<Versioned<Instance>>& instances) {
    TRY_ASSIGN(const store::Listing listing, context_.store.List(kArchiveToldPrefix));
    for (const store::Document& document : listing.documents) {
      const auto is_its = [&](const auto& it) {
        return ArchiveToldKey(it.value.id) == document.key;
      };
      if (std::ranges::any_of(instances, is_its)) continue;
      TRY(context_.store.Commit({.compares = {{document.key, document.revision}},
                                 .puts = {},
                                 .deletes = {document.key}}));
    }
    return {};
  }

  const Context& context_;
  std::map<InstanceId, WallTime> since_;  // since when there has been trouble
};

}  // namespace

std::string Format(const ArchiveTold& told) {
  return ToldCodec().Format(told);
}
Result<ArchiveTold> ParseArchiveTold(std::string_view text) {
  return ToldCodec().Parse(text);
}

Result<Versioned<ArchiveTold>> LoadArchiveTold(store::Store& store, const InstanceId& id) {
  const Result<store::Document> document = store.Get(ArchiveToldKey(id));
  if (!document && document.error().code() == Code::kNotFound) return Versioned<ArchiveTold>{};
  if (!document) return Fail(document.error());
  TRY_ASSIGN(ArchiveTold told, ParseArchiveTold(document->value));
  return Versioned<ArchiveTold>{.value = std::move(told), .revision = document->revision};
}

std::string ArchiveTrouble(const nodes::Archived& archived, std::int64_t keep_bytes, WallTime now) {
  if (!archived.problem.empty()) return archived.problem;
  if (archived.lag_bytes > keep_bytes / 2) {
    return fmt::format("{} MiB of it wait, more than half of what is kept",
                       archived.lag_bytes / kMib);
  }
  if (archived.until != WallTime{} && now - archived.until > kLatest) {
    return fmt::format("it is more than {} behind", FormatDuration(kLatest));
  }
  return "";
}

bool HasCaughtUp(const nodes::Archived& archived, std::int64_t keep_bytes, WallTime now) {
  return archived.problem.empty() && archived.lag_bytes <= keep_bytes / 4 &&
         archived.until != WallTime{} && now - archived.until <= kCaughtUp;
}

ArchiveNews NewsOf(const ArchiveTold& told, const nodes::Archived& archived,
                   std::int64_t keep_bytes, std::optional<WallTime> since, WallTime now) {
  return {.is_behind = told.trouble.empty() && since && now - *since >= kPassing,
          .has_caught_up = !told.trouble.empty() && HasCaughtUp(archived, keep_bytes, now),
          .has_gap = archived.gap_end > told.gap_end};
}

bool IsGapOpen(const ArchiveTold& told, const std::vector<DbSnapshot>& automated) {
  if (told.gap_end == 0) return false;
  return std::ranges::none_of(automated, [&](const DbSnapshot& snapshot) {
    return snapshot.automated && snapshot.IsAvailable() && snapshot.start_lsn >= told.gap_end;
  });
}

Result<ArchiveHealth> ArchiveHealthOf(store::Store& store, const Instance& instance) {
  TRY_ASSIGN(const auto archived, ReportOf(store, instance));
  if (!archived) return ArchiveHealth{.state = "off"};
  TRY_ASSIGN(const Versioned<ArchiveTold> told, LoadArchiveTold(store, instance.id));
  TRY_ASSIGN(const auto snapshots, ListDbSnapshotsOf(store, instance.id));
  std::vector<DbSnapshot> all;
  for (const auto& [snapshot, revision] : snapshots) all.push_back(snapshot);
  ArchiveHealth health{.state = "following", .archived = *archived, .trouble = archived->problem};
  if (health.trouble.empty()) health.trouble = told.value.trouble;
  if (!health.trouble.empty()) {
    health.state = "behind";
  } else if (archived->until == WallTime{}) {
    health.state = "starting";
  }
  if (IsGapOpen(told.value, all)) health.gap_since = told.value.gap_since;
  return health;
}

workflow::Reconciler ArchiveReconciler(const Context& context) {
  auto watch = std::make_shared<Watch>(context);
  return {.name = "archive",
          .prefixes = {std::string(kInstancesPrefix), std::string(nodes::kNodesPrefix)},
          .interval = kLook,
          .reconcile = [watch] { return watch->Pass(); }};
}

}  // namespace howdah::fleet
