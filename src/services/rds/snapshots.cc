// DB snapshots: create, describe, copy, delete.
#include "services/rds/snapshots.h"

#include <fmt/format.h>

#include "services/rds/filters.h"
#include "services/rds/instances.h"
#include "services/rds/validate.h"

namespace howdah::services::rds {

namespace {

using fleet::DbSnapshot;

std::unexpected<aws::Fault> NotFound(std::string_view identifier) {
  return Refuse(
      api::fault::DBSnapshotNotFoundFault(fmt::format("DBSnapshot {} not found.", identifier)));
}

// What is taken, in percent of what there is to read.
Outcome<std::int64_t> Progress(const fleet::Context& context, const DbSnapshot& snapshot) {
  if (snapshot.IsAvailable()) return 100;
  if (snapshot.backup.empty()) return 0;
  const auto state = fleet::LoadBackupState(context.store, snapshot.backup);
  if (!state) return Refuse(aws::FaultOf(state.error()));
  if (state->total_bytes == 0) return 0;
  return static_cast<std::int64_t>(
      std::min<std::uint64_t>(99, state->done_bytes * 100 / state->total_bytes));
}

std::string_view TypeOf(const DbSnapshot& snapshot) {
  return snapshot.automated ? "automated" : "manual";
}

bool Matches(const DbSnapshot& snapshot, std::string_view filter, const std::string& value) {
  if (filter == "db-instance-id") return IdentifierIn(value) == snapshot.facts.identifier;
  if (filter == "db-snapshot-id") return SnapshotIn(value) == snapshot.identifier;
  if (filter == "dbi-resource-id") return value == snapshot.instance.str();
  if (filter == "snapshot-type") return value == TypeOf(snapshot);
  return filter == "engine" && value == kEngine;
}

Outcome<void> ValidType(const std::optional<std::string>& type) {
  static constexpr std::array<std::string_view, 5> kTypes = {"automated", "manual", "shared",
                                                             "public", "awsbackup"};
  if (!type || std::ranges::find(kTypes, *type) != kTypes.end()) return {};
  return Refuse(aws::InvalidParameterValue(fmt::format(
      "Invalid snapshot type: {}. SnapshotType is automated, manual, shared, public or awsbackup.",
      *type)));
}

Outcome<api::DBSnapshotMessage> Describe(const fleet::Context& context,
                                         const api::DescribeDBSnapshotsMessage& in) {
  OUTCOME_TRY(ValidFilters(in.filters, {"db-instance-id", "db-snapshot-id", "dbi-resource-id",
                                        "snapshot-type", "engine"}));
  OUTCOME_TRY(ValidType(in.snapshot_type));
  std::vector<DbSnapshot> snapshots;
  if (in.db_snapshot_identifier) {
    OUTCOME_ASSIGN(const auto found, FindSnapshot(context, *in.db_snapshot_identifier));
    snapshots.push_back(found.value);
  } else {
    const auto all = fleet::ListDbSnapshots(context.store);
    if (!all) return Refuse(aws::FaultOf(all.error()));
    for (const auto& [snapshot, revision] : *all) snapshots.push_back(snapshot);
  }
  std::erase_if(snapshots, [&](const DbSnapshot& it) {
    return (in.snapshot_type && *in.snapshot_type != TypeOf(it)) ||
           (in.dbi_resource_id && *in.dbi_resource_id != it.instance.str()) ||
           (in.db_instance_identifier &&
            IdentifierIn(*in.db_instance_identifier) != it.facts.identifier);
  });
  KeepMatching(snapshots, in.filters, Matches);
  api::DBSnapshotMessage out;
  OUTCOME_ASSIGN(const aws::List<DbSnapshot> page,
                 Page(std::move(snapshots), in, out.marker,
                      [](const DbSnapshot& it) { return it.identifier; }));
  out.db_snapshots.MarkPresent();
  for (const DbSnapshot& snapshot : page) {
    OUTCOME_ASSIGN(api::DBSnapshot shape, ToShape(context, snapshot));
    out.db_snapshots.push_back(std::move(shape));
  }
  return out;
}

Outcome<api::CreateDBSnapshotResult> TakeSnapshot(const fleet::Context& context,
                                                  const api::CreateDBSnapshotMessage& in) {
  fleet::NewSnapshot wish;
  OUTCOME_ASSIGN(wish.identifier, ValidSnapshotIdentifier("DBSnapshotIdentifier",
                                                          in.db_snapshot_identifier.value_or("")));
  OUTCOME_ASSIGN(wish.tags, ToTags(in.tags));
  OUTCOME_ASSIGN(const auto found, Find(context, in.db_instance_identifier.value_or("")));
  OUTCOME_TRY(HasRepository(context, "DBSnapshotIdentifier"));
  const std::string& identifier = found.value.identifier;
  const Result<DbSnapshot> made = fleet::CreateSnapshot(context, identifier, wish);
  if (!made) {
    if (auto fault = SnapshotFault(made.error(), wish.identifier)) return Refuse(*fault);
    OUTCOME_TRY(Answer(context, identifier, Result<fleet::Instance>(Fail(made.error()))));
  }
  OUTCOME_ASSIGN(api::DBSnapshot shape, ToShape(context, *made));
  return api::CreateDBSnapshotResult{.db_snapshot = std::move(shape)};
}

// Within one region and account, and under the one key that there is.
Outcome<void> RefuseNotServed(const api::CopyDBSnapshotMessage& in,
                              const fleet::DbSnapshot& source) {
  if (in.kms_key_id) {
    return Refuse(api::fault::KMSKeyNotAccessibleFault(fmt::format(
        "The specified KMS key [{}] does not exist, is not enabled or you do not have permissions "
        "to access it. Howdah encrypts backups under its master key.",
        *in.kms_key_id)));
  }
  if (in.target_custom_availability_zone) {
    return Refuse(api::fault::CustomAvailabilityZoneNotFoundFault(
        fmt::format("CustomAvailabilityZone {} not found.", *in.target_custom_availability_zone)));
  }
  const std::string options = fmt::format("default:postgres-{}", MajorOf(source.facts.version));
  if (in.option_group_name && *in.option_group_name != options) {
    return Refuse(aws::InvalidParameterValue(
        fmt::format("Specified OptionGroupName: {} not found.", *in.option_group_name)));
  }
  if (in.pre_signed_url || in.snapshot_availability_zone ||
      in.snapshot_target.value_or("region") != "region") {
    return Refuse(aws::InvalidParameterCombination(
        "PreSignedUrl, SnapshotTarget and SnapshotAvailabilityZone are not served by Howdah: there "
        "is one region."));
  }
  return {};
}

Outcome<api::CopyDBSnapshotResult> Copy(const fleet::Context& context,
                                        const api::CopyDBSnapshotMessage& in) {
  fleet::NewSnapshot wish;
  OUTCOME_ASSIGN(const auto source,
                 FindSnapshot(context, in.source_db_snapshot_identifier.value_or("")));
  OUTCOME_ASSIGN(wish.identifier,
                 ValidSnapshotIdentifier("TargetDBSnapshotIdentifier",
                                         in.target_db_snapshot_identifier.value_or("")));
  OUTCOME_TRY(RefuseNotServed(in, source.value));
  OUTCOME_ASSIGN(wish.tags, ToTags(in.tags));
  const std::string& from = source.value.identifier;
  const Result<DbSnapshot> made =
      fleet::CopySnapshot(context, from, wish, in.copy_tags.value_or(false));
  if (!made) {
    if (auto fault = SnapshotFault(made.error(), wish.identifier)) return Refuse(*fault);
    if (made.error().code() == Code::kNotFound) return NotFound(from);
    if (made.error().code() == Code::kFailedState) {
      return Refuse(api::fault::InvalidDBSnapshotStateFault(fmt::format(
          "Cannot copy DB snapshot {}: it is in {} state.", from, made.error().what())));
    }
    return Refuse(aws::FaultOf(made.error()));
  }
  OUTCOME_ASSIGN(api::DBSnapshot shape, ToShape(context, *made));
  return api::CopyDBSnapshotResult{.db_snapshot = std::move(shape)};
}

Outcome<api::DeleteDBSnapshotResult> Delete(const fleet::Context& context,
                                            const api::DeleteDBSnapshotMessage& in) {
  const std::string identifier = SnapshotIn(in.db_snapshot_identifier.value_or(""));
  const Result<DbSnapshot> gone = fleet::DeleteSnapshot(context, identifier);
  if (!gone && gone.error().code() == Code::kNotFound) return NotFound(identifier);
  if (!gone && gone.error().code() == Code::kFailedState) {
    return Refuse(api::fault::InvalidDBSnapshotStateFault(
        gone.error().what() == "automated"
            ? fmt::format("DB snapshot {} is an automated snapshot, which cannot be deleted by "
                          "itself: it goes with BackupRetentionPeriod.",
                          identifier)
            : fmt::format("Cannot delete DB snapshot {}: it is in {} state.", identifier,
                          gone.error().what())));
  }
  if (!gone) return Refuse(aws::FaultOf(gone.error()));
  OUTCOME_ASSIGN(api::DBSnapshot shape, ToShape(context, *gone));
  shape.status = "deleted";
  return api::DeleteDBSnapshotResult{.db_snapshot = std::move(shape)};
}

}  // namespace

std::string SnapshotIn(std::string_view name) {
  constexpr std::string_view kKind = ":snapshot:";
  const std::size_t at = name.starts_with("arn:") ? name.find(kKind) : name.npos;
  if (at != name.npos) name.remove_prefix(at + kKind.size());
  return IdentifierIn(name);
}

Outcome<fleet::Versioned<DbSnapshot>> FindSnapshot(const fleet::Context& context,
                                                   std::string_view name) {
  const std::string identifier = SnapshotIn(name);
  // An ARN of another account or region names nothing of ours.
  const bool foreign = name.starts_with("arn:") &&
                       IdentifierIn(name) != IdentifierIn(context.SnapshotArn(identifier));
  auto found = fleet::LoadDbSnapshot(context.store, identifier);
  if (foreign || (!found && found.error().code() == Code::kNotFound)) return NotFound(identifier);
  if (!found) return Refuse(aws::FaultOf(found.error()));
  return *std::move(found);
}

std::optional<aws::Fault> SnapshotFault(const Error& error, std::string_view snapshot) {
  if (error.code() == Code::kAlreadyExists) {
    return api::fault::DBSnapshotAlreadyExistsFault(fmt::format(
        "Cannot create the snapshot because a snapshot with the identifier {} already exists.",
        snapshot));
  }
  if (error.code() == Code::kExhausted) {
    return api::fault::SnapshotQuotaExceededFault(
        fmt::format("Cannot create more than {} manual snapshots. Delete some that are not needed.",
                    error.what()));
  }
  return std::nullopt;
}

Outcome<void> SnapshotTaken(const fleet::Context&, const Result<fleet::Instance>& done,
                            std::string_view snapshot) {
  if (done || snapshot.empty()) return {};
  if (auto fault = SnapshotFault(done.error(), snapshot)) return Refuse(*fault);
  return {};
}

Outcome<void> HasRepository(const fleet::Context& context, std::string_view parameter) {
  if (context.shelf != nullptr) return {};
  return Refuse(aws::InvalidParameterCombination(
      fmt::format("{} cannot be given: this installation has no backup repository.", parameter)));
}

Outcome<api::DBSnapshot> ToShape(const fleet::Context& context, const DbSnapshot& snapshot) {
  const fleet::InstanceFacts& facts = snapshot.facts;
  api::DBSnapshot shape;
  shape.db_snapshot_identifier = snapshot.identifier;
  shape.db_snapshot_arn = context.SnapshotArn(snapshot.identifier);
  shape.db_instance_identifier = facts.identifier;
  shape.dbi_resource_id = snapshot.instance.str();
  shape.snapshot_type = std::string(TypeOf(snapshot));
  shape.status = std::string(fleet::StatusOf(snapshot));
  OUTCOME_ASSIGN(shape.percent_progress, Progress(context, snapshot));
  shape.snapshot_create_time = snapshot.created;
  shape.original_snapshot_create_time = snapshot.original;
  if (snapshot.IsAvailable()) shape.snapshot_database_time = snapshot.finished;
  if (facts.created != WallTime{}) shape.instance_create_time = facts.created;
  shape.engine = std::string(kEngine);
  shape.engine_version = facts.version;
  shape.license_model = std::string(kLicense);
  shape.option_group_name = fmt::format("default:postgres-{}", MajorOf(facts.version));
  shape.master_username = facts.master_user;
  shape.allocated_storage = facts.storage_gib;
  shape.storage_type = facts.storage_type;
  shape.port = facts.port;
  shape.availability_zone = facts.zone;
  shape.vpc_id = facts.vpc;
  shape.encrypted = false;
  shape.iam_database_authentication_enabled = false;
  shape.multi_tenant = false;
  shape.dedicated_log_volume = false;
  shape.snapshot_target = "region";
  shape.backup_retention_period = facts.retention_days;
  shape.preferred_backup_window = facts.backup_window;
  shape.tag_list = ToShape(snapshot.tags);
  return shape;
}

void RegisterSnapshots(aws::Service& service, const fleet::Context& context) {
  const auto with = [&context](auto handler) {
    return
        [&context, handler](const RequestContext&, const auto& in) { return handler(context, in); };
  };
  service.Register<api::CreateDBSnapshot>(with(TakeSnapshot));
  service.Register<api::DescribeDBSnapshots>(with(Describe));
  service.Register<api::CopyDBSnapshot>(with(Copy));
  service.Register<api::DeleteDBSnapshot>(with(Delete));
  service.Register<api::ModifyDBSnapshot>(with(ModifySnapshot));
  service.Register<api::ModifyDBSnapshotAttribute>(with(ModifyAttribute));
  service.Register<api::DescribeDBSnapshotAttributes>(with(DescribeAttributes));
}

}  // namespace howdah::services::rds
