// Questions about groups that need no record of their own: which a VPC has, which VPCs refer to
// them, which are stale. VPCs are not peered here, so no other VPC refers to a group and no rule
// can have lost what it referred to.
#include <algorithm>

#include "services/ec2/handlers.h"
#include "services/ec2/selection.h"
#include "services/ec2/serve.h"
#include "services/ec2/tags.h"

namespace howdah::services::ec2 {
namespace {

using Group = vpc::SecurityGroup;

constexpr Column<Group> kColumns[] = {
    {"description", [](const Group& group) { return group.description; }},
    {"group-id", [](const Group& group) { return group.id.str(); }},
    {"group-name", [](const Group& group) { return group.name; }},
    {"primary-vpc-id", [](const Group& group) { return group.vpc.str(); }}};

constexpr Resource<Group> kGroups = {.ids = "groupIds",
                                     .columns = kColumns,
                                     .key = [](const Group& group) { return group.id.str(); },
                                     .tags = [](const Group& group) { return &group.tags; }};

aws::Outcome<api::GetSecurityGroupsForVpcResult> GetSecurityGroupsForVpc(
    const Ec2Options& options, const aws::RequestContext& context,
    const api::GetSecurityGroupsForVpcRequest& in) {
  store::Store& store = options.network.store;
  OUTCOME_ASSIGN(const vpc::Vpc vpc, Find<vpc::Vpc>(store, *in.vpc_id));
  OUTCOME_ASSIGN(auto groups, Translated(vpc::List<Group>(store)));
  std::erase_if(groups, [&](const Group& group) { return group.vpc != vpc.id; });
  OUTCOME_ASSIGN(const auto page, Select(kGroups, std::move(groups), in, false));
  api::GetSecurityGroupsForVpcResult out;
  for (const Group& group : page.records)
    out.security_group_for_vpcs.push_back({.description = group.description,
                                           .group_name = group.name,
                                           .owner_id = context.account_id,
                                           .group_id = group.id.str(),
                                           .tags = WriteTags(group.tags),
                                           .primary_vpc_id = group.vpc.str()});
  out.next_token = page.next_token;
  return out;
}

aws::Outcome<api::DescribeSecurityGroupReferencesResult> DescribeSecurityGroupReferences(
    const Ec2Options& options, const aws::RequestContext&,
    const api::DescribeSecurityGroupReferencesRequest& in) {
  OUTCOME_TRY(Load<Group>(options.network.store, in.group_id));
  return api::DescribeSecurityGroupReferencesResult{};
}

aws::Outcome<api::DescribeStaleSecurityGroupsResult> DescribeStaleSecurityGroups(
    const Ec2Options& options, const aws::RequestContext&,
    const api::DescribeStaleSecurityGroupsRequest& in) {
  OUTCOME_TRY(Find<vpc::Vpc>(options.network.store, *in.vpc_id));
  if (in.next_token) OUTCOME_TRY(DecodeToken(*in.next_token));
  return api::DescribeStaleSecurityGroupsResult{};
}

}  // namespace

void RegisterGroupViews(aws::Service& service, const Ec2Options& options) {
  Serve<api::GetSecurityGroupsForVpc>(service, options, GetSecurityGroupsForVpc);
  Serve<api::DescribeSecurityGroupReferences>(service, options, DescribeSecurityGroupReferences);
  Serve<api::DescribeStaleSecurityGroups>(service, options, DescribeStaleSecurityGroups);
}

}  // namespace howdah::services::ec2
