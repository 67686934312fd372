#include "archive/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "postgres/wal_end.h"

namespace howdah::archive {
namespace {

constexpr std::string_view kHistorySuffix = ".history";

std::optional<std::uint32_t> ParseHistoryFile(std::string_view name) {
  if (name.size() != 8 + kHistorySuffix.size() || !name.ends_with(kHistorySuffix)) {
    return std::nullopt;
  }
  std::uint32_t timeline = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + 8, timeline, 16);
  if (error != std::errc() || end != name.data() + 8) return std::nullopt;
  return timeline;
}

std::optional<PlannedFile> FindHistory(const WalPlan& plan, std::uint32_t timeline) {
  const auto found = std::ranges::find(plan.histories, timeline, &PlannedHistory::timeline);
  if (found == plan.histories.end()) return std::nullopt;
  PlannedFile file;
  file.history = found->name;
  return file;
}

// The objects' parts that make up [start, end); kCorrupt where there is a hole.
Result<std::vector<PlannedObject>> Cut(const WalPlan& plan, std::uint64_t start,
                                       std::uint64_t end) {
  std::vector<PlannedObject> parts;
  std::uint64_t at = start;
  for (const PlannedObject& object : plan.objects) {
    if (object.to <= at || object.from >= end) continue;
    if (object.from > at) break;
    PlannedObject part = object;
    part.from = at;
    part.to = std::min(object.to, end);
    if (part.from < part.start || part.to > part.end) {
      return Fail(Code::kCorrupt, "the plan uses more of " + part.name + " than it has");
    }
    at = part.to;
    parts.push_back(std::move(part));
  }
  if (at >= end) return parts;
  return Fail(Code::kCorrupt, fmt::format("the plan has no WAL at {}", Lsn(at).Format()));
}

Result<std::optional<PlannedFile>> FindSegment(const WalPlan& plan, const postgres::WalFile& file) {
  const auto leg = std::ranges::find(plan.legs, ToNumber(file.timeline), &PlannedLeg::timeline);
  if (leg == plan.legs.end()) return std::nullopt;
  const std::uint64_t start = file.start.value();
  const std::uint64_t leg_end = leg->end == 0 ? plan.end : std::min(leg->end, plan.end);
  const bool is_on_leg = start < leg_end && start + plan.segment_bytes > leg->start;
  if (!is_on_leg) return std::nullopt;
  PlannedFile found;
  found.start = start;
  found.end = std::min(leg_end, start + plan.segment_bytes);
  TRY_ASSIGN(found.objects, Cut(plan, found.start, found.end));
  return found;
}

const DocumentCodec<PlannedObject>& ObjectCodec() {
  static const auto codec = DocumentCodec<PlannedObject>("object")
                                .With("name", &PlannedObject::name)
                                .With("start", &PlannedObject::start)
                                .With("end", &PlannedObject::end)
                                .With("from", &PlannedObject::from)
                                .With("to", &PlannedObject::to);
  return codec;
}

const DocumentCodec<PlannedLeg>& LegCodec() {
  static const auto codec = DocumentCodec<PlannedLeg>("leg")
                                .With("timeline", &PlannedLeg::timeline)
                                .With("start", &PlannedLeg::start)
                                .With("end", &PlannedLeg::end);
  return codec;
}

const DocumentCodec<PlannedHistory>& HistoryCodec() {
  static const auto codec = DocumentCodec<PlannedHistory>("history")
                                .With("timeline", &PlannedHistory::timeline)
                                .With("name", &PlannedHistory::name);
  return codec;
}

}  // namespace

const DocumentCodec<WalPlan>& WalPlanCodec() {
  static const auto codec = DocumentCodec<WalPlan>("WAL plan")
                                .With("segment_bytes", &WalPlan::segment_bytes)
                                .With("end", &WalPlan::end)
                                .With("legs", &WalPlan::legs, LegCodec())
                                .With("objects", &WalPlan::objects, ObjectCodec())
                                .With("histories", &WalPlan::histories, HistoryCodec());
  return codec;
}

Result<WalPlan> MakeWalPlan(const InstanceId& instance, const Coverage& coverage,
                            const std::vector<HistoryRef>& histories, Lsn from, Lsn to) {
  WalPlan plan;
  plan.end = to.value();
  for (const Leg& leg : coverage.path()) {
    if (leg.start >= to) break;
    plan.legs.push_back(
        {.timeline = ToNumber(leg.timeline), .start = leg.start.value(), .end = leg.end.value()});
  }
  TRY_ASSIGN(const std::vector<Piece> pieces, coverage.Serve(from, to));
  for (const Piece& piece : pieces) {
    plan.objects.push_back({.name = ObjectName(instance, piece.range),
                            .start = piece.range.start.value(),
                            .end = piece.range.end.value(),
                            .from = piece.from.value(),
                            .to = piece.to.value()});
  }
  // Sorted by epoch: the newest primary's word on a timeline counts.
  for (const PlannedLeg& leg : plan.legs) {
    const HistoryRef* newest = nullptr;
    for (const HistoryRef& history : histories) {
      if (ToNumber(history.timeline) != leg.timeline) continue;
      if (newest == nullptr || history.epoch > newest->epoch) newest = &history;
    }
    if (newest == nullptr) continue;
    plan.histories.push_back({.timeline = leg.timeline, .name = ObjectName(instance, *newest)});
  }
  return plan;
}

Result<std::optional<PlannedFile>> FindFile(const WalPlan& plan, std::string_view name) {
  if (plan.segment_bytes != postgres::kWalSegment) {
    return Fail(
        Code::kUnsupported,
        fmt::format("WAL segments of {} bytes: Howdah's servers have 16 MiB", plan.segment_bytes));
  }
  if (const auto timeline = ParseHistoryFile(name)) return FindHistory(plan, *timeline);
  const auto segment = postgres::ParseWalFileName(name);
  if (!segment) return Fail(Code::kInvalid, fmt::format("'{}' is no file of WAL", name));
  return FindSegment(plan, *segment);
}

}  // namespace howdah::archive
