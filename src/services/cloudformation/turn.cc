// The plan of an update turned around, record by record.
#include "services/cloudformation/turn.h"

#include <algorithm>
#include <utility>

namespace howdah::cfn {

namespace {

// The old thing is the resource's again, and the new one is to go.
void TakeBack(Stack& stack, ResourceRecord& record) {
  const auto old = std::ranges::find_if(stack.retired, [&](const ResourceRecord& one) {
    return one.logical_id == record.logical_id && one.goal == "standby";
  });
  if (old == stack.retired.end()) return;
  std::swap(record.physical_id, old->physical_id);
  std::swap(record.physical_name, old->physical_name);
  std::swap(record.token, old->token);
  old->policy = DeletionPolicy::kDelete;
  old->goal = "remove";
  old->status = "UPDATE_FAILED";  // begun, in a removal's eyes
}

}  // namespace

void CancelWhatIsUnderWay(store::Transaction& transaction, Stack& stack, WallTime now) {
  for (ResourceRecord& record : stack.resources) {
    if (record.status == "CREATE_IN_PROGRESS") {
      SetResourceStatus(transaction, stack, record, "CREATE_FAILED", "Resource creation cancelled",
                        now);
    } else if (record.status == "UPDATE_IN_PROGRESS") {
      SetResourceStatus(transaction, stack, record, "UPDATE_FAILED", "Resource update cancelled",
                        now);
    }
  }
}

void TurnUpdateAround(store::Transaction& transaction, Stack& stack, std::string why,
                      WallTime now) {
  CancelWhatIsUnderWay(transaction, stack, now);
  for (ResourceRecord& record : stack.resources) {
    if (record.goal == "add") {
      record.goal = "remove";
    } else if (record.goal == "replace") {
      TakeBack(stack, record);
      record.goal = "revert";
    } else if (record.goal == "modify") {
      record.goal = !record.after.empty()              ? "restore"
                    : record.status == "UPDATE_FAILED" ? "revert"
                                                       : "";
    } else if (record.goal == "remove") {
      record.goal.clear();
    }
    if (record.goal == "restore") {
      record.initiated = record.configured = false;
      record.attempts = 0;
    }
  }
  SetStackStatus(transaction, stack, "UPDATE_ROLLBACK_IN_PROGRESS", std::move(why), now);
}

}  // namespace howdah::cfn
