// Removal: a resource goes when nothing that depends on it is left. What the template wants kept is
// kept. A thing that an interrupted creation may have made is looked for, and goes too.
#include <fmt/format.h>

#include <algorithm>

#include "services/cloudformation/converge.h"

namespace howdah::cfn {

namespace {

// Others may let go of it a little later: two minutes of tries. A DB instance may be busy for
// longer, and says so by its state.
constexpr std::int64_t kMaxAttempts = 600;

bool IsDependency(const Stack& stack, const std::string& logical_id) {
  return std::ranges::any_of(stack.resources, [&](const ResourceRecord& other) {
    return !other.Gone() && !other.status.empty() &&
           std::ranges::find(other.depends_on, logical_id) != other.depends_on.end();
  });
}

bool IsKept(const ResourceRecord& record, bool creation_undone) {
  return record.policy == DeletionPolicy::kRetain ||
         (record.policy == DeletionPolicy::kRetainExceptOnCreate && !creation_undone);
}

bool WillLetGo(const aws::Fault& fault) {
  return MayPass(fault) || fault.code == "DependencyViolation" ||
         fault.code.starts_with("InvalidDBInstanceState") ||
         fault.code.starts_with("InvalidDBSubnetGroupState");
}

aws::Outcome<bool> Remove(Session& session, ResourceRecord& record, const Side& side) {
  const Provider& provider = session.ProviderOf(record);
  if (record.physical_id.empty()) {
    const auto properties = session.Properties(record, side, false);
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
    return;
  }
  if (WillLetGo(gone.error()) && record.attempts < kMaxAttempts) {
    session.CountTry(record);
    return;
  }
  session.SetStatus(record, "DELETE_FAILED",
                    FailureText(gone.error(), record.type, session.world().entropy));
}

}  // namespace

bool WorkOnRemoval(Session& session, const Side& side,
                   const std::function<bool(const ResourceRecord&)>& due, bool creation_undone) {
  Stack& stack = session.stack();
  const auto erased = std::erase_if(stack.resources, [&](const ResourceRecord& record) {
    return due(record) && record.status.empty();
  });
  if (erased > 0) session.Touch();
  bool left = false;
  for (ResourceRecord& record : stack.resources) {
    if (!due(record) || record.Gone() || record.status == "DELETE_FAILED") continue;
    if (record.status != "DELETE_IN_PROGRESS") {
      if (IsDependency(stack, record.logical_id)) {
        // Blocked for good only by what failed; then the end is near anyway.
        left = left || !AnyWithStatus(stack, "DELETE_FAILED") ||
               AnyWithStatus(stack, "DELETE_IN_PROGRESS");
        continue;
      }
      if (IsKept(record, creation_undone)) {
        session.SetStatus(record, "DELETE_SKIPPED");
        continue;
      }
      record.attempts = 0;
      session.SetStatus(record, "DELETE_IN_PROGRESS");
    }
    WorkOn(session, record, side);
    left = left || record.status == "DELETE_IN_PROGRESS";
  }
  return !left;
}

Result<> AdvanceRemoval(Session& session) {
  Stack& stack = session.stack();
  const bool rollback = stack.status == "ROLLBACK_IN_PROGRESS";
  const auto all = [](const ResourceRecord&) { return true; };
  TRY_ASSIGN(const Side side, session.Current());
  if (!WorkOnRemoval(session, side, all, rollback)) return {};
  const bool gone = std::ranges::all_of(stack.resources, &ResourceRecord::Gone);
  if (!gone) {
    if (!AnyWithStatus(stack, "DELETE_FAILED")) return {};  // the next look goes on
    session.SetStatus(rollback ? "ROLLBACK_FAILED" : "DELETE_FAILED",
                      fmt::format("The following resource(s) failed to delete: [{}]. ",
                                  NamesWithStatus(stack, "DELETE_FAILED")));
    return {};
  }
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
