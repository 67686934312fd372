#include "services/operator/status.h"

#include <fmt/format.h>

#include "fleet/archive_health.h"
#include "fleet/backup_records.h"
#include "fleet/journal.h"
#include "fleet/node_plan.h"
#include "fleet/proof.h"
#include "fleet/storage.h"

namespace howdah::services::operators {

namespace {

std::string LagOf(const ha::Record& record, const nodes::Observed& primary, const NodeId& node) {
  if (node == record.primary || record.token.empty()) return "";
  return primary.streaming_token == record.token ? "streaming" : "not streaming";
}

void FillStorage(const nodes::Storage& storage, api::NodeStatus& shape) {
  shape.storage_state = std::string(nodes::StorageStateName(storage.state));
  if (storage.state != nodes::StorageState::kUnknown) {
    shape.used_storage = storage.used_bytes;
    shape.free_storage = storage.free_bytes;
  }
  if (storage.error.empty()) return;
  shape.storage_error = storage.error;
  if (shape.detail.value_or("").empty()) shape.detail = storage.error;
}

api::NodeStatus NodeOf(const fleet::Context& context, const fleet::Instance& instance,
                       const ha::Record& record, const nodes::Observed& primary,
                       const NodeId& node) {
  api::NodeStatus shape;
  const auto observed = fleet::LoadObserved(context.store, node);
  shape.node_id = node.str();
  shape.role = node == record.primary ? "primary" : "standby";
  shape.availability_zone = fleet::ZoneOf(instance, node);
  if (observed) {
    shape.state = std::string(nodes::StateName(observed->state));
    shape.pid = observed->pid;
    shape.detail = observed->detail;
    FillStorage(observed->storage, shape);
  }
  shape.lag = LagOf(record, primary, node);
  return shape;
}

void FillLastRoleChange(const fleet::Context& context, const fleet::Instance& instance,
                        api::InstanceStatus& shape) {
  const auto changes = fleet::ListRoleChanges(context.store, instance.id);
  if (!changes || changes->empty()) return;
  shape.last_role_change = changes->back().begun;
  shape.last_role_change_cause = changes->back().cause;
}

api::RestoreTest ToShape(const fleet::Proof& proof) {
  const bool under_way = !proof.node.empty() && !proof.leaving;
  const fleet::ProofRun& run = proof.last;
  api::RestoreTest shape;
  shape.state = under_way                    ? "running"
                : proof.asked != WallTime{}  ? "asked for"
                : run.finished == WallTime{} ? "never"
                : run.failure.empty()        ? "passed"
                                             : "failed";
  shape.waits = proof.waits;
  if (run.finished == WallTime{}) return shape;
  shape.begun = run.begun;
  shape.finished = run.finished;
  shape.backup = run.backup;
  if (run.until != WallTime{}) shape.until = run.until;
  shape.failure = run.failure;
  shape.size = static_cast<std::int64_t>(run.size_bytes);
  shape.databases = run.databases;
  shape.tables = run.tables;
  shape.indexes = run.indexes;
  shape.pages = run.pages;
  return shape;
}

// Newest backup, and how far the archive of the WAL is.
Result<> FillBackups(const fleet::Context& context, const fleet::Instance& instance,
                     api::InstanceStatus& shape) {
  TRY_ASSIGN(const auto snapshots, fleet::ListDbSnapshotsOf(context.store, instance.id));
  for (const auto& [snapshot, revision] : snapshots) {
    if (!snapshot.IsAvailable()) continue;
    shape.last_backup = std::max(shape.last_backup.value_or(WallTime{}), snapshot.finished);
  }
  TRY_ASSIGN(shape.latest_restorable_time, fleet::LatestRestorableTime(context.store, instance));
  TRY_ASSIGN(const auto proof, fleet::LoadProof(context.store, instance.id));
  shape.restore_test = ToShape(proof.value);
  TRY_ASSIGN(const fleet::ArchiveHealth health, fleet::ArchiveHealthOf(context.store, instance));
  shape.archive_state = std::string(health.state);
  if (health.state == "off") return {};
  shape.archive_lag = health.archived.lag_bytes;
  shape.archive_problem = health.trouble;
  shape.not_restorable_since = health.gap_since;
  return {};
}

void FillNodes(const fleet::Context& context, const OperatorHost& host,
               const fleet::Instance& instance, api::InstanceStatus& shape) {
  const auto record = fleet::LoadRecord(context.store, instance.id);
  if (!record) return;  // not begun, or gone already
  shape.phase = std::string(ha::PhaseName(record->value.phase));
  shape.epoch = record->value.epoch;
  shape.protection = ProtectionOf(host, instance, record->value);
  FillLastRoleChange(context, instance, shape);
  const nodes::Observed primary =
      fleet::LoadObserved(context.store, record->value.primary).value_or(nodes::Observed{});
  shape.data_path = primary.data_path;
  shape.tls = primary.tls;
  shape.commit_guard = primary.commit_guard;
  for (const NodeId& node : {instance.first_node, instance.second_node}) {
    if (node.empty()) continue;
    shape.nodes.push_back(NodeOf(context, instance, record->value, primary, node));
  }
}

}  // namespace

aws::Outcome<fleet::Instance> FindByName(const fleet::Context& context, const std::string& name) {
  auto found = fleet::FindInstance(context.store, name);
  if (found) return std::move(found->value);
  if (found.error().code() != Code::kNotFound) return aws::Refuse(aws::FaultOf(found.error()));
  return aws::Refuse("ResourceNotFoundException",
                     fmt::format("There is no DB instance '{}'.", name), 404);
}

std::string ProtectionOf(const OperatorHost& host, const fleet::Instance& instance,
                         const ha::Record& record) {
  if (record.standby.empty()) return "none: there is one copy";
  if (!record.protected_) return "none now: the standby does not hold everything";
  return host.share_a_disk(instance.zone, instance.secondary_zone)
             ? "the loss of a server, not of the disk: both zones are on one file system"
             : "the loss of a server or of a zone's disk";
}

aws::Outcome<api::InstanceStatus> StatusOf(const fleet::Context& context, const OperatorHost& host,
                                           const fleet::Instance& instance,
                                           const ConnectionCounts& counts) {
  const auto active = fleet::ActiveRun(context.store, instance);
  if (!active) return aws::Refuse(aws::FaultOf(active.error()));
  const auto storage = fleet::StorageOf(context.store, instance);
  if (!storage) return aws::Refuse(aws::FaultOf(storage.error()));
  api::InstanceStatus shape;
  shape.db_instance_identifier = instance.identifier;
  shape.dbi_resource_id = instance.id.str();
  shape.status = fleet::StatusOf(instance, *active, *storage);
  shape.engine_version = instance.version;
  shape.class_ = instance.settings.instance_class;
  shape.multi_az = instance.settings.multi_az;
  shape.allocated_storage = instance.settings.storage_gib;
  if (storage->state != nodes::StorageState::kUnknown) shape.free_storage = storage->free_bytes;
  if (!instance.host_address.empty()) {
    shape.endpoint = instance.host_address;
    shape.port = instance.settings.port;
  }
  shape.open_connections = counts.open;
  shape.refused_connections = counts.refused;
  FillNodes(context, host, instance, shape);
  if (const auto filled = FillBackups(context, instance, shape); !filled) {
    return aws::Refuse(aws::FaultOf(filled.error()));
  }
  return shape;
}

api::RunStatus StatusOf(const workflow::Run& run) {
  api::RunStatus shape;
  shape.run_id = run.id.str();
  shape.workflow = run.workflow;
  shape.subject = run.subject;
  shape.state = run.stuck ? "stuck" : std::string(workflow::RunStateName(run.state));
  shape.step = run.step;
  shape.error = run.error;
  return shape;
}

}  // namespace howdah::services::operators
