// Carries out a ModifyDBInstance. The wish is in the frame: until it is taken over, the instance
// shows its old values and the new ones as pending, as on RDS.
#include "fleet/keys.h"
#include "fleet/steps.h"
#include "fleet/workflows.h"
#include "vpc/interfaces.h"

namespace howdah::fleet {

namespace {

Next TakeOver(const Context& context, StepContext& step, Versioned<Instance>& instance) {
  Instance& it = instance.value;
  const Settings wanted = SettingsFromJson(JsonObject(step.frame, "settings"));
  const bool needs_restart = wanted.instance_class != it.settings.instance_class;
  const bool new_groups = wanted.security_groups != it.settings.security_groups;
  const bool new_password = wanted.password_stamp != it.settings.password_stamp;
  if (needs_restart) ++it.restarts;
  if (wanted.multi_az && it.second_node.empty()) {
    it.second_node = NodeId("n-" + system::RandomHex(context.entropy, 10));
  }
  it.settings = wanted;
  if (new_groups) {
    std::vector<vpc::GroupId> groups;
    for (const std::string& id : wanted.security_groups) groups.emplace_back(id);
    for (const std::string& interface : {it.first_interface, it.second_interface}) {
      if (interface.empty()) continue;
      TRY(vpc::SetInterfaceGroups(context.vpc, step.transaction, vpc::InterfaceId(interface),
                                  groups));
    }
  }
  Save(step.transaction, instance);
  if (new_password) {
    Tell(context, step.transaction, it, "Reset master credentials", "configuration change");
  }
  return Next::Done();
}

Next FollowMultiAz(const Context& context, StepContext& step, Versioned<Instance>& instance) {
  if (!instance.value.settings.multi_az) {
    if (instance.value.second_node.empty()) return Next::Done();
    return RemoveStandby(context, step, instance);
  }
  return Protect(context, step, instance);
}

Next Announce(const Context& context, StepContext& step, Versioned<Instance>& instance) {
  for (const std::string& message : JsonStrings(step.frame, "announcements")) {
    Tell(context, step.transaction, instance.value, message, "configuration change");
  }
  return Next::Done();
}

Next TellFailure(const Context& context, StepContext& step, Versioned<Instance>& instance) {
  Tell(context, step.transaction, instance.value,
       "DB instance could not be modified: " + step.failure, "failure");
  return Next::Done();
}

}  // namespace

workflow::Workflow ModifyInstanceWorkflow(const Context& context) {
  const auto run = [&context](InstanceStep body) { return OnInstance(context, std::move(body)); };
  return {.name = std::string(kModifyInstance),
          .steps = {{"take-over", run(TakeOver), nullptr},
                    {"reserve-interfaces", run(ReserveInterfaces), nullptr},
                    {"change-nodes", run(AwaitNodesAsWanted), nullptr},
                    {"follow-multi-az", run(FollowMultiAz), nullptr},
                    {"await-endpoint", run(OpenEndpoint), nullptr},
                    {"announce", run(Announce), nullptr}},
          .on_failed = UndoOnInstance(context, TellFailure)};
}

}  // namespace howdah::fleet
