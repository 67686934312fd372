// The engines that can run here, what of them can be ordered, and what an instance can become.
#include <fmt/format.h>

#include "fleet/records.h"
#include "postgres/instance_class.h"
#include "postgres/parameters.h"
#include "services/rds/filters.h"
#include "services/rds/instances.h"

namespace howdah::services::rds {

namespace {

constexpr std::int64_t kLeastStorage = 20;
constexpr std::int64_t kMostStorage = 65536;

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

bool Matches(const api::DBEngineVersion& version, std::string_view name, const std::string& value) {
  if (name == "engine") return value == kEngine;
  if (name == "engine-mode") return value == "provisioned";
  if (name == "engine-version") return value == version.engine_version;
  if (name == "status") return value == version.status;
  return value == version.db_parameter_group_family;
}

std::string KeyOfVersion(const api::DBEngineVersion& version) {
  const auto parsed = postgres::EngineVersion::Parse(version.engine_version.value_or(""));
  return parsed ? fmt::format("{:05}.{:05}", parsed->major, parsed->minor) : "";
}

Outcome<api::DBEngineVersionMessage> DescribeVersions(
    const fleet::Context& context, const api::DescribeDBEngineVersionsMessage& in) {
  OUTCOME_TRY(ValidFilters(in.filters, {"db-parameter-group-family", "engine", "engine-mode",
                                        "engine-version", "status"}));
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
  std::vector<api::DBEngineVersion> versions;
  for (const postgres::Engine& engine : engines) versions.push_back(ToShape(context, engine));
  KeepMatching(versions, in.filters, Matches);
  api::DBEngineVersionMessage out;
  OUTCOME_ASSIGN(out.db_engine_versions, Page(std::move(versions), in, out.marker, KeyOfVersion));
  return out;
}

api::DBMajorEngineVersion MajorShape(int major) {
  api::DBMajorEngineVersion shape{.engine = std::string(kEngine),
                                  .major_engine_version = std::to_string(major)};
  api::SupportedEngineLifecycle lifecycle{.lifecycle_support_name =
                                              "open-source-rds-standard-support"};
  if (const auto end = postgres::EndOfLife(major)) {
    lifecycle.lifecycle_support_end_date = WallTime(std::chrono::sys_days(*end));
  }
  shape.supported_engine_lifecycles.push_back(std::move(lifecycle));
  return shape;
}

Outcome<api::DescribeDBMajorEngineVersionsResponse> DescribeMajors(
    const fleet::Context& context, const api::DescribeDBMajorEngineVersionsRequest& in) {
  OUTCOME_ASSIGN(const std::vector<postgres::Engine> engines, Engines(context));
  std::vector<api::DBMajorEngineVersion> majors;
  for (const postgres::Engine& engine : engines) {
    const std::string major = std::to_string(engine.version.major);
    if (in.engine && *in.engine != kEngine) continue;
    if (in.major_engine_version && *in.major_engine_version != major) continue;
    if (!majors.empty() && majors.back().major_engine_version == major) continue;
    majors.push_back(MajorShape(engine.version.major));
  }
  api::DescribeDBMajorEngineVersionsResponse out;
  OUTCOME_ASSIGN(out.db_major_engine_versions,
                 Page(std::move(majors), in, out.marker,
                      [](const auto& it) { return it.major_engine_version.value_or(""); }));
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
  shape.availability_zone_group = context.region;
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
  shape.supported_engine_modes = {"provisioned"};
  shape.min_storage_size = kLeastStorage;
  shape.max_storage_size = kMostStorage;
  shape.supported_network_types = {"IPV4"};
  return shape;
}

std::string KeyOfOption(const api::OrderableDBInstanceOption& option) {
  return fmt::format("{} {} {}", option.engine_version.value_or(""),
                     option.db_instance_class.value_or(""), option.storage_type.value_or(""));
}

Outcome<api::OrderableDBInstanceOptionsMessage> DescribeOrderable(
    const fleet::Context& context, const api::DescribeOrderableDBInstanceOptionsMessage& in) {
  OUTCOME_TRY(ValidFilters(in.filters));
  OUTCOME_ASSIGN(const std::vector<postgres::Engine> engines, Engines(context));
  const bool none = in.engine.value_or("") != kEngine ||
                    (in.license_model && *in.license_model != kLicense) || !in.vpc.value_or(true) ||
                    in.availability_zone_group.value_or(context.region) != context.region;
  std::vector<api::OrderableDBInstanceOption> options;
  for (const postgres::Engine& engine : engines) {
    if (none) break;
    if (in.engine_version && *in.engine_version != engine.version.Format()) continue;
    for (const postgres::InstanceClass& size : postgres::InstanceClasses()) {
      if (in.db_instance_class && *in.db_instance_class != size.name) continue;
      for (const std::string_view type : {"gp2", "gp3"}) {
        options.push_back(ToShape(context, engine, size, type));
      }
    }
  }
  std::ranges::sort(options, {}, KeyOfOption);
  api::OrderableDBInstanceOptionsMessage out;
  OUTCOME_ASSIGN(out.orderable_db_instance_options,
                 Page(std::move(options), in, out.marker, KeyOfOption));
  return out;
}

// Storage only grows, by a tenth at least.
Outcome<api::DescribeValidDBInstanceModificationsResult> DescribeValid(
    const fleet::Context& context, const api::DescribeValidDBInstanceModificationsMessage& in) {
  OUTCOME_ASSIGN(const auto found, Find(context, in.db_instance_identifier.value_or("")));
  const auto active = fleet::ActiveRun(context.store, found.value);
  if (!active) return Refuse(aws::FaultOf(active.error()));
  const std::string status = fleet::StatusOf(found.value, *active, {});
  if (status == "creating" || status == "deleting" || status == "failed") {
    return Refuse(api::fault::InvalidDBInstanceStateFault(fmt::format(
        "Instance {} is not in available state. It is {}.", found.value.identifier, status)));
  }
  const std::int64_t now = found.value.settings.storage_gib;
  api::ValidDBInstanceModificationsMessage valid;
  for (const char* type : {"gp2", "gp3"}) {
    api::ValidStorageOptions option{.storage_type = type, .supports_storage_autoscaling = false};
    option.storage_size.push_back({.from = (now * 11 + 9) / 10, .to = kMostStorage, .step = 1});
    valid.storage.push_back(std::move(option));
  }
  valid.valid_processor_features.MarkPresent();
  valid.supports_dedicated_log_volume = false;
  return api::DescribeValidDBInstanceModificationsResult{.valid_db_instance_modifications_message =
                                                             std::move(valid)};
}

}  // namespace

void RegisterEngines(aws::Service& service, const fleet::Context& context) {
  const auto with = [&context](auto handler) {
    return
        [&context, handler](const RequestContext&, const auto& in) { return handler(context, in); };
  };
  service.Register<api::DescribeDBEngineVersions>(with(DescribeVersions));
  service.Register<api::DescribeDBMajorEngineVersions>(with(DescribeMajors));
  service.Register<api::DescribeOrderableDBInstanceOptions>(with(DescribeOrderable));
  service.Register<api::DescribeValidDBInstanceModifications>(with(DescribeValid));
}

}  // namespace howdah::services::rds
