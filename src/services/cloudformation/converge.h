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

// Ends a creation, or an update, as the stack's OnFailure says.
void StopCreation(Session& session, std::string_view why);
void StopUpdate(Session& session, std::string_view why);

// Chooses, before anything is called, by what the new thing will be known. The record's status
// becomes CREATE_IN_PROGRESS, or UPDATE_IN_PROGRESS when the thing replaces another.
void BeginCreation(Session& session, ResourceRecord& record, std::string reason = "");
// Goes on with that; ends in _COMPLETE or _FAILED.
void WorkOnCreation(Session& session, ResourceRecord& record, const Side& side);

// The templates in which a resource that goes may be described, the likeliest first.
using Sides = std::vector<Side>;
// Goes on with the removal of these records. True when none is left to try.
bool WorkOnRemoval(Session& session, const Sides& sides,
                   const std::vector<ResourceRecord*>& leaving, bool creation_undone);

// "A, B": the records with this status.
std::string NamesWithStatus(const std::vector<ResourceRecord>& records, std::string_view status);
bool AnyWithStatus(const std::vector<ResourceRecord>& records, std::string_view status);
// A fault in work on a record: another try, or the end with `<verb>_FAILED`.
void Settle(Session& session, ResourceRecord& record, const aws::Outcome<bool>& outcome,
            std::string_view verb);
void MarkFailed(Session& session, ResourceRecord& record, const aws::Fault& fault,
                std::string_view verb);

}  // namespace howdah::cfn
