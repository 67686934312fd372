// What is the same for everybody: default parameter and option groups, certificates, quotas.
#include <fmt/format.h>

#include "postgres/parameters.h"
#include "services/rds/filters.h"

namespace howdah::services::rds {

namespace {

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
  std::ranges::sort(parameters, {}, [](const auto& it) { return *it.parameter_name; });
  return parameters;
}

Outcome<api::DBParameterGroupsMessage> DescribeGroups(
    const fleet::Context& context, const api::DescribeDBParameterGroupsMessage& in) {
  OUTCOME_TRY(ValidFilters(in.filters));
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
                 Page(std::move(groups), in, out.marker,
                      [](const auto& it) { return *it.db_parameter_group_name; }));
  return out;
}

std::string KeyOfParameter(const api::Parameter& parameter) {
  return *parameter.parameter_name;
}

Outcome<api::DBParameterGroupDetails> DescribeParameters(
    const fleet::Context&, const api::DescribeDBParametersMessage& in) {
  OUTCOME_TRY(ValidFilters(in.filters, {"parameter-name"}));
  OUTCOME_ASSIGN(const int major, MajorOfFamily(in.db_parameter_group_name.value_or("")));
  std::vector<api::Parameter> parameters = DefaultsOf(major);
  if (in.source && *in.source != "system") parameters.clear();
  KeepMatching(parameters, in.filters,
               [](const api::Parameter& it, std::string_view, const std::string& value) {
                 return it.parameter_name == value;
               });
  api::DBParameterGroupDetails out;
  OUTCOME_ASSIGN(out.parameters, Page(std::move(parameters), in, out.marker, KeyOfParameter));
  return out;
}

Outcome<api::DescribeEngineDefaultParametersResult> DescribeEngineDefaults(
    const fleet::Context&, const api::DescribeEngineDefaultParametersMessage& in) {
  OUTCOME_TRY(ValidFilters(in.filters));
  const std::string family = in.db_parameter_group_family.value_or("");
  OUTCOME_ASSIGN(const int major, MajorOfFamily(family));
  api::EngineDefaults defaults{.db_parameter_group_family = family};
  OUTCOME_ASSIGN(defaults.parameters, Page(DefaultsOf(major), in, defaults.marker, KeyOfParameter));
  return api::DescribeEngineDefaultParametersResult{.engine_defaults = std::move(defaults)};
}

Outcome<api::OptionGroups> DescribeOptionGroups(const fleet::Context& context,
                                                const api::DescribeOptionGroupsMessage& in) {
  OUTCOME_TRY(ValidFilters(in.filters));
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
                 Page(std::move(groups), in, out.marker,
                      [](const auto& it) { return *it.option_group_name; }));
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
  std::size_t subnets = 0;
  for (const fleet::SubnetGroup& group : *groups) subnets = std::max(subnets, group.subnets.size());
  const fleet::Quotas& quotas = context.quotas;
  api::AccountAttributesMessage out;
  out.account_quotas = {
      {.account_quota_name = "DBInstances",
       .used = static_cast<std::int64_t>(instances->size()),
       .max = quotas.instances},
      {.account_quota_name = "AllocatedStorage", .used = storage, .max = quotas.storage_gib},
      {.account_quota_name = "DBSubnetGroups",
       .used = static_cast<std::int64_t>(groups->size()),
       .max = quotas.subnet_groups},
      {.account_quota_name = "SubnetsPerDBSubnetGroup",
       .used = static_cast<std::int64_t>(subnets),
       .max = quotas.subnets_per_group}};
  return out;
}

Outcome<api::CertificateMessage> DescribeCertificates(const fleet::Context& context,
                                                      const RdsOptions& options,
                                                      const api::DescribeCertificatesMessage& in) {
  OUTCOME_TRY(ValidFilters(in.filters));
  if (in.certificate_identifier && *in.certificate_identifier != kAuthority) {
    return Refuse(api::fault::CertificateNotFoundFault("Certificate not found: " +
                                                       *in.certificate_identifier));
  }
  const std::string authority(kAuthority);
  std::vector<api::Certificate> certificates = {
      {.certificate_identifier = authority,
       .certificate_type = "CA",
       .valid_till = options.certificate_end(),
       .certificate_arn = "arn:aws:rds:" + context.region + "::cert:" + authority,
       .customer_override = false}};
  api::CertificateMessage out;
  out.default_certificate_for_new_launches = authority;
  OUTCOME_ASSIGN(out.certificates, Page(std::move(certificates), in, out.marker,
                                        [](const auto& it) { return *it.certificate_identifier; }));
  return out;
}

}  // namespace

void RegisterCatalogue(aws::Service& service, const fleet::Context& context,
                       const RdsOptions& options) {
  const auto with = [&context](auto handler) {
    return
        [&context, handler](const RequestContext&, const auto& in) { return handler(context, in); };
  };
  service.Register<api::DescribeDBParameterGroups>(with(DescribeGroups));
  service.Register<api::DescribeDBParameters>(with(DescribeParameters));
  service.Register<api::DescribeEngineDefaultParameters>(with(DescribeEngineDefaults));
  service.Register<api::DescribeOptionGroups>(with(DescribeOptionGroups));
  service.Register<api::DescribeAccountAttributes>(with(DescribeAccount));
  service.Register<api::DescribeCertificates>(
      [&context, options](const RequestContext&, const api::DescribeCertificatesMessage& in) {
        return DescribeCertificates(context, options, in);
      });
}

}  // namespace howdah::services::rds
