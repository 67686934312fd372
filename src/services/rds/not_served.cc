#include "services/rds/not_served.h"

#include <fmt/format.h>

#include <array>

#include "postgres/parameters.h"

namespace howdah::services::rds {

namespace {

std::unexpected<aws::Fault> NotYet(std::string_view parameter, std::string_view why) {
  return Refuse(aws::InvalidParameterCombination(
      fmt::format("{} is not served by Howdah yet: {}", parameter, why)));
}

template <typename T>
bool IsOther(const std::optional<T>& value, const T& harmless) {
  return value && *value != harmless;
}

// What a handler reads, or this file. Any other parameter of AWS's would be taken in silence, and
// that is a promise: it is refused by its name.
constexpr std::array<std::string_view, 69> kRead = {
    "AllocatedStorage",
    "AllowMajorVersionUpgrade",
    "ApplyImmediately",
    "AutoMinorVersionUpgrade",
    "AvailabilityZone",
    "BackupRetentionPeriod",
    "BackupTarget",
    "CACertificateIdentifier",
    "CertificateRotationRestart",
    "CharacterSetName",
    "CloudwatchLogsExportConfiguration",
    "CopyTagsToSnapshot",
    "DBClusterIdentifier",
    "DBInstanceClass",
    "DBInstanceIdentifier",
    "DBName",
    "DBParameterGroupName",
    "DBPortNumber",
    "DBSecurityGroups",
    "DBSnapshotIdentifier",
    "DBSubnetGroupName",
    "DatabaseInsightsMode",
    "DedicatedLogVolume",
    "DeletionProtection",
    "DisableDomain",
    "Domain",
    "DomainDnsIps",
    "EnableCloudwatchLogsExports",
    "EnableCustomerOwnedIp",
    "EnableIAMDatabaseAuthentication",
    "EnablePerformanceInsights",
    "Engine",
    "EngineLifecycleSupport",
    "EngineVersion",
    "Iops",
    "KmsKeyId",
    "LicenseModel",
    "ManageMasterUserPassword",
    "MasterUserAuthenticationType",
    "MasterUserPassword",
    "MasterUsername",
    "MaxAllocatedStorage",
    "MonitoringInterval",
    "MonitoringRoleArn",
    "MultiAZ",
    "MultiTenant",
    "NetworkType",
    "NewDBInstanceIdentifier",
    "OptionGroupName",
    "Port",
    "PreferredBackupWindow",
    "PreferredMaintenanceWindow",
    "ProcessorFeatures",
    "PubliclyAccessible",
    "ReplicaMode",
    "RestoreTime",
    "RotateMasterUserPassword",
    "SourceDBInstanceAutomatedBackupsArn",
    "SourceDBInstanceIdentifier",
    "SourceDbiResourceId",
    "StorageEncrypted",
    "StorageThroughput",
    "StorageType",
    "Tags",
    "TargetDBInstanceIdentifier",
    "Timezone",
    "UseDefaultProcessorFeatures",
    "UseLatestRestorableTime",
    "VpcSecurityGroupIds",
};

template <typename Operation>
Outcome<void> RefuseWhatNobodyReads(const typename Operation::Input& in) {
  for (const aws::MemberDesc& member : Operation::Desc().input->members) {
    const bool known = std::ranges::find(kRead, member.name) != kRead.end();
    if (!known && aws::ValueOf(member, &in) != nullptr) {
      return NotYet(member.name, "leave it out");
    }
  }
  return {};
}

// An upgrade that AWS would refuse is refused in its words.
Outcome<void> RefuseUpgrade(const fleet::Context& context, const postgres::EngineVersion& now,
                            const std::string& wanted) {
  if (wanted == now.Format() || wanted == std::to_string(now.major)) return {};
  const auto version = postgres::EngineVersion::Parse(wanted);
  const auto engines = context.engines();
  const bool found =
      version && engines &&
      std::ranges::find(*engines, *version, &postgres::Engine::version) != engines->end();
  if (version && *version < now) {
    return Refuse(aws::InvalidParameterCombination(
        fmt::format("Cannot upgrade postgres from {} to {}", now.Format(), wanted)));
  }
  if (!found) {
    return Refuse(aws::InvalidParameterCombination(
        fmt::format("Cannot find version {} for postgres", wanted)));
  }
  return NotYet("EngineVersion", "upgrades come later; the version stays " + now.Format());
}

// What create and modify have in common.
template <typename Message>
Outcome<void> RefuseCommon(const Message& in, int major) {
  if (in.enable_iam_database_authentication.value_or(false)) {
    return NotYet("EnableIAMDatabaseAuthentication", "logins use passwords");
  }
  if (in.enable_performance_insights.value_or(false)) {
    return NotYet("EnablePerformanceInsights", "nothing is sampled");
  }
  if (in.monitoring_interval.value_or(0) != 0 || in.monitoring_role_arn) {
    return NotYet("MonitoringInterval", "there is no enhanced monitoring; only 0 is accepted");
  }
  if (in.manage_master_user_password.value_or(false)) {
    return NotYet("ManageMasterUserPassword",
                  "create a secret and give the password as MasterUserPassword");
  }
  // As large as the storage is: RDS's way to say that it does not grow.
  const bool grows =
      in.max_allocated_storage.value_or(0) != 0 && in.max_allocated_storage != in.allocated_storage;
  if (grows) {
    return NotYet("MaxAllocatedStorage", "storage does not grow by itself");
  }
  if (IsOther<std::int64_t>(in.iops, 0) || IsOther<std::int64_t>(in.storage_throughput, 0)) {
    return NotYet("Iops", "input and output are not limited or guaranteed");
  }
  if (in.publicly_accessible.value_or(false)) {
    return NotYet("PubliclyAccessible",
                  "an endpoint is an address inside the VPC; only false is accepted");
  }
  if (IsOther<std::string>(in.database_insights_mode, "standard")) {
    return NotYet("DatabaseInsightsMode", "nothing is sampled");
  }
  if (IsOther<std::string>(in.master_user_authentication_type, "password")) {
    return NotYet("MasterUserAuthenticationType", "logins use passwords");
  }
  if (in.domain || !in.domain_dns_ips.empty()) return NotYet("Domain", "there is no directory");
  if (in.enable_customer_owned_ip.value_or(false)) return NotYet("EnableCustomerOwnedIp", "no");
  if (IsOther<std::string>(in.network_type, "IPV4")) return NotYet("NetworkType", "only IPV4");
  if (in.dedicated_log_volume.value_or(false)) return NotYet("DedicatedLogVolume", "one volume");
  if (in.multi_tenant.value_or(false)) return NotYet("MultiTenant", "not an engine of PostgreSQL");
  if (!in.processor_features.empty()) return NotYet("ProcessorFeatures", "not for this engine");
  if (!in.db_security_groups.empty()) return NotYet("DBSecurityGroups", "use VpcSecurityGroupIds");
  if (IsOther(in.ca_certificate_identifier, std::string(kAuthority))) {
    return Refuse(api::fault::CertificateNotFoundFault(
        fmt::format("Certificate not found: {}", *in.ca_certificate_identifier)));
  }
  const std::string group = "default." + postgres::ParameterFamily(major);
  if (in.db_parameter_group_name && *in.db_parameter_group_name != group) {
    return Refuse(api::fault::DBParameterGroupNotFoundFault(
        fmt::format("DBParameterGroup not found: {}. Howdah serves {} only, so far",
                    *in.db_parameter_group_name, group)));
  }
  const std::string options = fmt::format("default:postgres-{}", major);
  if (in.option_group_name && *in.option_group_name != options) {
    return Refuse(api::fault::OptionGroupNotFoundFault(
        fmt::format("Specified OptionGroupName: {} not found.", *in.option_group_name)));
  }
  if (IsOther(in.license_model, std::string(kLicense))) {
    return Refuse(aws::InvalidParameterValue(
        fmt::format("Invalid license model '{}' for engine 'postgres'", *in.license_model)));
  }
  if (in.storage_type && *in.storage_type != "gp2" && *in.storage_type != "gp3") {
    return Refuse(api::fault::StorageTypeNotSupportedFault(
        fmt::format("Storage type '{}' is not served: Howdah promises no IOPS. Use gp2 or gp3.",
                    *in.storage_type)));
  }
  return {};
}

}  // namespace

Outcome<void> RefuseNotServed(const api::CreateDBInstanceMessage& in, int major) {
  OUTCOME_TRY(RefuseWhatNobodyReads<api::CreateDBInstance>(in));
  OUTCOME_TRY(RefuseCommon(in, major));
  if (in.storage_encrypted.value_or(false) || in.kms_key_id) {
    return NotYet("StorageEncrypted", "data is not encrypted at rest");
  }
  if (!in.enable_cloudwatch_logs_exports.empty()) {
    return NotYet("EnableCloudwatchLogsExports", "logs stay on the host");
  }
  if (in.db_cluster_identifier) return NotYet("DBClusterIdentifier", "there are no clusters");
  if (IsOther<std::string>(in.backup_target, "region")) return NotYet("BackupTarget", "region");
  if (in.character_set_name) return NotYet("CharacterSetName", "databases are UTF8");
  if (in.timezone) return NotYet("Timezone", "not for engine postgres");
  if (IsOther(in.engine_lifecycle_support, std::string(kLifecycle))) {
    return NotYet("EngineLifecycleSupport", "nobody mends what the community does not any more");
  }
  return {};
}

Outcome<void> RefuseNotServed(const api::RestoreDBInstanceFromDBSnapshotMessage& in) {
  return RefuseWhatNobodyReads<api::RestoreDBInstanceFromDBSnapshot>(in);
}
Outcome<void> RefuseNotServed(const api::RestoreDBInstanceToPointInTimeMessage& in) {
  return RefuseWhatNobodyReads<api::RestoreDBInstanceToPointInTime>(in);
}

Outcome<void> RefuseNotServed(const fleet::Context& context, const api::ModifyDBInstanceMessage& in,
                              const fleet::Instance& instance) {
  const auto version = postgres::EngineVersion::Parse(instance.version);
  if (!version) return Refuse(aws::FaultOf(version.error()));
  OUTCOME_TRY(RefuseWhatNobodyReads<api::ModifyDBInstance>(in));
  OUTCOME_TRY(RefuseCommon(in, version->major));
  if (in.engine_version) OUTCOME_TRY(RefuseUpgrade(context, *version, *in.engine_version));
  if (IsOther(in.engine, std::string(kEngine))) return NotYet("Engine", "it stays postgres");
  if (in.cloudwatch_logs_export_configuration) {
    return NotYet("CloudwatchLogsExportConfiguration", "logs stay on the host");
  }
  if (in.rotate_master_user_password.value_or(false)) {
    return NotYet("RotateMasterUserPassword", "the password is not managed");
  }
  if (in.replica_mode) return NotYet("ReplicaMode", "there are no read replicas");
  return {};
}

}  // namespace howdah::services::rds
