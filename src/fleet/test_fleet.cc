#include "fleet/test_fleet.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <set>
#include <stdexcept>

#include "fleet/backup_records.h"
#include "fleet/event.h"
#include "fleet/keys.h"
#include "fleet/storage.h"
#include "fleet/subnet_group.h"
#include "fleet/workflows.h"
#include "nodes/route.h"
#include "vpc/groups.h"
#include "vpc/interfaces.h"
#include "vpc/vpcs.h"

namespace howdah::fleet {

namespace {

template <typename T>
T Must(Result<T> result) {
  if (!result) throw std::runtime_error("test fleet: " + result.error().what());
  return *std::move(result);
}
void Must(const Result<>& result) {
  if (!result) throw std::runtime_error("test fleet: " + result.error().what());
}

std::vector<NodeId> NodesOf(const std::optional<Instance>& instance) {
  if (!instance || instance->power == nodes::Power::kAbsent) return {};
  std::vector<NodeId> nodes = {instance->first_node};
  if (instance->settings.multi_az) nodes.push_back(instance->second_node);
  return nodes;
}

}  // namespace

TestFleet::TestFleet(std::uint64_t seed)
    : entropy(seed), host(*store), context(MakeContext(*store)) {
  MakeNetwork();
}

TestFleet::TestFleet(const Snapshot& from, std::uint64_t seed)
    : entropy(seed), host(*store), context(MakeContext(*store)) {
  store.clock.Advance(from.age);
  Must(store->Commit({.compares = {}, .puts = from.documents, .deletes = {}}));
  host.Restore(from.host);
  for (const auto& group : Must(vpc::List<vpc::SecurityGroup>(*store))) {
    groups.push_back(group.id.str());
  }
}

Snapshot TestFleet::Keep() {
  Snapshot snapshot{.documents = {}, .host = host.state(), .age = store.clock.Now() - start_};
  for (const store::Document& document : Must(store->List("/")).documents) {
    snapshot.documents.push_back({document.key, document.value, ""});
  }
  return snapshot;
}

void TestFleet::MakeNetwork() {
  SubnetGroup group{.name = "db-subnet-group", .description = "both zones"};
  Must(vpc::Transact(*store, [&](store::Transaction& transaction) -> Result<> {
    TRY_ASSIGN(const network::Cidr range, network::Cidr::Parse("10.0.0.0/16"));
    TRY_ASSIGN(const vpc::Vpc vpc,
               vpc::CreateVpc(context->vpc, transaction, {.cidr = range, .tags = {}}));
    group.vpc = vpc.id.str();
    for (const auto& [cidr, zone] :
         {std::pair("10.0.1.0/24", "us-west-2a"), std::pair("10.0.2.0/24", "us-west-2b")}) {
      TRY_ASSIGN(const network::Cidr part, network::Cidr::Parse(cidr));
      TRY_ASSIGN(const vpc::Subnet subnet,
                 vpc::CreateSubnet(context->vpc, transaction,
                                   {.vpc = vpc.id, .cidr = part, .zone = zone, .tags = {}}));
      group.subnets.push_back(subnet.id.str());
    }
    TRY(vpc::CreateSecurityGroup(
        context->vpc, transaction,
        {.vpc = vpc.id, .name = "db-security-group", .description = "db", .tags = {}}));
    return {};
  }));
  Must(store->Commit(
      {.compares = {}, .puts = {{SubnetGroupKey(group.name), Format(group), ""}}, .deletes = {}}));
  for (const auto& made : Must(vpc::List<vpc::SecurityGroup>(*store))) {
    groups.push_back(made.id.str());
  }
}

std::shared_ptr<Context> TestFleet::MakeContext(store::Store& through, store::FaultPlan* faults) {
  struct Made {
    SimulatedShelf shelf;
    Context context;
  };
  auto made = std::make_shared<Made>(
      Made{.shelf = SimulatedShelf(host.shelf(), faults),
           .context = {.store = through,
                       .clock = store.clock,
                       .entropy = entropy,
                       .vpc = {through, entropy, region_, driver_},
                       .account = "000000000000",
                       .region = "us-west-2",
                       .seal = [](std::string_view plain, std::string_view) -> Result<std::string> {
                         return "sealed:" + std::string(plain);
                       },
                       .engines = [] { return Result<std::vector<postgres::Engine>>(); },
                       .can_listen =
                           [faults](network::Ipv4, std::int64_t) {
                             const auto ask = []() -> Result<bool> { return true; };
                             return faults == nullptr || faults->Reach(ask).value_or(false);
                           },
                       .log = log_}});
  made->context.shelf = &made->shelf;
  made->context.restore_tests = std::chrono::days(0);  // a test that wants one asks for it
  return {made, &made->context};
}

NewInstance TestFleet::Wish(bool multi_az) const {
  NewInstance wish{.identifier = std::string(kTestName),
                   .version = "14.17",
                   .database = "appdb",
                   .master_user = "master",
                   .subnet_group = "db-subnet-group",
                   .zone = "us-west-2a",
                   .secondary_zone = "us-west-2b"};
  wish.settings.instance_class = "db.t3.micro";
  wish.settings.multi_az = multi_az;
  wish.settings.security_groups = {groups.at(0)};
  wish.settings.master_verifier = "SCRAM-SHA-256$1";
  return wish;
}

void TestFleet::Tick() {
  store.clock.Advance(100ms);
  host.now = store.clock.Now();
  host.Tick();
}

bool TestFleet::Run(int ticks, const std::function<bool()>& until) {
  workflow::Engine engine({.workers = 1}, *store, store.clock, log_);
  RegisterAll(engine, *context);
  for (int tick = 0;; ++tick) {
    for (int i = 0; i < 1000 && engine.StepOnce(); ++i) {
    }
    if (until()) return true;
    if (tick >= ticks) return false;
    Tick();
  }
}

void TestFleet::RunFor(int ticks) {
  Run(ticks, [] { return false; });
}

bool TestFleet::RunUntilIdle(int ticks) {
  return Run(ticks, [this] {
    for (const workflow::Run& run : Must(workflow::ListRuns(*store))) {
      if (!workflow::IsFinished(run)) return false;
    }
    return true;
  });
}

std::optional<Instance> TestFleet::Find(std::string_view name) {
  const Result<Versioned<Instance>> found = FindInstance(*store, name);
  if (!found) return std::nullopt;
  return found->value;
}

std::optional<Instance> TestFleet::Only() {
  const std::vector<Instance> all = Must(ListInstances(*store));
  if (all.empty()) return std::nullopt;
  return all.front();
}

std::string TestFleet::Status(std::string_view name) {
  const std::optional<Instance> instance = Find(name);
  return instance ? StatusOf(*instance, Must(ActiveRun(*store, *instance)),
                             Must(StorageOf(*store, *instance)))
                  : "gone";
}

std::string TestFleet::Summary() {
  const std::optional<Instance> instance = Only();
  if (!instance) return "gone" + Snapshots();
  const Settings& settings = instance->settings;
  const auto record = LoadRecord(*store, instance->id);
  std::vector<std::string> states;
  for (const NodeId& node : NodesOf(instance)) {
    const nodes::Observed observed = Must(LoadObserved(*store, node));
    const auto machine = host.state().machines.find(node);
    const bool known = machine != host.state().machines.end();
    states.push_back(fmt::format("{} password {}", nodes::StateName(observed.state),
                                 known ? machine->second.verifier : "none"));
  }
  return fmt::format("{} {} {} {} {} port {} verifier {} groups {} phase {} nodes {} at {} {}",
                     instance->identifier, Status(instance->identifier), settings.instance_class,
                     settings.multi_az ? "multi" : "single", Snapshots(), settings.port,
                     settings.master_verifier, fmt::join(settings.security_groups, "+"),
                     record ? ha::PhaseName(record->value.phase) : "none", fmt::join(states, ", "),
                     fmt::join(host.state().listening, ","), instance->failure);
}

// The names of automated ones tell the minute, which tests do not share.
std::string TestFleet::Snapshots() {
  std::string text;
  for (const auto& [snapshot, revision] : Must(ListDbSnapshots(*store))) {
    text += fmt::format(" [{} {}]", snapshot.automated ? "automated" : snapshot.identifier,
                        StatusOf(snapshot));
  }
  return text;
}

std::vector<std::string> TestFleet::Messages() {
  std::vector<std::string> messages;
  for (const Event& event : Must(ListEvents(*store))) messages.push_back(event.message);
  return messages;
}

std::vector<std::string> TestFleet::Leftovers() {
  const std::optional<Instance> instance = Only();
  std::vector<std::string> found(host.state().violations.begin(), host.state().violations.end());
  if (instance && instance->settings.multi_az == instance->second_node.empty() &&
      instance->failure.empty()) {
    found.push_back("a second node in the record that disagrees with multi_az");
  }
  FindLeftDocuments(instance, found);
  FindLeftInterfaces(instance, found);
  FindLeftOnHost(instance, found);
  FindLeftBackups(found);
  return found;
}

// Every backup of the repository is known and needed by somebody who is there, or is going.
void TestFleet::FindLeftBackups(std::vector<std::string>& found) {
  for (const std::string_view prefix : {nodes::kBackupTasksPrefix, nodes::kBackupStatesPrefix}) {
    for (const store::Document& document : Must(store->List(prefix)).documents) {
      found.push_back("document " + document.key);
    }
  }
  std::set<std::string> users;
  std::set<std::string> known;
  for (const auto& [snapshot, revision] : Must(ListDbSnapshots(*store))) {
    if (StatusOf(snapshot) == "creating") found.push_back("unfinished " + snapshot.identifier);
    if (!snapshot.IsAvailable()) continue;
    users.insert(SnapshotUser(snapshot.identifier));
    if (!host.shelf().backups.contains(snapshot.backup)) {
      found.push_back("missing backup of " + snapshot.identifier);
    }
  }
  for (const auto& [record, revision] : Must(ListBackupRecords(*store))) {
    known.insert(record.id);
    for (const std::string& user : record.users) {
      if (users.erase(user) == 0) found.push_back("unknown user " + user);
    }
  }
  for (const std::string& user : users) found.push_back("missing record for " + user);
  for (const auto& [id, backup] : host.shelf().backups) {
    if (!known.contains(id)) found.push_back("backup " + id);
  }
}

void TestFleet::FindLeftDocuments(const std::optional<Instance>& instance,
                                  std::vector<std::string>& found) {
  std::set<std::string> good;
  for (const NodeId& node : NodesOf(instance)) {
    good.insert(nodes::DesiredKey(node));
    good.insert(nodes::ObservedKey(node));
    good.insert(HaKey(instance->id));
  }
  if (instance && instance->endpoint_open) {
    good.insert(nodes::RouteKey(instance->id));
    good.insert(nodes::RouteObservedKey(instance->id));
  }
  if (instance) {
    good.insert(InstanceKey(instance->id));
    good.insert(InstanceNameKey(instance->identifier));
  }
  for (const store::Document& document : Must(store->List("/")).documents) {
    const bool ours = document.key.starts_with("/nodes/") || document.key.starts_with("/ha/") ||
                      document.key.starts_with("/routes") || document.key.starts_with("/instance");
    if (ours && good.erase(document.key) == 0) found.push_back("document " + document.key);
  }
  for (const std::string& key : good) found.push_back("missing document " + key);
}

void TestFleet::FindLeftInterfaces(const std::optional<Instance>& instance,
                                   std::vector<std::string>& found) {
  std::map<std::string, std::int64_t> uses;
  std::set<std::string> good;
  if (instance && !instance->first_interface.empty()) good.insert(instance->first_interface);
  if (instance && !instance->second_interface.empty()) good.insert(instance->second_interface);
  for (const auto& interface : Must(vpc::List<vpc::Interface>(*store))) {
    if (good.erase(interface.id.str()) == 0) found.push_back("interface " + interface.id.str());
    ++uses[interface.subnet.str()];
    ++uses[vpc::AddressKey(interface.vpc, interface.address)];
    for (const vpc::GroupId& group : interface.groups) ++uses[group.str()];
    if (instance && interface.groups.at(0).str() != instance->settings.security_groups.at(0)) {
      found.push_back("interface in other groups than the instance");
    }
  }
  for (const std::string& id : good) found.push_back("missing interface " + id);
  for (const auto& subnet : Must(vpc::List<vpc::Subnet>(*store))) {
    if (subnet.uses != uses[subnet.id.str()]) found.push_back("uses of subnet " + subnet.id.str());
  }
  for (const auto& group : Must(vpc::List<vpc::SecurityGroup>(*store))) {
    if (group.uses != uses[group.id.str()]) found.push_back("uses of group " + group.id.str());
  }
  for (const auto& vpc : Must(vpc::List<vpc::Vpc>(*store))) {
    for (const auto& document : Must(store->List(vpc::AddressPrefix(vpc.id))).documents) {
      if (uses[document.key] != 1) found.push_back("address " + document.key);
    }
  }
}

void TestFleet::FindLeftOnHost(const std::optional<Instance>& instance,
                               std::vector<std::string>& found) {
  std::map<NodeId, SimulatedHost::Machine> machines = host.state().machines;
  for (const NodeId& node : NodesOf(instance)) {
    const SimulatedHost::Machine& machine = machines[node];
    if (!machine.directory) found.push_back("missing directory " + node.str());
    if (machine.process != (instance->power == nodes::Power::kRunning)) {
      found.push_back((machine.process ? "process " : "missing process ") + node.str());
    }
    machines.erase(node);
  }
  for (const auto& [node, machine] : machines) {
    if (machine.directory) found.push_back("directory " + node.str());
    if (machine.process) found.push_back("process " + node.str());
  }
  std::set<std::string> listening = host.state().listening;
  if (instance && instance->endpoint_open) {
    const std::string place = fmt::format("{}:{}", instance->host_address, instance->settings.port);
    if (listening.erase(place) == 0) found.push_back("missing endpoint " + place);
  }
  for (const std::string& place : listening) found.push_back("endpoint " + place);
}

}  // namespace howdah::fleet
