// What can be had here: engine versions, orderable options, default parameters, certificates,
// quotas; and the lists that are empty for now.
#include <fmt/format.h>

#include "postgres/instance_class.h"
#include "postgres/parameters.h"
#include "services/rds/handlers.h"

namespace howdah::services::rds {

namespace {

Outcome<std::vector<postgres::Engine>> Engines(const fleet::Context& context) {
  auto engines = context.engines();
  if (!engines) return Refuse(aws::FaultOf(engines.error()));
  return *std::move(engines);
}

bool IsEndOfLife(const fleet::Context& context, int major) {
  const auto today = std::chrono::floor<std::chrono::days>(context.clock.Now());
  return postgres::IsPastEndOfLife(major, std::chrono::year_month_day(today));
}

api::DBEngineVersion ToShape(const fleet::Context& context, const postgres::Engine& engine) {
  api::DBEngineVersion shape;
  const std::string version = engine.version.Format();
  const bool ended = IsEndOfLife(context, engine.version.major);
  shape.engine = std::string(kEngine);
  shape.engine_version = version;
  shape.major_engine_version = std::to_string(engine.version.major);
  shape.db_parameter_group_family = postgres::ParameterFamily(engine.version.major);
  shape.db_engine_description = "PostgreSQL";
  shape.db_engine_version_description =
      fmt::format("PostgreSQL {}{}", version,
                  ended ? " (past its community end of life: nothing is mended any more)" : "");
  shape.status = ended ? "deprecated" : "available";
  shape.supports_read_replica = false;
  shape.supports_log_exports_to_cloudwatch_logs = false;
  shape.supports_certificate_rotation_without_restart = true;
  shape.supported_ca_certificate_identifiers = {std::string(kAuthority)};
  // Upgrades are not served yet, so no version is offered as a target: a list would be a promise.
  return shape;
}

Outcome<api::DBEngineVersionMessage> DescribeVersions(
    const fleet::Context& context, const api::DescribeDBEngineVersionsMessage& in) {
  OUTCOME_ASSIGN(std::vector<postgres::Engine> engines, Engines(context));
  std::erase_if(engines, [&](const postgres::Engine& engine) {
    const std::string version = engine.version.Format();
    const std::string major = std::to_string(engine.version.major);
    if (in.engine && *in.engine != kEngine) return true;
    if (in.engine_version && *in.engine_version != version && *in.engine_version != major) {
      return true;
    }
    return in.db_parameter_group_family &&
           *in.db_parameter_group_family != postgres::ParameterFamily(engine.version.major);
  });
  if (in.default_only.value_or(false) && engines.size() > 1) {
    engines.erase(engines.begin(), engines.end() - 1);
  }
  api::DBEngineVersionMessage out;
  OUTCOME_ASSIGN(const aws::List<postgres::Engine> page,
                 Page(std::move(engines), in.max_records, in.marker, out.marker));
  for (const postgres::Engine& engine : page) {
    out.db_engine_versions.push_back(ToShape(context, engine));
  }
  return out;
}

api::OrderableDBInstanceOption ToShape(const fleet::Context& context,
                                       const postgres::Engine& engine,
                                       const postgres::InstanceClass& size,
                                       std::string_view storage_type) {
  api::OrderableDBInstanceOption shape;
  shape.engine = std::string(kEngine);
  shape.engine_version = engine.version.Format();
  shape.db_instance_class = std::string(size.name);
  shape.license_model = std::string(kLicense);
  for (const auto& zone : context.vpc.region.zones) {
    shape.availability_zones.push_back({.name = zone.name});
  }
  shape.multi_az_capable = true;
  shape.read_replica_capable = false;
  shape.vpc = true;
  shape.supports_storage_encryption = false;
  shape.storage_type = std::string(storage_type);
  shape.supports_iops = false;
  shape.supports_storage_throughput = false;
  shape.supports_enhanced_monitoring = false;
  shape.supports_iam_database_authentication = false;
  shape.supports_performance_insights = false;
  shape.supports_storage_autoscaling = false;
  shape.supports_kerberos_authentication = false;
  shape.supports_global_databases = false;
  shape.supports_clusters = false;
  shape.supports_dedicated_log_volume = false;
  shape.outpost_capable = false;
  shape.min_storage_size = 20;
  shape.max_storage_size = 65536;
  shape.supported_network_types = {"IPV4"};
  return shape;
}

Outcome<api::OrderableDBInstanceOptionsMessage> DescribeOrderable(
    const fleet::Context& context, const api::DescribeOrderableDBInstanceOptionsMessage& in) {
  OUTCOME_ASSIGN(const std::vector<postgres::Engine> engines, Engines(context));
  std::vector<api::OrderableDBInstanceOption> options;
  for (const postgres::Engine& engine : engines) {
    if (in.engine.value_or("") != kEngine) break;
    if (in.engine_version && *in.engine_version != engine.version.Format()) continue;
    for (const postgres::InstanceClass& size : postgres::InstanceClasses()) {
      if (in.db_instance_class && *in.db_instance_class != size.name) continue;
      for (const std::string_view type : {"gp2", "gp3"}) {
        options.push_back(ToShape(context, engine, size, type));
      }
    }
  }
  if (in.license_model && *in.license_model != kLicense) options.clear();
  if (in.vpc && !*in.vpc) options.clear();
  api::OrderableDBInstanceOptionsMessage out;
  OUTCOME_ASSIGN(out.orderable_db_instance_options,
                 Page(std::move(options), in.max_records, in.marker, out.marker));
  return out;
}

// The major version of "default.postgres14" or "postgres14".
Outcome<int> MajorOfFamily(std::string_view name) {
  constexpr std::string_view kDefault = "default.";
  constexpr std::string_view kFamily = "postgres";
  if (name.starts_with(kDefault)) name.remove_prefix(kDefault.size());
  for (int major = postgres::kOldestMajor; major <= postgres::kNewestMajor; ++major) {
    if (name == std::string(kFamily) + std::to_string(major)) return major;
  }
  return Refuse(api::fault::DBParameterGroupNotFoundFault(
      fmt::format("DBParameterGroup not found: {}", name)));
}

std::vector<api::Parameter> DefaultsOf(int major) {
  std::vector<api::Parameter> parameters;
  for (const postgres::Parameter& parameter : postgres::DefaultParameters(major)) {
    parameters.push_back(
        {.parameter_name = std::string(parameter.name),
         .parameter_value = std::string(parameter.value),
         .source = "system",
         .apply_type = parameter.apply == postgres::ApplyType::kStatic ? "static" : "dynamic",
         .is_modifiable = false,
         .apply_method = "pending-reboot"});
  }
  return parameters;
}

Outcome<api::DBParameterGroupsMessage> DescribeGroups(
    const fleet::Context& context, const api::DescribeDBParameterGroupsMessage& in) {
  std::vector<api::DBParameterGroup> groups;
  for (int major = postgres::kOldestMajor; major <= postgres::kNewestMajor; ++major) {
    const std::string family = postgres::ParameterFamily(major);
    const std::string name = "default." + family;
    if (in.db_parameter_group_name && *in.db_parameter_group_name != name) continue;
    groups.push_back({.db_parameter_group_name = name,
                      .db_parameter_group_family = family,
                      .description = "Default parameter group for " + family,
                      .db_parameter_group_arn =
                          "arn:aws:rds:" + context.region + ":" + context.account + ":pg:" + name});
  }
  if (in.db_parameter_group_name && groups.empty()) {
    return Refuse(api::fault::DBParameterGroupNotFoundFault(
        fmt::format("DBParameterGroup not found: {}", *in.db_parameter_group_name)));
  }
  api::DBParameterGroupsMessage out;
  OUTCOME_ASSIGN(out.db_parameter_groups,
                 Page(std::move(groups), in.max_records, in.marker, out.marker));
  return out;
}

Outcome<api::DBParameterGroupDetails> DescribeParameters(
    const fleet::Context&, const api::DescribeDBParametersMessage& in) {
  OUTCOME_ASSIGN(const int major, MajorOfFamily(in.db_parameter_group_name.value_or("")));
  std::vector<api::Parameter> parameters = DefaultsOf(major);
  if (in.source && *in.source != "system") parameters.clear();
  api::DBParameterGroupDetails out;
  OUTCOME_ASSIGN(out.parameters,
                 Page(std::move(parameters), in.max_records, in.marker, out.marker));
  return out;
}

Outcome<api::DescribeEngineDefaultParametersResult> DescribeEngineDefaults(
    const fleet::Context&, const api::DescribeEngineDefaultParametersMessage& in) {
  const std::string family = in.db_parameter_group_family.value_or("");
  OUTCOME_ASSIGN(const int major, MajorOfFamily(family));
  api::EngineDefaults defaults{.db_parameter_group_family = family};
  OUTCOME_ASSIGN(defaults.parameters,
                 Page(DefaultsOf(major), in.max_records, in.marker, defaults.marker));
  return api::DescribeEngineDefaultParametersResult{.engine_defaults = std::move(defaults)};
}

Outcome<api::OptionGroups> DescribeOptionGroups(const fleet::Context& context,
                                                const api::DescribeOptionGroupsMessage& in) {
  std::vector<api::OptionGroup> groups;
  for (int major = postgres::kOldestMajor; major <= postgres::kNewestMajor; ++major) {
    const std::string name = fmt::format("default:postgres-{}", major);
    if (in.option_group_name && *in.option_group_name != name) continue;
    if (in.engine_name && *in.engine_name != kEngine) continue;
    if (in.major_engine_version && *in.major_engine_version != std::to_string(major)) continue;
    api::OptionGroup group;
    group.option_group_name = name;
    group.option_group_description = fmt::format("Default option group for postgres {}", major);
    group.engine_name = std::string(kEngine);
    group.major_engine_version = std::to_string(major);
    group.allows_vpc_and_non_vpc_instance_memberships = true;
    group.option_group_arn =
        "arn:aws:rds:" + context.region + ":" + context.account + ":og:" + name;
    groups.push_back(std::move(group));
  }
  if (in.option_group_name && groups.empty()) {
    return Refuse(api::fault::OptionGroupNotFoundFault(
        fmt::format("Specified OptionGroupName: {} not found.", *in.option_group_name)));
  }
  api::OptionGroups out;
  OUTCOME_ASSIGN(out.option_groups_list,
                 Page(std::move(groups), in.max_records, in.marker, out.marker));
  return out;
}

Outcome<api::AccountAttributesMessage> DescribeAccount(
    const fleet::Context& context, const api::DescribeAccountAttributesMessage&) {
  const auto instances = fleet::ListInstances(context.store);
  const auto groups = fleet::ListSubnetGroups(context.store);
  if (!instances) return Refuse(aws::FaultOf(instances.error()));
  if (!groups) return Refuse(aws::FaultOf(groups.error()));
  std::int64_t storage = 0;
  for (const fleet::Instance& instance : *instances) storage += instance.settings.storage_gib;
  api::AccountAttributesMessage out;
  out.account_quotas = {{.account_quota_name = "DBInstances",
                         .used = static_cast<std::int64_t>(instances->size()),
                         .max = 40},
                        {.account_quota_name = "AllocatedStorage", .used = storage, .max = 100000},
                        {.account_quota_name = "DBSubnetGroups",
                         .used = static_cast<std::int64_t>(groups->size()),
                         .max = 50}};
  return out;
}

}  // namespace

void RegisterCatalogue(aws::Service& service, const fleet::Context& context,
                       const RdsOptions& options) {
  const auto with = [&context](auto handler) {
    return
        [&context, handler](const RequestContext&, const auto& in) { return handler(context, in); };
  };
  service.Register<api::DescribeDBEngineVersions>(with(DescribeVersions));
  service.Register<api::DescribeOrderableDBInstanceOptions>(with(DescribeOrderable));
  service.Register<api::DescribeDBParameterGroups>(with(DescribeGroups));
  service.Register<api::DescribeDBParameters>(with(DescribeParameters));
  service.Register<api::DescribeEngineDefaultParameters>(with(DescribeEngineDefaults));
  service.Register<api::DescribeOptionGroups>(with(DescribeOptionGroups));
  service.Register<api::DescribeAccountAttributes>(with(DescribeAccount));
  service.Register<api::DescribeCertificates>(
      [&context, options](
          const RequestContext&,
          const api::DescribeCertificatesMessage& in) -> Outcome<api::CertificateMessage> {
        if (in.certificate_identifier && *in.certificate_identifier != kAuthority) {
          return Refuse(api::fault::CertificateNotFoundFault("Certificate not found: " +
                                                             *in.certificate_identifier));
        }
        api::CertificateMessage out;
        out.default_certificate_for_new_launches = std::string(kAuthority);
        out.certificates.push_back({.certificate_identifier = std::string(kAuthority),
                                    .certificate_type = "CA",
                                    .valid_till = options.certificate_end(),
                                    .certificate_arn = "arn:aws:rds:" + context.region +
                                                       "::cert:" + std::string(kAuthority),
                                    .customer_override = false});
        return out;
      });
  // Nothing of these exists yet, and what does not exist is an empty list, as on RDS.
  service.Register<api::DescribePendingMaintenanceActions>(
      [](const RequestContext&, const api::DescribePendingMaintenanceActionsMessage&)
          -> Outcome<api::PendingMaintenanceActionsMessage> {
        api::PendingMaintenanceActionsMessage out;
        out.pending_maintenance_actions.MarkPresent();
        return out;
      });
  service.Register<api::DescribeDBSnapshots>(
      [](const RequestContext&,
         const api::DescribeDBSnapshotsMessage& in) -> Outcome<api::DBSnapshotMessage> {
        if (in.db_snapshot_identifier) {
          return Refuse(api::fault::DBSnapshotNotFoundFault(
              fmt::format("DBSnapshot {} not found.", *in.db_snapshot_identifier)));
        }
        api::DBSnapshotMessage out;
        out.db_snapshots.MarkPresent();
        return out;
      });
}

}  // namespace howdah::services::rds
