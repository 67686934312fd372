// A history file has one line an ancestor: timeline, a tab, where it was left, a tab, why. Lines
// that begin with '#' say nothing. Source: PostgreSQL, src/backend/access/transam/timeline.c.
#include "postgres/timeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace howdah::postgres {
namespace {

constexpr std::size_t kMostAncestors = 100'000;

Result<TimelineSwitch> ParseLine(std::string_view line) {
  const std::size_t end_of_number = line.find_first_of("\t ");
  const std::string_view number = line.substr(0, end_of_number);
  std::uint32_t timeline = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), timeline);
  const bool is_number = error == std::errc() && end == number.data() + number.size();
  if (!is_number || timeline == 0 || end_of_number == std::string_view::npos) {
    return Fail(Code::kCorrupt, fmt::format("timeline history: '{}'", line.substr(0, 100)));
  }
  line.remove_prefix(end_of_number);
  line.remove_prefix(std::min(line.find_first_not_of("\t "), line.size()));
  TRY_ASSIGN(const Lsn lsn, Lsn::Parse(line.substr(0, line.find_first_of("\t "))));
  return TimelineSwitch{.timeline = Timeline{timeline}, .end = lsn};
}

}  // namespace

Result<std::vector<TimelineSwitch>> ParseTimelineHistory(std::string_view text) {
  std::vector<TimelineSwitch> ancestors;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    line.remove_prefix(std::min(line.find_first_not_of("\t "), line.size()));
    if (line.empty() || line.front() == '#') continue;
    TRY_ASSIGN(const TimelineSwitch ancestor, ParseLine(line));
    const bool rises = ancestors.empty() || ancestors.back().timeline < ancestor.timeline;
    if (!rises || ancestors.size() >= kMostAncestors) {
      return Fail(Code::kCorrupt, "timeline history: the timelines do not rise");
    }
    ancestors.push_back(ancestor);
  }
  return ancestors;
}

std::optional<Lsn> PrimaryHistory::ForkOf(Timeline wanted) const {
  const auto found = std::ranges::find(ancestors, wanted, &TimelineSwitch::timeline);
  if (found == ancestors.end()) return std::nullopt;
  return found->end;
}

}  // namespace howdah::postgres
