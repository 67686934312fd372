// Reading and writing the room's documents.
#pragma once

#include "services/cloudformation/documents.h"

namespace howdah::cfn {

// A stack as it was read, so that a write can say that nobody else wrote in between.
struct StoredStack {
  Stack stack;
  store::Revision revision = 0;  // 0: it is new
};
Result<StoredStack> GetStack(store::Store& store, std::string_view id);
Result<std::vector<Stack>> ListStacks(store::Store& store);  // deleted ones too, the newest first
Result<std::vector<ChangeSet>> ListChangeSets(store::Store& store, std::string_view stack_id);
Result<std::vector<Event>> ListEvents(store::Store& store, std::string_view stack_id);

// Adds the stack's write, with its compare.
void PutStack(store::Transaction& transaction, const StoredStack& stored);
// Adds an event, numbered after the stack's last; PutStack must follow in the same transaction.
void PutEvent(store::Transaction& transaction, Stack& stack, Event event);
// The stack's new status with its event.
void SetStackStatus(store::Transaction& transaction, Stack& stack, std::string status,
                    std::string reason, WallTime now);
// A resource's new status with its event.
void SetResourceStatus(store::Transaction& transaction, Stack& stack, ResourceRecord& resource,
                       std::string status, std::string reason, WallTime now);

}  // namespace howdah::cfn
