// Steps around a DB snapshot that several workflows share: creating one, the first one of an
// instance, the last one before a deletion or a stop. The name of the snapshot is in the frame,
// under "snapshot"; where there is none, there is nothing to do.
#pragma once

#include "fleet/backup_records.h"
#include "fleet/steps.h"

namespace howdah::fleet {

// "rds:<identifier>-YYYY-MM-DD-hh-mm", UTC.
std::string AutomatedSnapshotName(std::string_view identifier, WallTime now);

// A document for a snapshot that is to be taken now.
DbSnapshot NewDbSnapshot(const Instance& instance, std::string identifier, bool automated,
                         WallTime now);

// The snapshot is taken by an agent, and awaited. An attempt that fails is made again, a few times.
Next TakeSnapshot(const Context& context, StepContext& step, Versioned<Instance>& instance);
// Undo: what is not finished is called off, and forgotten with all that belongs to it.
Next DropSnapshot(const Context& context, StepContext& step, Versioned<Instance>& instance);

// The first automated snapshot of an instance whose backups are on: part of becoming available, as
// on RDS. It failing fails nothing else: the reconciler tries again.
Next BeginFirstSnapshot(const Context& context, StepContext& step, Versioned<Instance>& instance);
Next TakeFirstSnapshot(const Context& context, StepContext& step, Versioned<Instance>& instance);

}  // namespace howdah::fleet
