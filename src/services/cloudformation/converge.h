// The steps by which a stack comes to be, changes and goes. Each function does what can be done now
// for every resource that is due, side by side, and returns; the workflow calls again.
#pragma once

#include "services/cloudformation/session.h"

namespace howdah::cfn {

Result<> AdvanceCreate(Session& session);
Result<> AdvanceRemoval(Session& session);  // delete, and rollback of a creation
Result<> AdvanceUpdate(Session& session);
Result<> AdvanceUpdateRollback(Session& session);
Result<> AdvanceCleanup(Session& session);  // after an update, or after its rollback

// Shared between them.

// Ends a creation as the stack's OnFailure says.
void StopCreation(Session& session, std::string_view why);
// Turns the plan of an update around.
void BeginUpdateRollback(Session& session, std::string_view why);

// Chooses, before anything is called, by what the thing will be known.
void BeginCreation(Session& session, ResourceRecord& record);
// Goes on with a resource in CREATE_IN_PROGRESS; ends in CREATE_COMPLETE or CREATE_FAILED.
void WorkOnCreation(Session& session, ResourceRecord& record, const Side& side);
// Goes on with the removal of the records for which `due` holds. True when none is left to try.
bool WorkOnRemoval(Session& session, const Side& side,
                   const std::function<bool(const ResourceRecord&)>& due, bool creation_undone);
// "A, B": the records with this status.
std::string NamesWithStatus(const Stack& stack, std::string_view status);
bool AnyWithStatus(const Stack& stack, std::string_view status);
// A fault in work on a record: another try, or the end with `status`.
void Settle(Session& session, ResourceRecord& record, const aws::Outcome<bool>& outcome,
            std::string_view verb);

}  // namespace howdah::cfn
