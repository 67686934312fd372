#include "fleet/steps.h"

#include <fmt/format.h>

#include "fleet/journal.h"
#include "fleet/keys.h"
#include "fleet/node_plan.h"
#include "fleet/storage.h"
#include "ha/step.h"
#include "nodes/route.h"
#include "vpc/interfaces.h"

namespace howdah::fleet {

namespace {

// Observed documents wake the run; this is only the net below.
constexpr Duration kLookAgain = 500ms;

constexpr std::string_view kRequesterId = "amazon-rds";
constexpr std::string_view kInterfaceDescription = "RDSNetworkInterface";

std::vector<NodeId> NodesOf(const Instance& instance) {
  std::vector<NodeId> nodes = {instance.first_node};
  if (!instance.second_node.empty()) nodes.push_back(instance.second_node);
  return nodes;
}

Result<vpc::Interface> ReserveOne(const Context& context, StepContext& step,
                                  const Instance& instance, const std::string& zone,
                                  const NodeId& node) {
  TRY_ASSIGN(const SubnetGroup group, LoadSubnetGroup(context, instance.subnet_group));
  TRY_ASSIGN(const vpc::Subnet subnet, SubnetInZone(context, group, zone));
  std::vector<vpc::GroupId> groups;
  for (const std::string& id : instance.settings.security_groups) groups.emplace_back(id);
  const std::int64_t port = instance.settings.port;
  return vpc::ReserveInterface(
      context.vpc, step.transaction,
      {.subnet = subnet.id,
       .groups = groups,
       .owner = {.requester_managed = true,
                 .requester_id = std::string(kRequesterId),
                 .description = std::string(kInterfaceDescription),
                 .owner = node.str(),
                 .uid = context.daemon_uid},
       .now = step.now,
       .usable = [&](network::Ipv4 address) { return context.can_listen(address, port); }});
}

// Deletes what is left of a node whose agent says that it is gone. True when nothing is left.
Result<bool> ForgetNode(const Context& context, StepContext& step, const NodeId& node) {
  const Result<store::Document> desired = context.store.Get(nodes::DesiredKey(node));
  if (desired) {
    TRY_ASSIGN(const nodes::Observed observed, LoadObserved(context.store, node));
    if (observed.state != nodes::State::kAbsent) return false;
  } else if (desired.error().code() != Code::kNotFound) {
    return Fail(desired.error());
  }
  step.transaction.deletes.push_back(nodes::DesiredKey(node));
  step.transaction.deletes.push_back(nodes::ObservedKey(node));
  return true;
}

}  // namespace

StepFunction OnInstance(const Context& context, InstanceStep body) {
  return [&context, body = std::move(body)](StepContext& step) -> Next {
    TRY_ASSIGN(Versioned<Instance> instance, LoadInstance(step.store, InstanceId(step.subject)));
    return body(context, step, instance);
  };
}

StepFunction UndoOnInstance(const Context& context, InstanceStep body) {
  return [&context, body = std::move(body)](StepContext& step) -> Next {
    Result<Versioned<Instance>> instance = LoadInstance(step.store, InstanceId(step.subject));
    if (!instance && instance.error().code() == Code::kNotFound) return Next::Done();
    if (!instance) return Next(instance.error());
    return body(context, step, *instance);
  };
}

Next ReserveInterfaces(const Context& context, StepContext& step, Versioned<Instance>& instance) {
  Instance& it = instance.value;
  const bool second = it.settings.multi_az && it.second_interface.empty();
  if (!it.first_interface.empty() && !second) return Next::Done();
  if (it.first_interface.empty()) {
    TRY_ASSIGN(const vpc::Interface interface,
               ReserveOne(context, step, it, it.zone, it.first_node));
    it.first_interface = interface.id.str();
    it.private_address = interface.address.ToString();
    it.host_address = interface.host_address.ToString();
  }
  if (second) {
    TRY_ASSIGN(const vpc::Interface interface,
               ReserveOne(context, step, it, it.secondary_zone, it.second_node));
    it.second_interface = interface.id.str();
  }
  Save(step.transaction, instance);
  return Next::Done();
}

Next ReleaseInterfaces(const Context& context, StepContext& step, Versioned<Instance>& instance) {
  Instance& it = instance.value;
  for (std::string* interface : {&it.first_interface, &it.second_interface}) {
    if (interface->empty()) continue;
    TRY(vpc::ReleaseInterface(context.vpc, step.transaction, vpc::InterfaceId(*interface)));
    interface->clear();
  }
  it.private_address.clear();
  it.host_address.clear();
  Save(step.transaction, instance);
  return Next::Done();
}

// The nodes are made by their hosts: we say that they should run, and look whether they do. The
// high-availability record begins here, with one node.
Next StartNodes(const Context& context, StepContext& step, Versioned<Instance>& instance) {
  if (instance.value.power != nodes::Power::kRunning) {
    const Result<Versioned<ha::Record>> record = LoadRecord(step.store, instance.value.id);
    if (!record && record.error().code() != Code::kNotFound) return Next(record.error());
    if (!record) {
      Versioned<ha::Record> first;
      first.value.primary = instance.value.first_node;
      Save(step.transaction, instance.value.id, first);
    }
    instance.value.power = nodes::Power::kRunning;
    Save(step.transaction, instance);
    return Next::Wait(kLookAgain);
  }
  return AwaitNodesAsWanted(context, step, instance);
}

Next AwaitNodesAsWanted(const Context&, StepContext& step, Versioned<Instance>& instance) {
  const Instance& it = instance.value;
  TRY_ASSIGN(const Versioned<ha::Record> record, LoadRecord(step.store, it.id));
  TRY_ASSIGN(const postgres::Settings settings, NodeSettings(it));
  std::vector<NodeId> nodes = {record.value.primary};
  if (!record.value.standby.empty()) nodes.push_back(record.value.standby);
  for (const NodeId& node : nodes) {
    TRY_ASSIGN(const nodes::Observed observed, LoadObserved(step.store, node));
    if (IsHeldForStorage(observed)) continue;  // it follows when it has storage again
    if (observed.state == nodes::State::kFailed) {
      return Next::Fail(fmt::format("node {}: {}", node.str(), observed.detail));
    }
    const bool is_primary = node == record.value.primary;
    const bool as_wanted =
        observed.state == nodes::State::kRunning && observed.restarts >= it.restarts &&
        observed.settings_hash == nodes::HashOf({settings.begin(), settings.end()}) &&
        (!is_primary || observed.bootstrap_stamp == it.settings.password_stamp);
    if (!as_wanted) return Next::Wait(kLookAgain);
  }
  return Next::Done();
}

Next RemoveNodes(const Context& context, StepContext& step, Versioned<Instance>& instance) {
  if (instance.value.power != nodes::Power::kAbsent) {
    instance.value.power = nodes::Power::kAbsent;
    Save(step.transaction, instance);
    return Next::Wait(kLookAgain);
  }
  for (const NodeId& node : NodesOf(instance.value)) {
    TRY_ASSIGN(const bool gone, ForgetNode(context, step, node));
    if (!gone) {
      step.transaction.deletes.clear();
      return Next::Wait(kLookAgain);
    }
  }
  step.transaction.deletes.push_back(HaKey(instance.value.id));
  TRY(DeleteJournal(context, step.transaction, instance.value.id));
  return Next::Done();
}

Next Protect(const Context& context, StepContext& step, Versioned<Instance>& instance) {
  if (!instance.value.settings.multi_az) return Next::Done();
  TRY_ASSIGN(Versioned<ha::Record> record, LoadRecord(step.store, instance.value.id));
  if (record.value.standby.empty()) {
    record.value = ha::AddStandby(record.value, instance.value.second_node,
                                  system::RandomHex(context.entropy, 16));
    Save(step.transaction, instance.value.id, record);
    return Next::Wait(kLookAgain);
  }
  if (record.value.phase == ha::Phase::kProtected) return Next::Done();
  TRY_ASSIGN(const nodes::Observed standby, LoadObserved(step.store, record.value.standby));
  TRY_ASSIGN(const nodes::Observed primary, LoadObserved(step.store, record.value.primary));
  // Nobody can be protected now; who could wait for more storage would keep it from being asked
  // for.
  if (IsHeldForStorage(primary) || IsHeldForStorage(standby)) return Next::Done();
  if (standby.state == nodes::State::kFailed) {
    return Next::Fail(fmt::format("standby {}: {}", record.value.standby.str(), standby.detail));
  }
  return Next::Wait(kLookAgain);
}

// H5: the record forbids promotion first; the primary lets go because of it; only then does the
// standby's copy go.
Next RemoveStandby(const Context& context, StepContext& step, Versioned<Instance>& instance) {
  Instance& it = instance.value;
  TRY_ASSIGN(Versioned<ha::Record> record, LoadRecord(step.store, it.id));
  if (!record.value.standby.empty()) {
    if (ha::IsChangingRoles(record.value)) return Next::Wait(kLookAgain);
    TRY_ASSIGN(record.value, ha::RemoveStandby(record.value));
    Save(step.transaction, it.id, record);
    return Next::Wait(kLookAgain);
  }
  TRY_ASSIGN(const nodes::Observed primary, LoadObserved(step.store, record.value.primary));
  // A change that is taken back does not wait for a primary that is down: nobody waits in it.
  const bool is_down = !step.failure.empty() && primary.state != nodes::State::kRunning;
  if (!primary.effective_token.empty() && !is_down) return Next::Wait(kLookAgain);
  if (it.second_node.empty()) return Next::Done();
  const bool exchanged = record.value.primary == it.second_node;
  TRY_ASSIGN(const bool gone,
             ForgetNode(context, step, exchanged ? it.first_node : it.second_node));
  if (!gone) return Next::Wait(kLookAgain);
  if (exchanged) {
    it.first_node = it.second_node;
    std::swap(it.zone, it.secondary_zone);
  }
  if (!it.second_interface.empty()) {
    TRY(vpc::ReleaseInterface(context.vpc, step.transaction,
                              vpc::InterfaceId(it.second_interface)));
  }
  it.second_interface.clear();
  it.second_node = NodeId();
  Save(step.transaction, instance);
  return Next::Done();
}

Next OpenEndpoint(const Context& context, StepContext& step, Versioned<Instance>& instance) {
  const Instance& it = instance.value;
  if (!it.endpoint_open) {
    instance.value.endpoint_open = true;
    Save(step.transaction, instance);
    return Next::Wait(kLookAgain);
  }
  TRY_ASSIGN(const nodes::RouteObserved observed, LoadRouteObserved(context.store, it.id));
  if (!observed.error.empty()) {
    return Next::Fail(fmt::format("the endpoint {}:{} cannot be opened: {}", it.host_address,
                                  it.settings.port, observed.error));
  }
  const bool listens = observed.address == it.host_address && observed.port == it.settings.port;
  if (!listens) return Next::Wait(kLookAgain);
  if (observed.open) return Next::Done();
  TRY_ASSIGN(const Versioned<ha::Record> record, LoadRecord(step.store, it.id));
  TRY_ASSIGN(const nodes::Observed primary, LoadObserved(step.store, record.value.primary));
  return IsHeldForStorage(primary) ? Next::Done() : Next::Wait(kLookAgain);
}

Next CloseEndpoint(const Context& context, StepContext& step, Versioned<Instance>& instance) {
  if (instance.value.endpoint_open) {
    instance.value.endpoint_open = false;
    Save(step.transaction, instance);
    return Next::Wait(kLookAgain);
  }
  const Result<store::Document> route = context.store.Get(nodes::RouteKey(instance.value.id));
  if (route) return Next::Wait(kLookAgain);
  TRY_ASSIGN(const nodes::RouteObserved observed,
             LoadRouteObserved(context.store, instance.value.id));
  return observed.address.empty() ? Next::Done() : Next::Wait(kLookAgain);
}

}  // namespace howdah::fleet
