#include "services/operator/operator.h"

#include <fmt/format.h>

#include "fleet/keys.h"
#include "postgres/catalogue.h"
#include "services/operator/status.h"
#include "vpc/groups.h"
#include "vpc/interfaces.h"
#include "vpc/vpcs.h"

namespace howdah::services {

namespace api = aws::howdah_api;
using aws::Outcome;
using aws::Refuse;
using aws::RequestContext;

namespace {

constexpr std::string_view kTaskRequester = "howdah-task";
constexpr int kFirstMajorThatForcesTls = 15;

std::unexpected<aws::Fault> NotFound(std::string what) {
  return Refuse("ResourceNotFoundException", std::move(what), 404);
}

Outcome<api::GetStatusResponse> GetStatus(const fleet::Context& context, const OperatorHost& host) {
  api::GetStatusResponse out;
  out.version = host.version;
  out.pid = host.pid;
  out.home = host.home;
  out.region = context.region;
  const std::int64_t gateway = host.gateway_pid();
  out.gateway = api::GatewayStatus{.state = gateway != 0 ? "running" : "starting"};
  if (gateway != 0) out.gateway->pid = gateway;
  const auto counts = host.connections();
  const auto instances = fleet::ListInstances(context.store);
  if (!instances) return Refuse(aws::FaultOf(instances.error()));
  for (const fleet::Instance& instance : *instances) {
    const auto found = counts.find(instance.id);
    OUTCOME_ASSIGN(api::InstanceStatus shape,
                   operators::StatusOf(context, host, instance,
                                       found == counts.end() ? ConnectionCounts{} : found->second));
    out.instances.push_back(std::move(shape));
  }
  const auto runs = workflow::ListRuns(context.store);
  if (!runs) return Refuse(aws::FaultOf(runs.error()));
  for (const workflow::Run& run : *runs) {
    if (!workflow::IsFinished(run)) out.runs.push_back(operators::StatusOf(run));
  }
  return out;
}

Outcome<api::OpenAdminPathResponse> OpenAdminPath(const fleet::Context& context,
                                                  const OperatorHost& host,
                                                  const api::OpenAdminPathRequest& in) {
  OUTCOME_ASSIGN(const fleet::Instance instance,
                 operators::FindByName(context, in.db_instance_identifier.value_or("")));
  const auto record = fleet::LoadRecord(context.store, instance.id);
  if (!record || instance.power != nodes::Power::kRunning) {
    return Refuse("InvalidStateException",
                  fmt::format("The DB instance '{}' does not run.", instance.identifier));
  }
  // The way past the security groups leaves a trace.
  store::Transaction transaction;
  fleet::Tell(context, transaction, instance, "An operator opened the admin path (howdah psql)",
              "notification");
  if (const auto told = context.store.Commit(transaction); !told) {
    return Refuse(aws::FaultOf(told.error()));
  }
  api::OpenAdminPathResponse out;
  out.socket_directory = host.socket_directory(record->value.primary);
  out.port = 5432;
  out.master_username = instance.master_user;
  const std::string secret = host.secret_of(instance);
  if (!secret.empty()) out.secret_arn = secret;
  out.db_name = instance.database.empty() ? "postgres" : instance.database;
  return out;
}

Outcome<vpc::SecurityGroup> FindGroup(const fleet::Context& context, const std::string& name) {
  const auto groups = vpc::List<vpc::SecurityGroup>(context.store);
  if (!groups) return Refuse(aws::FaultOf(groups.error()));
  std::vector<vpc::SecurityGroup> found;
  for (const vpc::SecurityGroup& group : *groups) {
    if (group.id.str() == name || group.name == name) found.push_back(group);
  }
  if (found.empty()) return NotFound(fmt::format("There is no security group '{}'.", name));
  if (found.size() > 1) {
    return Refuse(
        "InvalidParameterException",
        fmt::format("{} security groups are named '{}'; give the id of one.", found.size(), name));
  }
  return found.front();
}

// The instance that the task talks to: the one named, or the only one of the group's VPC.
Outcome<fleet::Instance> ChooseInstance(const fleet::Context& context, const vpc::VpcId& vpc,
                                        const std::optional<std::string>& name) {
  if (name) return operators::FindByName(context, *name);
  const auto all = fleet::ListInstances(context.store);
  if (!all) return Refuse(aws::FaultOf(all.error()));
  std::vector<fleet::Instance> here;
  for (const fleet::Instance& instance : *all) {
    if (instance.vpc == vpc.str()) here.push_back(instance);
  }
  if (here.size() == 1) return here.front();
  if (here.empty()) return NotFound(fmt::format("There is no DB instance in {}.", vpc.str()));
  return Refuse(
      "InvalidParameterException",
      fmt::format("There are {} DB instances in {}; name one with --db.", here.size(), vpc.str()));
}

Outcome<vpc::Subnet> ChooseSubnet(const fleet::Context& context, const vpc::VpcId& vpc,
                                  const std::optional<std::string>& name) {
  const auto subnets = vpc::List<vpc::Subnet>(context.store);
  if (!subnets) return Refuse(aws::FaultOf(subnets.error()));
  for (const vpc::Subnet& subnet : *subnets) {
    if (subnet.vpc != vpc) continue;
    const auto tag = subnet.tags.find("Name");
    if (!name || subnet.id.str() == *name || (tag != subnet.tags.end() && tag->second == *name)) {
      return subnet;
    }
  }
  return NotFound(name ? fmt::format("There is no subnet '{}' in {}.", *name, vpc.str())
                       : fmt::format("There is no subnet in {}.", vpc.str()));
}

// "pid:start": the process for which the interface was made.
std::string OwnerOf(const OperatorHost& host, const std::optional<std::int64_t>& pid) {
  if (!pid) return "";
  const auto process = host.processes.Identify(static_cast<pid_t>(*pid));
  return process ? fmt::format("{}:{}", process->pid, process->start_ticks) : "";
}

Outcome<api::StartTaskResponse> StartTask(const fleet::Context& context, const OperatorHost& host,
                                          const api::StartTaskRequest& in) {
  OUTCOME_ASSIGN(const vpc::SecurityGroup group,
                 FindGroup(context, in.security_group.value_or("")));
  OUTCOME_ASSIGN(const fleet::Instance instance,
                 ChooseInstance(context, group.vpc, in.db_instance_identifier));
  if (instance.host_address.empty() || !instance.endpoint_open) {
    return Refuse(
        "InvalidStateException",
        fmt::format("The DB instance '{}' has no open endpoint now.", instance.identifier));
  }
  OUTCOME_ASSIGN(const vpc::Subnet subnet, ChooseSubnet(context, group.vpc, in.subnet));
  vpc::Interface interface;
  const std::string owner = OwnerOf(host, in.process_id);
  const Result<> made =
      vpc::Transact(context.store, [&](store::Transaction& transaction) -> Result<> {
        TRY_ASSIGN(interface, vpc::ReserveInterface(
                                  context.vpc, transaction,
                                  {.subnet = subnet.id,
                                   .groups = {group.id},
                                   .owner = {.requester_managed = true,
                                             .requester_id = std::string(kTaskRequester),
                                             .description = "howdah run",
                                             .owner = owner,
                                             .uid = static_cast<uid_t>(in.user_id.value_or(0))},
                                   .now = context.clock.Now()}));
        return {};
      });
  if (!made) return Refuse(aws::FaultOf(made.error()));
  const auto version = postgres::EngineVersion::Parse(instance.version);
  return api::StartTaskResponse{.network_interface_id = interface.id.str(),
                                .address = interface.host_address.ToString(),
                                .endpoint_address = instance.host_address,
                                .endpoint_port = instance.settings.port,
                                .db_instance_identifier = instance.identifier,
                                .force_tls = version && version->major >= kFirstMajorThatForcesTls};
}

Outcome<api::EndTaskResponse> EndTask(const fleet::Context& context,
                                      const api::EndTaskRequest& in) {
  const vpc::InterfaceId id(in.network_interface_id.value_or(""));
  const auto interface = vpc::Get<vpc::Interface>(context.store, id);
  if (!interface) return api::EndTaskResponse{};
  if (interface->requester_id != kTaskRequester) {
    return Refuse("InvalidParameterException", id.str() + " is not the interface of a task.");
  }
  const Result<> gone = vpc::Transact(context.store, [&](store::Transaction& transaction) {
    return vpc::ReleaseInterface(context.vpc, transaction, id);
  });
  if (!gone) return Refuse(aws::FaultOf(gone.error()));
  return api::EndTaskResponse{};
}

Outcome<api::ListEnginesResponse> ListEngines(const fleet::Context& context) {
  const auto engines = context.engines();
  if (!engines) return Refuse(aws::FaultOf(engines.error()));
  const std::chrono::year_month_day today(
      std::chrono::floor<std::chrono::days>(context.clock.Now()));
  api::ListEnginesResponse out;
  for (const postgres::Engine& engine : *engines) {
    out.engines.push_back({.version = engine.version.Format(),
                           .path = engine.bin_dir,
                           .source = std::string(postgres::EngineSourceName(engine.source)),
                           .end_of_life = postgres::IsPastEndOfLife(engine.version.major, today),
                           .tls_library = engine.own_tls_library});
  }
  return out;
}

}  // namespace

void RegisterOperator(aws::Service& service, const fleet::Context& context,
                      const OperatorHost& host) {
  RegisterFailover(service, context, host);
  RegisterRestore(service, context);
  service.Register<api::GetStatus>([&](const RequestContext&, const api::GetStatusRequest&) {
    return GetStatus(context, host);
  });
  service.Register<api::OpenAdminPath>(
      [&](const RequestContext&, const api::OpenAdminPathRequest& in) {
        return OpenAdminPath(context, host, in);
      });
  service.Register<api::StartTask>([&](const RequestContext&, const api::StartTaskRequest& in) {
    return StartTask(context, host, in);
  });
  service.Register<api::EndTask>(
      [&](const RequestContext&, const api::EndTaskRequest& in) { return EndTask(context, in); });
  service.Register<api::ListEngines>(
      [&](const RequestContext&, const api::ListEnginesRequest&) { return ListEngines(context); });
  service.Register<api::Shutdown>(
      [&](const RequestContext&, const api::ShutdownRequest&) -> Outcome<api::ShutdownResponse> {
        host.shut_down();
        return api::ShutdownResponse{};
      });
}

Result<> ReapTasks(const fleet::Context& context, system::Processes& processes) {
  TRY_ASSIGN(const std::vector<vpc::Interface> interfaces,
             vpc::List<vpc::Interface>(context.store));
  for (const vpc::Interface& interface : interfaces) {
    if (interface.requester_id != kTaskRequester || interface.owner.empty()) continue;
    const std::size_t colon = interface.owner.find(':');
    if (colon == std::string::npos) continue;
    const system::ProcessIdentity process{
        .pid = static_cast<pid_t>(std::atoi(interface.owner.c_str())),
        .start_ticks = std::strtoull(interface.owner.c_str() + colon + 1, nullptr, 10)};
    if (processes.IsAlive(process)) continue;
    TRY(vpc::Transact(context.store, [&](store::Transaction& transaction) {
      return vpc::ReleaseInterface(context.vpc, transaction, interface.id);
    }));
  }
  return {};
}

}  // namespace howdah::services
