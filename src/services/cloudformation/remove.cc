// Removal: a resource goes when nothing that goes too depends on it any more. What the template
// wants kept is kept. A thing that an interrupted creation may have made is looked for, and goes
// too.
#include <fmt/format.h>

#include <algorithm>

#include "services/cloudformation/converge.h"

namespace howdah::cfn {

namespace {

// Others may let go of it a little later: two minutes of tries. A DB instance may be busy for
// longer, and says so by its state.
constexpr std::int64_t kMaxAttempts = 600;

using Leaving = std::vector<ResourceRecord*>;

// A retired thing is only a dependency of what is retired or removed with it; so only those that
// leave are asked.
bool IsDependency(const Leaving& leaving, const ResourceRecord& record) {
  return std::ranges::any_of(leaving, [&](const ResourceRecord* other) {
    return other != &record && !other->Gone() &&
           std::ranges::find(other->depends_on, record.logical_id) != other->depends_on.end();
  });
}

bool IsKept(const Stack& stack, const ResourceRecord& record, bool creation_undone) {
  if (creation_undone && stack.retain_except_on_create) return false;
  return record.policy == DeletionPolicy::kRetain ||
         (record.policy == DeletionPolicy::kRetainExceptOnCreate && !creation_undone);
}

bool WillLetGo(const aws::Fault& fault) {
  return MayPass(fault) || fault.code == "DependencyViolation" ||
         fault.code.starts_with("InvalidDBInstanceState") ||
         fault.code.starts_with("InvalidDBSubnetGroupState");
}

const Side& SideOf(const Sides& sides, const ResourceRecord& record) {
  for (const Side& side : sides) {
    const Resource* resource = side.made.FindResource(record.logical_id);
    if (resource != nullptr && resource->type == record.type) return side;
  }
  return sides.front();
}

aws::Outcome<bool> Remove(Session& session, ResourceRecord& record, const Side& side) {
  const Provider& provider = session.ProviderOf(record);
  if (record.physical_id.empty()) {
    const auto properties = session.Properties(record, side);
    if (!properties && MayPass(properties.error())) return std::unexpected(properties.error());
    if (!properties) return true;  // it could never be made either
    OUTCOME_ASSIGN(const std::optional<std::string> found,
                   provider.Find(session.SubjectOf(record, side), *properties));
    if (!found) return true;
    record.physical_id = *found;
    session.Touch();
  }
  auto gone = provider.Delete(session.SubjectOf(record, side));
  if (!gone && IsNotFound(gone.error())) return true;
  return gone;
}

void WorkOn(Session& session, ResourceRecord& record, const Side& side) {
  const aws::Outcome<bool> gone = Remove(session, record, side);
  if (gone && !*gone) return;
  if (gone) {
    session.SetStatus(record, "DELETE_COMPLETE");
  } else if (WillLetGo(gone.error()) && record.attempts < kMaxAttempts) {
    session.CountTry(record);
  } else {
    MarkFailed(session, record, gone.error(), "DELETE");
  }
}

bool Any(const Leaving& leaving, std::string_view status) {
  return std::ranges::find(leaving, status, &ResourceRecord::status) != leaving.end();
}

// Everything that the stack has; those that were never begun are forgotten.
Leaving Everything(Session& session) {
  Stack& stack = session.stack();
  const auto erased = std::erase_if(
      stack.resources, [](const ResourceRecord& record) { return record.status.empty(); });
  if (erased > 0) session.Touch();
  Leaving leaving;
  for (ResourceRecord& record : stack.retired) leaving.push_back(&record);
  for (ResourceRecord& record : stack.resources) leaving.push_back(&record);
  return leaving;
}

}  // namespace

bool WorkOnRemoval(Session& session, const Sides& sides, const Leaving& leaving,
                   bool creation_undone) {
  bool left = false;
  for (ResourceRecord* record : leaving) {
    if (record->Gone() || record->status == "DELETE_FAILED") continue;
    if (record->status != "DELETE_IN_PROGRESS") {
      if (IsDependency(leaving, *record)) {
        // Blocked for good only by what failed; then the end is near anyway.
        left = left || !Any(leaving, "DELETE_FAILED") || Any(leaving, "DELETE_IN_PROGRESS");
        continue;
      }
      if (IsKept(session.stack(), *record, creation_undone)) {
        session.SetStatus(*record, "DELETE_SKIPPED");
        continue;
      }
      record->attempts = 0;
      session.SetStatus(*record, "DELETE_IN_PROGRESS");
    }
    WorkOn(session, *record, SideOf(sides, *record));
    left = left || record->status == "DELETE_IN_PROGRESS";
  }
  return !left;
}

Result<> AdvanceRemoval(Session& session) {
  Stack& stack = session.stack();
  const bool rollback = stack.status == "ROLLBACK_IN_PROGRESS";
  Sides sides;
  TRY_ASSIGN(Side current, session.Current());
  sides.push_back(std::move(current));
  if (!stack.next_source.empty()) {
    TRY_ASSIGN(Side next, session.Next());
    sides.push_back(std::move(next));
  }
  const Leaving leaving = Everything(session);
  if (!WorkOnRemoval(session, sides, leaving, rollback)) return {};
  const bool gone =
      std::ranges::all_of(leaving, [](const ResourceRecord* record) { return record->Gone(); });
  if (!gone) {
    if (!Any(leaving, "DELETE_FAILED")) return {};  // the next look goes on
    std::vector<std::string> names;
    for (const ResourceRecord* record : leaving) {
      if (record->status == "DELETE_FAILED") names.push_back(record->logical_id);
    }
    session.SetStatus(
        rollback ? "ROLLBACK_FAILED" : "DELETE_FAILED",
        fmt::format("The following resource(s) failed to delete: [{}]. ", fmt::join(names, ", ")));
    return {};
  }
  TRY(session.UseImports(nullptr));
  if (rollback) {
    session.SetStatus("ROLLBACK_COMPLETE", "");
    return {};
  }
  stack.deleted = session.now();
  session.ReleaseName();
  session.SetStatus("DELETE_COMPLETE", "");
  return {};
}

}  // namespace howdah::cfn
