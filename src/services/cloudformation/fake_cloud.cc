// The miniature services.
#include "services/cloudformation/fake_cloud.h"

#include <fmt/format.h>

#include <algorithm>

#include "aws/generated/ec2.h"
#include "aws/generated/rds.h"
#include "aws/generated/secretsmanager.h"

namespace howdah::cfn {

namespace {

namespace ec2 = aws::ec2;
namespace rds = aws::rds;
namespace secretsmanager = aws::secretsmanager;

// A call of a service is a seam: it may crash before or after.
template <typename Op, typename F>
void On(aws::Service& service, FakeCloud& cloud, store::FaultPlan* faults, F handler) {
  service.Register<Op>(
      [&cloud, faults, handler](const aws::RequestContext&,
                                const typename Op::Input& in) -> aws::Outcome<typename Op::Output> {
        ++cloud.calls;
        if (cloud.refused.contains(std::string(Op::kName))) {
          return aws::Refuse("InvalidParameterValue", "refused by the test");
        }
        if (faults == nullptr) return handler(in);
        aws::Outcome<typename Op::Output> out = aws::Refuse(aws::InternalFailure());
        const Result<> reached = faults->Reach([&]() -> Result<> {
          out = handler(in);
          return {};
        });
        if (!reached) return aws::Refuse(aws::InternalFailure());
        return out;
      });
}

template <typename TagLike>
Tags ReadTags(const aws::List<TagLike>& list) {
  Tags tags;
  for (const TagLike& tag : list) tags[tag.key.value_or("")] = tag.value.value_or("");
  return tags;
}

Tags ReadSpecifications(const aws::List<ec2::TagSpecification>& list) {
  return list.empty() ? Tags() : ReadTags(list[0].tags);
}

aws::List<ec2::Tag> ShowTags(const Thing& thing) {
  aws::List<ec2::Tag> tags;
  for (const auto& [key, value] : thing.tags) tags.push_back({.key = key, .value = value});
  return tags;
}

Thing& Add(FakeCloud& cloud, std::string kind, std::string prefix, Tags tags,
           std::string parent = "") {
  Thing thing;
  thing.kind = std::move(kind);
  thing.id = fmt::format("{}-{}", prefix, ++cloud.next_id);
  thing.parent = std::move(parent);
  thing.tags = std::move(tags);
  return cloud.things[thing.id] = thing;
}

bool Matches(const Thing& thing, std::string_view kind, const aws::List<std::string>& ids,
             const aws::List<ec2::Filter>& filters) {
  if (thing.kind != kind) return false;
  if (!ids.empty() && std::find(ids.begin(), ids.end(), thing.id) == ids.end()) return false;
  for (const ec2::Filter& filter : filters) {
    const std::string name = filter.name.value_or("");
    std::string value;
    if (name.starts_with("tag:")) {
      const auto found = thing.tags.find(name.substr(4));
      if (found != thing.tags.end()) value = found->second;
    } else {
      value = thing.parent;
    }
    if (value != filter.values[0]) return false;
  }
  return true;
}

template <typename Op>
aws::Outcome<typename Op::Output> Remove(FakeCloud& cloud, const std::string& id) {
  for (const auto& [other, thing] : cloud.things) {
    if (thing.parent == id && thing.kind != "rule") {
      return aws::Refuse("DependencyViolation", fmt::format("{} is used by {}", id, other));
    }
  }
  std::erase_if(cloud.things, [&](const auto& one) { return one.second.parent == id; });
  if (cloud.things.erase(id) == 0) return aws::Refuse("Invalid.NotFound", id + " is not there");
  return typename Op::Output{};
}

void RegisterNetwork(aws::Service& service, FakeCloud& cloud, store::FaultPlan* faults) {
  On<ec2::DescribeAvailabilityZones>(
      service, cloud, faults,
      [](const auto&) -> aws::Outcome<ec2::DescribeAvailabilityZonesResult> {
        ec2::DescribeAvailabilityZonesResult out;
        for (const char* name : {"us-west-2b", "us-west-2a"}) {
          out.availability_zones.emplace_back().zone_name = name;
        }
        return out;
      });
  On<ec2::CreateVpc>(
      service, cloud, faults, [&](const auto& in) -> aws::Outcome<ec2::CreateVpcResult> {
        Thing& made = Add(cloud, "vpc", "vpc", ReadSpecifications(in.tag_specifications));
        made.values["cidr"] = in.cidr_block.value_or("");
        ec2::CreateVpcResult out;
        out.vpc.emplace().vpc_id = made.id;
        return out;
      });
  On<ec2::DescribeVpcs>(service, cloud, faults,
                        [&](const auto& in) -> aws::Outcome<ec2::DescribeVpcsResult> {
                          ec2::DescribeVpcsResult out;
                          for (const auto& [id, thing] : cloud.things) {
                            if (!Matches(thing, "vpc", in.vpc_ids, in.filters)) continue;
                            ec2::Vpc& vpc = out.vpcs.emplace_back();
                            vpc.vpc_id = id;
                            vpc.cidr_block = thing.values.at("cidr");
                            vpc.tags = ShowTags(thing);
                          }
                          return out;
                        });
  On<ec2::ModifyVpcAttribute>(
      service, cloud, faults, [&](const auto& in) -> aws::Outcome<aws::Empty> {
        Thing& thing = cloud.things.at(*in.vpc_id);
        if (in.enable_dns_support) {
          thing.values["dns"] = in.enable_dns_support->value.value_or(false) ? "on" : "off";
        } else {
          thing.values["hostnames"] = "set";
        }
        return aws::Empty{};
      });
  On<ec2::DescribeVpcAttribute>(
      service, cloud, faults, [&](const auto& in) -> aws::Outcome<ec2::DescribeVpcAttributeResult> {
        ec2::DescribeVpcAttributeResult out;
        out.enable_dns_support =
            ec2::AttributeBooleanValue{cloud.things.at(*in.vpc_id).values["dns"] == "on"};
        return out;
      });
  On<ec2::DeleteVpc>(service, cloud, faults,
                     [&](const auto& in) { return Remove<ec2::DeleteVpc>(cloud, *in.vpc_id); });
  On<ec2::CreateSubnet>(
      service, cloud, faults, [&](const auto& in) -> aws::Outcome<ec2::CreateSubnetResult> {
        Thing& made =
            Add(cloud, "subnet", "subnet", ReadSpecifications(in.tag_specifications), *in.vpc_id);
        made.values["zone"] = in.availability_zone.value_or("");
        made.values["cidr"] = in.cidr_block.value_or("");
        ec2::CreateSubnetResult out;
        out.subnet.emplace().subnet_id = made.id;
        return out;
      });
  On<ec2::DescribeSubnets>(service, cloud, faults,
                           [&](const auto& in) -> aws::Outcome<ec2::DescribeSubnetsResult> {
                             ec2::DescribeSubnetsResult out;
                             for (const auto& [id, thing] : cloud.things) {
                               if (!Matches(thing, "subnet", in.subnet_ids, in.filters)) continue;
                               ec2::Subnet& subnet = out.subnets.emplace_back();
                               subnet.subnet_id = id;
                               subnet.vpc_id = thing.parent;
                               subnet.availability_zone = thing.values.at("zone");
                               subnet.cidr_block = thing.values.at("cidr");
                             }
                             return out;
                           });
  On<ec2::DeleteSubnet>(service, cloud, faults, [&](const auto& in) {
    return Remove<ec2::DeleteSubnet>(cloud, *in.subnet_id);
  });
  On<ec2::CreateTags>(service, cloud, faults, [&](const auto& in) -> aws::Outcome<aws::Empty> {
    for (const auto& [key, value] : ReadTags(in.tags)) {
      cloud.things.at(in.resources[0]).tags[key] = value;
    }
    return aws::Empty{};
  });
  On<ec2::DeleteTags>(service, cloud, faults, [&](const auto& in) -> aws::Outcome<aws::Empty> {
    for (const auto& [key, value] : ReadTags(in.tags)) {
      cloud.things.at(in.resources[0]).tags.erase(key);
    }
    return aws::Empty{};
  });
}

void RegisterGroups(aws::Service& service, FakeCloud& cloud, store::FaultPlan* faults) {
  On<ec2::CreateSecurityGroup>(
      service, cloud, faults, [&](const auto& in) -> aws::Outcome<ec2::CreateSecurityGroupResult> {
        Thing& made = Add(cloud, "group", "sg", ReadSpecifications(in.tag_specifications),
                          in.vpc_id.value_or(""));
        made.values["description"] = in.description.value_or("");
        ec2::CreateSecurityGroupResult out;
        out.group_id = made.id;
        return out;
      });
  On<ec2::DescribeSecurityGroups>(
      service, cloud, faults,
      [&](const auto& in) -> aws::Outcome<ec2::DescribeSecurityGroupsResult> {
        ec2::DescribeSecurityGroupsResult out;
        for (const auto& [id, thing] : cloud.things) {
          if (!Matches(thing, "group", in.group_ids, in.filters)) continue;
          ec2::SecurityGroup& group = out.security_groups.emplace_back();
          group.group_id = id;
          group.vpc_id = thing.parent;
          group.description = thing.values.at("description");
        }
        return out;
      });
  On<ec2::DeleteSecurityGroup>(service, cloud, faults, [&](const auto& in) {
    return Remove<ec2::DeleteSecurityGroup>(cloud, *in.group_id);
  });
  On<ec2::AuthorizeSecurityGroupIngress>(
      service, cloud, faults,
      [&](const auto& in) -> aws::Outcome<ec2::AuthorizeSecurityGroupIngressResult> {
        Thing& made =
            Add(cloud, "rule", "sgr", ReadSpecifications(in.tag_specifications), *in.group_id);
        const ec2::IpPermission& permission = in.ip_permissions[0];
        made.values["port"] = fmt::format("{}", permission.from_port.value_or(0));
        ec2::AuthorizeSecurityGroupIngressResult out;
        out.security_group_rules.emplace_back().security_group_rule_id = made.id;
        return out;
      });
  On<ec2::DescribeSecurityGroupRules>(
      service, cloud, faults,
      [&](const auto& in) -> aws::Outcome<ec2::DescribeSecurityGroupRulesResult> {
        ec2::DescribeSecurityGroupRulesResult out;
        for (const auto& [id, thing] : cloud.things) {
          if (!Matches(thing, "rule", in.security_group_rule_ids, in.filters)) continue;
          ec2::SecurityGroupRule& rule = out.security_group_rules.emplace_back();
          rule.security_group_rule_id = id;
          rule.group_id = thing.parent;
          rule.ip_protocol = "tcp";
          rule.from_port = rule.to_port = std::stoi(thing.values.at("port"));
          rule.cidr_ipv4 = "10.0.0.0/16";
          rule.is_egress = false;
          rule.tags = ShowTags(thing);
        }
        return out;
      });
  On<ec2::RevokeSecurityGroupIngress>(
      service, cloud, faults,
      [&](const auto& in) -> aws::Outcome<ec2::RevokeSecurityGroupIngressResult> {
        for (const std::string& id : in.security_group_rule_ids) cloud.things.erase(id);
        return ec2::RevokeSecurityGroupIngressResult{};
      });
}

rds::DBInstance ShowInstance(FakeCloud& cloud, Thing& thing) {
  rds::DBInstance shown;
  shown.db_instance_identifier = thing.id;
  shown.db_instance_arn = "arn:" + thing.id;
  shown.engine = "postgres";
  shown.db_instance_class = thing.values.at("class");
  shown.db_subnet_group = rds::DBSubnetGroup{.db_subnet_group_name = thing.parent};
  for (const std::string& id : SplitList(thing.values.at("groups"))) {
    shown.vpc_security_groups.emplace_back().vpc_security_group_id = id;
  }
  shown.allocated_storage = std::stoi(thing.values.at("storage"));
  shown.master_username = "dbadmin";
  const bool ready = ++thing.looks >= cloud.instance_looks;
  shown.db_instance_status = ready ? "available" : "creating";
  if (ready) shown.endpoint = rds::Endpoint{.address = thing.id + ".local", .port = 5432};
  return shown;
}

void RegisterRds(aws::Service& service, FakeCloud& cloud, store::FaultPlan* faults) {
  On<rds::CreateDBSubnetGroup>(
      service, cloud, faults, [&](const auto& in) -> aws::Outcome<rds::CreateDBSubnetGroupResult> {
        const std::string name = *in.db_subnet_group_name;
        if (cloud.things.contains(name)) {
          return aws::Refuse("DBSubnetGroupAlreadyExists", name + " already exists");
        }
        cloud.things[name] = {.kind = "subnet-group", .id = name, .tags = ReadTags(in.tags)};
        cloud.things[name].values = {{"description", in.db_subnet_group_description.value_or("")},
                                     {"subnets", fmt::format("{}", fmt::join(in.subnet_ids, ","))}};
        rds::CreateDBSubnetGroupResult out;
        out.db_subnet_group.emplace().db_subnet_group_name = name;
        return out;
      });
  On<rds::DescribeDBSubnetGroups>(
      service, cloud, faults, [&](const auto& in) -> aws::Outcome<rds::DBSubnetGroupMessage> {
        if (!cloud.things.contains(*in.db_subnet_group_name)) {
          return aws::Refuse("DBSubnetGroupNotFoundFault", "not there", 404);
        }
        rds::DBSubnetGroupMessage out;
        rds::DBSubnetGroup& group = out.db_subnet_groups.emplace_back();
        group.db_subnet_group_name = *in.db_subnet_group_name;
        group.db_subnet_group_arn = "arn:" + *in.db_subnet_group_name;
        const Thing& thing = cloud.things.at(*in.db_subnet_group_name);
        group.db_subnet_group_description = thing.values.at("description");
        for (const std::string& id : SplitList(thing.values.at("subnets"))) {
          group.subnets.emplace_back().subnet_identifier = id;
        }
        return out;
      });
  On<rds::ModifyDBSubnetGroup>(
      service, cloud, faults, [&](const auto& in) -> aws::Outcome<rds::ModifyDBSubnetGroupResult> {
        Thing& thing = cloud.things.at(*in.db_subnet_group_name);
        thing.values["subnets"] = fmt::format("{}", fmt::join(in.subnet_ids, ","));
        return rds::ModifyDBSubnetGroupResult{};
      });
  On<rds::AddTagsToResource>(service, cloud, faults,
                             [&](const auto& in) -> aws::Outcome<aws::Empty> {
                               Thing& thing = cloud.things.at(in.resource_name->substr(4));
                               for (const auto& [key, value] : ReadTags(in.tags))
                                 thing.tags[key] = value;
                               return aws::Empty{};
                             });
  On<rds::RemoveTagsFromResource>(service, cloud, faults,
                                  [&](const auto& in) -> aws::Outcome<aws::Empty> {
                                    Thing& thing = cloud.things.at(in.resource_name->substr(4));
                                    for (const std::string& key : in.tag_keys)
                                      thing.tags.erase(key);
                                    return aws::Empty{};
                                  });
  On<rds::DeleteDBSubnetGroup>(service, cloud, faults, [&](const auto& in) {
    return Remove<rds::DeleteDBSubnetGroup>(cloud, *in.db_subnet_group_name);
  });
  On<rds::CreateDBInstance>(
      service, cloud, faults, [&](const auto& in) -> aws::Outcome<rds::CreateDBInstanceResult> {
        const std::string name = *in.db_instance_identifier;
        if (cloud.things.contains(name)) {
          return aws::Refuse("DBInstanceAlreadyExists", "DB instance already exists");
        }
        cloud.things[name] = {.kind = "db-instance",
                              .id = name,
                              .parent = in.db_subnet_group_name.value_or(""),
                              .tags = ReadTags(in.tags)};
        cloud.things[name].values["class"] = in.db_instance_class.value_or("");
        cloud.things[name].values["groups"] =
            fmt::format("{}", fmt::join(in.vpc_security_group_ids, ","));
        cloud.things[name].values["password"] = in.master_user_password.value_or("");
        cloud.things[name].values["storage"] = fmt::format("{}", in.allocated_storage.value_or(0));
        rds::CreateDBInstanceResult out;
        out.db_instance.emplace().db_instance_identifier = name;
        return out;
      });
  On<rds::DescribeDBInstances>(service, cloud, faults,
                               [&](const auto& in) -> aws::Outcome<rds::DBInstanceMessage> {
                                 const auto found = cloud.things.find(*in.db_instance_identifier);
                                 if (found == cloud.things.end()) {
                                   return aws::Refuse("DBInstanceNotFound", "not there", 404);
                                 }
                                 rds::DBInstanceMessage out;
                                 out.db_instances.push_back(ShowInstance(cloud, found->second));
                                 return out;
                               });
  On<rds::ModifyDBInstance>(service, cloud, faults,
                            [&](const auto& in) -> aws::Outcome<rds::ModifyDBInstanceResult> {
                              Thing& thing = cloud.things.at(*in.db_instance_identifier);
                              if (in.allocated_storage)
                                thing.values["storage"] = fmt::format("{}", *in.allocated_storage);
                              if (in.db_instance_class) {
                                thing.values["class"] = *in.db_instance_class;
                              }
                              if (in.deletion_protection) {
                                thing.values["protected"] = *in.deletion_protection ? "yes" : "no";
                              }
                              return rds::ModifyDBInstanceResult{};
                            });
  On<rds::DeleteDBInstance>(service, cloud, faults,
                            [&](const auto& in) -> aws::Outcome<rds::DeleteDBInstanceResult> {
                              cloud.things.erase(*in.db_instance_identifier);
                              return rds::DeleteDBInstanceResult{};
                            });
  On<rds::ListTagsForResource>(
      service, cloud, faults, [&](const auto& in) -> aws::Outcome<rds::TagListMessage> {
        rds::TagListMessage out;
        for (const auto& [key, value] : cloud.things.at(in.resource_name->substr(4)).tags) {
          out.tag_list.push_back({.key = key, .value = value});
        }
        return out;
      });
}

void RegisterSecrets(aws::Service& service, FakeCloud& cloud, store::FaultPlan* faults) {
  On<secretsmanager::GetRandomPassword>(
      service, cloud, faults,
      [](const auto&) -> aws::Outcome<secretsmanager::GetRandomPasswordResponse> {
        return secretsmanager::GetRandomPasswordResponse{.random_password = "s3cr3t-value"};
      });
  On<secretsmanager::CreateSecret>(
      service, cloud, faults,
      [&](const auto& in) -> aws::Outcome<secretsmanager::CreateSecretResponse> {
        const std::string arn = "arn:aws:secretsmanager:us-west-2:1:secret:" + *in.name;
        if (cloud.things.contains(arn)) {
          return aws::Refuse("ResourceExistsException", "it exists already");
        }
        Thing thing{.kind = "secret", .id = arn, .tags = ReadTags(in.tags)};
        thing.values["value"] = in.secret_string.value_or("");
        cloud.things[arn] = thing;
        return secretsmanager::CreateSecretResponse{.arn = arn};
      });
  const auto find = [&cloud](const std::string& id) -> Thing* {
    const std::string prefix = "arn:aws:secretsmanager:us-west-2:1:secret:";
    const auto found = cloud.things.find(id.starts_with("arn:") ? id : prefix + id);
    return found == cloud.things.end() ? nullptr : &found->second;
  };
  On<secretsmanager::DescribeSecret>(
      service, cloud, faults,
      [find](const auto& in) -> aws::Outcome<secretsmanager::DescribeSecretResponse> {
        const Thing* thing = find(*in.secret_id);
        if (thing == nullptr) return aws::Refuse("ResourceNotFoundException", "not there");
        secretsmanager::DescribeSecretResponse out;
        out.arn = thing->id;
        for (const auto& [key, value] : thing->tags)
          out.tags.push_back({.key = key, .value = value});
        return out;
      });
  On<secretsmanager::GetSecretValue>(
      service, cloud, faults,
      [find](const auto& in) -> aws::Outcome<secretsmanager::GetSecretValueResponse> {
        const Thing* thing = find(*in.secret_id);
        if (thing == nullptr) return aws::Refuse("ResourceNotFoundException", "not there");
        secretsmanager::GetSecretValueResponse out;
        out.secret_string = thing->values.at("value");
        return out;
      });
  On<secretsmanager::PutSecretValue>(
      service, cloud, faults,
      [find](const auto& in) -> aws::Outcome<secretsmanager::PutSecretValueResponse> {
        find(*in.secret_id)->values["value"] = *in.secret_string;
        return secretsmanager::PutSecretValueResponse{};
      });
  On<secretsmanager::TagResource>(service, cloud, faults,
                                  [find](const auto& in) -> aws::Outcome<aws::Empty> {
                                    Thing& thing = *find(*in.secret_id);
                                    for (const auto& [key, value] : ReadTags(in.tags)) {
                                      thing.tags[key] = value;
                                    }
                                    return aws::Empty{};
                                  });
  On<secretsmanager::UntagResource>(service, cloud, faults,
                                    [find](const auto& in) -> aws::Outcome<aws::Empty> {
                                      for (const std::string& key : in.tag_keys)
                                        find(*in.secret_id)->tags.erase(key);
                                      return aws::Empty{};
                                    });
  On<secretsmanager::DeleteSecret>(
      service, cloud, faults,
      [&cloud](const auto& in) -> aws::Outcome<secretsmanager::DeleteSecretResponse> {
        if (cloud.things.erase(*in.secret_id) == 0) {
          return aws::Refuse("ResourceNotFoundException", "not there");
        }
        return secretsmanager::DeleteSecretResponse{};
      });
}

}  // namespace

std::string FakeCloud::Names() const {
  std::map<std::string, int> kinds;
  for (const auto& [id, thing] : things) ++kinds[thing.kind];
  std::string names;
  for (const auto& [kind, count] : kinds) names += fmt::format("{} {}\n", count, kind);
  return names;
}

FakeServices::FakeServices(FakeCloud& cloud, store::FaultPlan* faults)
    : ec2(aws::ec2::kService),
      rds(aws::rds::kService),
      secretsmanager(aws::secretsmanager::kService) {
  RegisterNetwork(ec2, cloud, faults);
  RegisterGroups(ec2, cloud, faults);
  RegisterRds(rds, cloud, faults);
  RegisterSecrets(secretsmanager, cloud, faults);
}

}  // namespace howdah::cfn
