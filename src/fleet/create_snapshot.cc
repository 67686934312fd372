// Takes one DB snapshot of an instance, somebody's own or an automated one. The name was taken by
// the command. What cannot be taken leaves nothing in the repository; a name that somebody asked
// for stays, in status `failed`, and says why.
#include "fleet/backup_steps.h"
#include "fleet/workflows.h"

namespace howdah::fleet {

workflow::Workflow CreateSnapshotWorkflow(const Context& context) {
  return {.name = std::string(kCreateSnapshot),
          .steps = {{"take-snapshot", OnInstance(context, TakeSnapshot),
                     UndoOnInstance(context, DropSnapshot)}}};
}

}  // namespace howdah::fleet
