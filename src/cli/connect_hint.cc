#include "cli/connect_hint.h"

#include <fmt/format.h>

#include <vector>

#include "aws/generated/cloudformation.h"
#include "aws/generated/ec2.h"
#include "aws/generated/rds.h"

namespace howdah::cli {
namespace {

struct Resources {
  std::vector<std::string> instances;
  std::vector<std::string> secrets;
};

Resources ResourcesOf(const Session& session, const std::string& stack_name) {
  Resources found;
  const auto answer =
      session.Call<aws::cloudformation::DescribeStackResources>({.stack_name = stack_name});
  if (!answer) return found;
  for (const auto& resource : answer->stack_resources) {
    const auto id = resource.physical_resource_id.value_or("");
    if (id.empty()) continue;
    if (resource.resource_type == "AWS::RDS::DBInstance") found.instances.push_back(id);
    if (resource.resource_type == "AWS::SecretsManager::Secret") found.secrets.push_back(id);
  }
  return found;
}

// "arn:…:secret:prod-e/db-credentials-AbCdEf" to the name that a person knows.
std::string SecretName(const std::string& arn) {
  constexpr std::string_view kMark = ":secret:";
  constexpr std::size_t kSuffix = 7;  // a hyphen and six random characters
  const auto at = arn.find(kMark);
  if (at == std::string::npos) return arn;
  const auto name = arn.substr(at + kMark.size());
  return name.size() > kSuffix ? name.substr(0, name.size() - kSuffix) : name;
}

std::string NameOfGroup(const Session& session, const std::string& id) {
  aws::ec2::DescribeSecurityGroupsRequest request;
  request.group_ids = {id};
  const auto answer = session.Call<aws::ec2::DescribeSecurityGroups>(request);
  if (!answer || answer->security_groups.empty()) return id;
  return answer->security_groups.front().group_name.value_or(id);
}

// A group that some group of the instance admits; empty where only addresses are admitted.
std::string AdmittedGroup(const Session& session, const aws::rds::DBInstance& instance) {
  aws::ec2::DescribeSecurityGroupsRequest request;
  aws::List<std::string> ids;
  for (const auto& group : instance.vpc_security_groups) {
    if (group.vpc_security_group_id) ids.push_back(*group.vpc_security_group_id);
  }
  if (ids.empty()) return "";
  request.group_ids = ids;
  const auto answer = session.Call<aws::ec2::DescribeSecurityGroups>(request);
  if (!answer) return "";
  for (const auto& group : answer->security_groups) {
    for (const auto& rule : group.ip_permissions) {
      for (const auto& pair : rule.user_id_group_pairs) {
        if (pair.group_id) return NameOfGroup(session, *pair.group_id);
      }
    }
  }
  return "";
}

std::string HintFor(const Context& context, const Session& session,
                    const aws::rds::DBInstance& instance, const std::vector<std::string>& secrets) {
  const std::string name = instance.db_instance_identifier.value_or("");
  std::string text;
  if (instance.endpoint) {
    text += fmt::format("  endpoint    {}:{}\n", instance.endpoint->address.value_or(""),
                        instance.endpoint->port.value_or(0));
  }
  if (const auto group = AdmittedGroup(session, instance); !group.empty()) {
    const std::string secret =
        secrets.empty() ? "" : fmt::format(" --secret {}", ShellQuote(SecretName(secrets.front())));
    text += fmt::format("  as a task   {} run --security-group {} --db {}{} -- psql\n",
                        context.self, ShellQuote(group), ShellQuote(name), secret);
  }
  text += fmt::format("  as master   {} psql {}\n", context.self, ShellQuote(name));
  return text;
}

}  // namespace

std::string ConnectHint(const Context& context, const Session& session,
                        const std::string& stack_name) {
  const Resources resources = ResourcesOf(session, stack_name);
  std::string text;
  for (const auto& id : resources.instances) {
    const auto answer = session.Call<aws::rds::DescribeDBInstances>({.db_instance_identifier = id});
    if (!answer || answer->db_instances.empty()) continue;
    text += fmt::format("Connect to {}\n", id);
    text += HintFor(context, session, answer->db_instances.front(), resources.secrets);
  }
  if (!text.empty()) {
    text += fmt::format("  AWS CLI     eval \"$({} env)\"\n", context.self);
  }
  return text;
}

}  // namespace howdah::cli
