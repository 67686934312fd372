// Turning an update around: what its records are to become when it is undone. Needs nothing but the
// stack, so that a handler (CancelUpdateStack, RollbackStack) and the workflow can do it.
#pragma once

#include "services/cloudformation/stack_store.h"

namespace howdah::cfn {

// From UPDATE_IN_PROGRESS, or UPDATE_FAILED, to UPDATE_ROLLBACK_IN_PROGRESS.
void TurnUpdateAround(store::Transaction& transaction, Stack& stack, std::string why, WallTime now);
// What is being made or changed right now is so no longer: its status says "cancelled".
void CancelWhatIsUnderWay(store::Transaction& transaction, Stack& stack, WallTime now);

}  // namespace howdah::cfn
