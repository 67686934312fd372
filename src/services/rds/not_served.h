// Parameters of AWS's that Howdah cannot keep the promise of yet. They are refused, never stored.
#pragma once

#include "services/rds/handlers.h"

namespace howdah::services::rds {

// A value that asks for what RDS does by default anyway (false, 0, the default group) is no wish.
Outcome<void> RefuseNotServed(const api::CreateDBInstanceMessage& in, int major);
// What a creation has too is refused there.
Outcome<void> RefuseNotServed(const api::RestoreDBInstanceFromDBSnapshotMessage& in);
Outcome<void> RefuseNotServed(const api::RestoreDBInstanceToPointInTimeMessage& in);
Outcome<void> RefuseNotServed(const fleet::Context& context, const api::ModifyDBInstanceMessage& in,
                              const fleet::Instance& instance);

}  // namespace howdah::services::rds
