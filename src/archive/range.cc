#include "archive/range.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace howdah::archive {
namespace {

constexpr std::size_t kEpochDigits = 8;
constexpr std::size_t kTimelineDigits = 8;
constexpr std::size_t kDigits = 16;
constexpr std::string_view kNever = "never-----------";  // of kDigits: no time
constexpr std::string_view kHistorySuffix = ".history";

std::string FormatTime(const std::optional<WallTime>& time) {
  if (!time) return std::string(kNever);
  return fmt::format("{:016x}", static_cast<std::uint64_t>(ToMicros(*time)));
}

std::string Directory(const InstanceId& instance, std::int64_t epoch, Timeline timeline) {
  return fmt::format("{}{:08x}/{:08x}", WalPrefix(instance), epoch, ToNumber(timeline));
}

// Takes fields of fixed width from the front of a name; one that does not fit makes it bad for
// good.
class Fields {
 public:
  explicit Fields(std::string_view text) : text_(text) {}

  std::uint64_t Number(std::size_t digits) {
    const std::string_view field = Take(digits);
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value, 16);
    good_ = good_ && error == std::errc() && end == field.data() + field.size() &&
            std::ranges::none_of(field, [](char c) { return c >= 'A' && c <= 'F'; });
    return value;
  }
  std::optional<WallTime> Time() {
    if (text_.starts_with(kNever)) {
      text_.remove_prefix(kNever.size());
      return std::nullopt;
    }
    return FromMicros(static_cast<std::int64_t>(Number(kDigits)));
  }
  void Word(std::string_view word) { good_ = Take(word.size()) == word && good_; }
  bool IsGoodAndDone() const { return good_ && text_.empty(); }

 private:
  std::string_view Take(std::size_t size) {
    if (text_.size() < size) {
      good_ = false;
      return {};
    }
    const std::string_view taken = text_.substr(0, size);
    text_.remove_prefix(size);
    return taken;
  }

  std::string_view text_;
  bool good_ = true;
};

}  // namespace

std::string WalPrefix(const InstanceId& instance) {
  return fmt::format("instances/{}/wal/", instance.str());
}

std::string ObjectName(const InstanceId& instance, const Range& range) {
  return fmt::format("{}/{:016x}-{:016x}-{}-{}", Directory(instance, range.epoch, range.timeline),
                     range.start.value(), range.end.value(), FormatTime(range.until),
                     FormatTime(range.commit));
}

std::string ObjectName(const InstanceId& instance, const HistoryRef& history) {
  return Directory(instance, history.epoch, history.timeline) + std::string(kHistorySuffix);
}

std::optional<Range> ParseRange(std::string_view name) {
  Fields fields(name);
  Range range;
  range.epoch = static_cast<std::int64_t>(fields.Number(kEpochDigits));
  fields.Word("/");
  range.timeline = Timeline{static_cast<std::uint32_t>(fields.Number(kTimelineDigits))};
  fields.Word("/");
  range.start = Lsn(fields.Number(kDigits));
  fields.Word("-");
  range.end = Lsn(fields.Number(kDigits));
  fields.Word("-");
  range.until = fields.Time();
  fields.Word("-");
  range.commit = fields.Time();
  if (!fields.IsGoodAndDone() || range.end < range.start || range.start.IsNone()) {
    return std::nullopt;
  }
  return range;
}

std::optional<HistoryRef> ParseHistoryRef(std::string_view name) {
  Fields fields(name);
  HistoryRef history;
  history.epoch = static_cast<std::int64_t>(fields.Number(kEpochDigits));
  fields.Word("/");
  history.timeline = Timeline{static_cast<std::uint32_t>(fields.Number(kTimelineDigits))};
  fields.Word(kHistorySuffix);
  if (!fields.IsGoodAndDone()) return std::nullopt;
  return history;
}

Listing ParseListing(const InstanceId& instance, const std::vector<std::string>& names) {
  const std::string prefix = WalPrefix(instance);
  Listing listing;
  for (const std::string_view name : names) {
    if (!name.starts_with(prefix)) continue;
    const std::string_view rest = name.substr(prefix.size());
    if (const auto range = ParseRange(rest)) listing.ranges.push_back(*range);
    if (const auto history = ParseHistoryRef(rest)) listing.histories.push_back(*history);
  }
  std::ranges::sort(listing.ranges);
  std::ranges::sort(listing.histories);
  return listing;
}

}  // namespace howdah::archive
