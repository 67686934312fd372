// What a user can ask of the fleet. Each command commits the changed record *and* the run that will
// carry it out in one transaction, and returns at once; the status is then visible to everybody.
// Values have been validated by the caller in the words of its own API; here stands what must hold
// whoever asks: a name is unique, one run at a time works on an instance.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "fleet/context.h"
#include "fleet/records.h"

namespace howdah::fleet {

struct NewInstance {
  std::string identifier;
  std::string version;
  std::string database;
  std::string master_user;
  std::string subnet_group;
  std::string vpc;
  std::string zone;            // first node
  std::string secondary_zone;  // second node, if ever
  Settings settings;
  Tags tags;
  // A planned restore (BackupShelf::Plan says the backup) and the sentence of its event.
  nodes::Restore restore;
  std::string restored_from;
};

// kAlreadyExists: the identifier is taken. kNotFound: the subnet group is gone, or the backup that
// is to be restored. kConflict: the group changed just now.
Result<Instance> CreateInstance(const Context& context, const NewInstance& wish);

struct Deletion {
  std::string final_snapshot;  // empty: none is taken
  bool keeps_backups = false;  // its automated backups outlive it
};
// kNotFound; kFailedState: a deletion is under way already, or there is nothing to take a final
// snapshot of; kAlreadyExists, kExhausted: of the final snapshot. A creation or change under way is
// undone first.
Result<Instance> DeleteInstance(const Context& context, std::string_view identifier,
                                const Deletion& how = {});

struct Change {
  Settings settings;           // whole, as they should be from now on
  std::string new_identifier;  // empty: keeps its name
  Deferred deferred;           // whole, what waits from now on
};
// What nobody has to carry out (protection, windows, what waits) is true at once and needs no run.
// kFailedState: another run works on the instance, or it is not available. kAlreadyExists: the new
// name is taken. kConflict: the instance is not at its revision any more.
Result<Instance> ModifyInstance(const Context& context, const Versioned<Instance>& instance,
                                const Change& change);

Result<Instance> RebootInstance(const Context& context, std::string_view identifier);
// Reboot with failover: the standby becomes primary. kFailedState: not available, or the standby
// may not be promoted now.
Result<Instance> FailoverInstance(const Context& context, std::string_view identifier);
// An operator's call where nothing may be promoted any more: the standby becomes primary although
// it lacks what was acknowledged without it. kUnavailable where there is no such standby.
Result<Instance> FailoverAcceptingDataLoss(const Context& context, std::string_view identifier);
// `snapshot`: taken first; empty: none.
Result<Instance> StopInstance(const Context& context, std::string_view identifier,
                              const std::string& snapshot = "");
Result<Instance> StartInstance(const Context& context, std::string_view identifier);

// Changes tags only; no run. kConflict is retried inside.
Result<> SetTags(const Context& context, std::string_view identifier, const Tags& add,
                 const std::vector<std::string>& remove);

}  // namespace howdah::fleet
