// The table behind the default parameter groups. Values in PostgreSQL's base units, as RDS writes
// them. Source: the groups default.postgres14 to 18 as RDS documents them; where RDS leaves a
// parameter at the engine's default it is not listed.
#include "postgres/parameters.h"

#include <fmt/format.h>

#include <algorithm>

namespace howdah::postgres {
namespace {

struct Entry {
  Parameter parameter;
  int first_major = 0;  // 0: any
  int last_major = 99;
};

constexpr auto kStatic = ApplyType::kStatic;

constexpr Entry kEntries[] = {
    {{"autovacuum_analyze_scale_factor", "0.05"}},
    {{"autovacuum_max_workers", "GREATEST({DBInstanceClassMemory/64371566592},3)", kStatic}},
    {{"autovacuum_naptime", "15"}},
    {{"autovacuum_vacuum_cost_limit",
      "GREATEST({log(DBInstanceClassMemory/21474836480)*600},200)"}},
    {{"autovacuum_vacuum_scale_factor", "0.1"}},
    {{"autovacuum_work_mem", "GREATEST({DBInstanceClassMemory/32768},65536)"}},
    {{"checkpoint_completion_target", "0.9"}},
    {{"effective_cache_size", "{DBInstanceClassMemory/16384}"}},
    {{"idle_in_transaction_session_timeout", "86400000"}},
    {{"log_autovacuum_min_duration", "10000"}},
    {{"maintenance_work_mem", "GREATEST({DBInstanceClassMemory*1024/63963136},65536)"}},
    {{"max_connections", "LEAST({DBInstanceClassMemory/9531392},5000)", kStatic}},
    {{"max_parallel_workers", "GREATEST({DBInstanceVCPU/2},8)"}},
    {{"max_stack_depth", "6144"}},
    {{"max_wal_size", "2048"}},
    {{"max_worker_processes", "GREATEST({DBInstanceVCPU*2},8)", kStatic}},
    {{"min_wal_size", "192"}},
    {{"rds.accepted_password_auth_method", "md5+scram", kStatic}},
    {{"rds.adaptive_autovacuum", "1"}},
    {{"rds.extensions", "", kStatic}},
    {{"rds.force_admin_logging_level", "disabled"}},
    {{"rds.force_autovacuum_logging_level", "warning"}},
    {{"rds.force_ssl", "0"}, 0, 14},
    {{"rds.force_ssl", "1"}, 15},
    {{"rds.log_retention_period", "4320"}},
    {{"rds.logical_replication", "0", kStatic}},
    {{"rds.rds_superuser_reserved_connections", "2", kStatic}, 0, 15},
    {{"rds.restrict_password_commands", "0", kStatic}},
    {{"reserved_connections", "2", kStatic}, 16},
    {{"shared_buffers", "{DBInstanceClassMemory/32768}", kStatic}},
    {{"tcp_keepalives_count", "2"}},
    {{"tcp_keepalives_idle", "300"}},
    {{"tcp_keepalives_interval", "30"}},
    {{"timezone", "UTC"}},
    {{"track_activity_query_size", "4096", kStatic}},
    {{"track_io_timing", "1"}},
};

}  // namespace

std::string ParameterFamily(int major) {
  return fmt::format("postgres{}", major);
}

std::vector<Parameter> DefaultParameters(int major) {
  std::vector<Parameter> parameters;
  for (const Entry& entry : kEntries) {
    if (major < entry.first_major || major > entry.last_major) continue;
    parameters.push_back(entry.parameter);
  }
  std::ranges::sort(parameters, {}, &Parameter::name);
  return parameters;
}

FormulaVariables VariablesOf(const InstanceClass& instance_class, std::int64_t storage_gib,
                             int port) {
  return {
      {"AllocatedStorage", storage_gib * 1024 * 1024 * 1024},
      {"DBInstanceClassMemory", static_cast<std::int64_t>(instance_class.MemoryForDatabaseBytes())},
      {"DBInstanceVCPU", instance_class.vcpus},
      {"EndPointPort", port},
  };
}

Result<Settings> EvaluateParameters(std::span<const Parameter> parameters,
                                    const FormulaVariables& variables) {
  Settings settings;
  for (const Parameter& parameter : parameters) {
    if (parameter.name.starts_with("rds.")) continue;
    std::string value(parameter.value);
    if (IsFormula(value)) {
      const auto number = EvaluateFormula(value, variables);
      if (!number) return Fail(number.error().During(parameter.name));
      value = fmt::format("{}", *number);
    }
    settings.insert_or_assign(std::string(parameter.name), std::move(value));
  }
  return settings;
}

}  // namespace howdah::postgres
