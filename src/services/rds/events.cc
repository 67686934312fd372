// Events and their categories.
#include <fmt/format.h>

#include "fleet/event.h"
#include "services/rds/filters.h"
#include "services/rds/instances.h"

namespace howdah::services::rds {

namespace {

constexpr std::int64_t kDefaultMinutes = 60;
constexpr std::int64_t kMostMinutes = 14 * 24 * 60;

bool Shares(const std::vector<std::string>& some, const aws::List<std::string>& others) {
  return std::ranges::any_of(
      some, [&](const std::string& it) { return std::ranges::find(others, it) != others.end(); });
}

Outcome<api::EventsMessage> Describe(const fleet::Context& context,
                                     const api::DescribeEventsMessage& in) {
  OUTCOME_TRY(ValidFilters(in.filters));
  if (in.source_identifier && !in.source_type) {
    return Refuse(aws::InvalidParameterCombination(
        "If SourceIdentifier is supplied, SourceType must also be provided."));
  }
  const std::int64_t minutes = in.duration.value_or(kDefaultMinutes);
  if (minutes < 1 || minutes > kMostMinutes) {
    return Refuse(aws::InvalidParameterValue(
        fmt::format("Duration {} is not between 1 and {} minutes.", minutes, kMostMinutes)));
  }
  const WallTime now = context.clock.Now();
  const WallTime begin = in.start_time.value_or(now - std::chrono::minutes(minutes));
  const WallTime end = in.end_time.value_or(now + 1min);
  if (begin > end) {
    return Refuse(aws::InvalidParameterCombination("StartTime must not be later than EndTime."));
  }
  auto events = fleet::ListEvents(context.store, std::max(begin, now - fleet::kEventsKept), end);
  if (!events) return Refuse(aws::FaultOf(events.error()));
  std::erase_if(*events, [&](const fleet::Event& event) {
    return (in.source_type && event.source_type != *in.source_type) ||
           (in.source_identifier && event.source_id != IdentifierIn(*in.source_identifier)) ||
           (!in.event_categories.empty() && !Shares(event.categories, in.event_categories));
  });
  api::EventsMessage out;
  OUTCOME_ASSIGN(const aws::List<fleet::Event> page,
                 Page(*std::move(events), in, out.marker, [](const auto& it) { return it.id; }));
  out.events.MarkPresent();
  for (const fleet::Event& event : page) {
    out.events.push_back({.source_identifier = event.source_id,
                          .source_type = event.source_type,
                          .message = event.message,
                          .event_categories = event.categories,
                          .date = event.date,
                          .source_arn = event.source_arn});
  }
  return out;
}

// What RDS says of each source; Howdah tells of instances and snapshots so far.
struct SourceCategories {
  std::string_view source;
  std::vector<std::string> categories;
};

std::vector<SourceCategories> AllCategories() {
  return {{"db-instance",
           {"availability", "backup", "configuration change", "creation", "deletion", "failover",
            "failure", "low storage", "maintenance", "notification", "read replica", "recovery",
            "restoration", "security", "security patching"}},
          {"db-parameter-group", {"configuration change"}},
          {"db-security-group", {"configuration change", "failure"}},
          {"db-snapshot", {"creation", "deletion", "notification", "restoration"}}};
}

Outcome<api::EventCategoriesMessage> Categories(const fleet::Context&,
                                                const api::DescribeEventCategoriesMessage& in) {
  OUTCOME_TRY(ValidFilters(in.filters));
  api::EventCategoriesMessage out;
  out.event_categories_map_list.MarkPresent();
  for (const SourceCategories& known : AllCategories()) {
    if (in.source_type && *in.source_type != known.source) continue;
    out.event_categories_map_list.push_back(
        {.source_type = std::string(known.source), .event_categories = known.categories});
  }
  return out;
}

}  // namespace

void RegisterEvents(aws::Service& service, const fleet::Context& context) {
  const auto with = [&context](auto handler) {
    return
        [&context, handler](const RequestContext&, const auto& in) { return handler(context, in); };
  };
  service.Register<api::DescribeEvents>(with(Describe));
  service.Register<api::DescribeEventCategories>(with(Categories));
}

}  // namespace howdah::services::rds
