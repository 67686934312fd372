#include "fleet/journal.h"

#include <fmt/format.h>

#include "base/json.h"
#include "fleet/keys.h"

namespace howdah::fleet {

namespace {

using ha::Phase;

std::int64_t Milliseconds(WallTime time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

std::string KeyOf(const InstanceId& instance, std::int64_t number) {
  return fmt::format("{}{:010}", JournalPrefix(instance), number);
}

bool Begins(const ha::Record& before, const ha::Record& after) {
  return !ha::IsChangingRoles(before) && ha::IsChangingRoles(after);
}

RoleChange Begin(const ha::Record& before, const ha::Record& after, std::int64_t number,
                 WallTime now) {
  return {.number = number,
          .epoch = after.epoch,
          .cause = std::string(ha::CauseName(after.cause)),
          .from = before.primary,
          .to = before.standby,
          .begun = now,
          .steps = {},
          .outcome = "",
          .rejoined = "",
          .set_aside_bytes = 0};
}

void Add(RoleChange& change, const ha::Record& before, const ha::Record& after,
         const std::string& reason, const nodes::Observed& former, WallTime now) {
  change.steps.push_back({.phase = std::string(ha::PhaseName(after.phase)),
                          .after_ms = Milliseconds(now) - Milliseconds(change.begun),
                          .reason = reason});
  change.epoch = after.epoch;
  if (after.cause != before.cause) change.cause = std::string(ha::CauseName(after.cause));
  if (after.cause == ha::Cause::kTurnedBack && after.epoch != before.epoch) {
    change.outcome = "turned back";
  } else if (after.phase == Phase::kRejoin) {
    change.outcome = "completed";
  } else if (ha::IsChangingRoles(before) && !ha::IsChangingRoles(after)) {
    change.outcome = "given up";
  }
  if (before.phase == Phase::kRejoin && after.phase == Phase::kCatchup) {
    change.rejoined = former.rejoined;
    change.set_aside_bytes = former.set_aside_bytes;
  }
}

// Until it is protected again, what happens belongs to the last change of roles.
bool BelongsToLast(const RoleChange& last) {
  return last.steps.empty() || last.steps.back().phase != ha::PhaseName(Phase::kProtected);
}

}  // namespace

std::string Format(const RoleChange& change) {
  json::array steps;
  for (const RoleChange::Step& step : change.steps) {
    steps.push_back(
        json::object{{"phase", step.phase}, {"after_ms", step.after_ms}, {"reason", step.reason}});
  }
  return json::serialize(json::object{{"number", change.number},
                                      {"epoch", change.epoch},
                                      {"cause", change.cause},
                                      {"from", change.from.str()},
                                      {"to", change.to.str()},
                                      {"begun_ms", Milliseconds(change.begun)},
                                      {"steps", steps},
                                      {"outcome", change.outcome},
                                      {"rejoined", change.rejoined},
                                      {"set_aside_bytes", change.set_aside_bytes}});
}

Result<RoleChange> ParseRoleChange(std::string_view text) {
  TRY_ASSIGN(const json::object object, ParseJsonObject(text));
  RoleChange change;
  change.number = JsonInt(object, "number");
  change.epoch = JsonInt(object, "epoch");
  change.cause = JsonString(object, "cause");
  change.from = NodeId(JsonString(object, "from"));
  change.to = NodeId(JsonString(object, "to"));
  change.begun = WallTime(std::chrono::milliseconds(JsonInt(object, "begun_ms")));
  change.outcome = JsonString(object, "outcome");
  change.rejoined = JsonString(object, "rejoined");
  change.set_aside_bytes = JsonInt(object, "set_aside_bytes");
  const json::value* steps = object.if_contains("steps");
  if (!steps || !steps->is_array()) return Fail(Code::kCorrupt, "a role change without steps");
  for (const json::value& value : steps->get_array()) {
    if (!value.is_object()) return Fail(Code::kCorrupt, "a role change with a step that is none");
    const json::object& step = value.get_object();
    change.steps.push_back({.phase = JsonString(step, "phase"),
                            .after_ms = JsonInt(step, "after_ms"),
                            .reason = JsonString(step, "reason")});
  }
  return change;
}

Result<std::vector<RoleChange>> ListRoleChanges(store::Store& store, const InstanceId& instance) {
  TRY_ASSIGN(const store::Listing listing, store.List(JournalPrefix(instance)));
  std::vector<RoleChange> changes;
  for (const store::Document& document : listing.documents) {
    TRY_ASSIGN(RoleChange change, ParseRoleChange(document.value));
    changes.push_back(std::move(change));
  }
  return changes;
}

Result<> Journal(const Context& context, store::Transaction& transaction,
                 const InstanceId& instance, const ha::Record& before, const ha::Record& after,
                 const std::string& reason, const nodes::Observed& former) {
  if (before.phase == after.phase) return {};
  TRY_ASSIGN(std::vector<RoleChange> changes, ListRoleChanges(context.store, instance));
  const WallTime now = context.clock.Now();
  if (Begins(before, after)) {
    const std::int64_t number = changes.empty() ? 1 : changes.back().number + 1;
    changes.push_back(Begin(before, after, number, now));
    for (std::size_t i = 0; i + kJournalKept < changes.size(); ++i) {
      transaction.deletes.push_back(KeyOf(instance, changes[i].number));
    }
  } else if (changes.empty() || !BelongsToLast(changes.back())) {
    return {};
  }
  RoleChange& change = changes.back();
  Add(change, before, after, reason, former, now);
  transaction.puts.push_back({KeyOf(instance, change.number), Format(change), ""});
  return {};
}

Result<> DeleteJournal(const Context& context, store::Transaction& transaction,
                       const InstanceId& instance) {
  TRY_ASSIGN(const store::Listing listing, context.store.List(JournalPrefix(instance)));
  for (const store::Document& document : listing.documents) {
    transaction.deletes.push_back(document.key);
  }
  return {};
}

}  // namespace howdah::fleet
