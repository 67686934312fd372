// What a user can ask of the fleet about backups. As with instances: a command commits the changed
// documents and the run that carries them out in one transaction, and returns at once.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "fleet/backup_records.h"
#include "fleet/commands.h"

namespace howdah::fleet {

struct NewSnapshot {
  std::string identifier;
  Tags tags;  // beside those that the instance hands on
};

// kNotFound: the instance; kFailedState: it is not available; kAlreadyExists: the name is taken;
// kExhausted: there are as many as there may be.
Result<DbSnapshot> CreateSnapshot(const Context& context, std::string_view instance,
                                  const NewSnapshot& wish);
// The same for an automated one, under the name of the moment.
Result<DbSnapshot> CreateAutomatedSnapshot(const Context& context, std::string_view instance);
// Another name for what `source` names, which then may go. `copy_tags`: its tags too. kFailedState:
// the source is not available.
Result<DbSnapshot> CopySnapshot(const Context& context, std::string_view source,
                                const NewSnapshot& wish, bool copy_tags);
// kNotFound; kFailedState, with the reason: it is being taken, or it is an automated one.
Result<DbSnapshot> DeleteSnapshot(const Context& context, std::string_view identifier);
Result<> SetSnapshotTags(const Context& context, std::string_view identifier, const Tags& add,
                         const std::vector<std::string>& remove);

// Of an instance that is deleted. kFailedState: it is there.
Result<AutomatedBackup> DeleteAutomatedBackup(const Context& context, const InstanceId& id);

}  // namespace howdah::fleet
