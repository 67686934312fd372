// One function a family of operations; ec2.cc calls them all.
#pragma once

#include "aws/service.h"
#include "services/ec2/ec2.h"

namespace howdah::services::ec2 {

void RegisterVpcs(aws::Service& service, const Ec2Options& options);
void RegisterSubnets(aws::Service& service, const Ec2Options& options);
void RegisterGroups(aws::Service& service, const Ec2Options& options);
void RegisterRules(aws::Service& service, const Ec2Options& options);
void RegisterInterfaces(aws::Service& service, const Ec2Options& options);
void RegisterRuleDescriptions(aws::Service& service, const Ec2Options& options);
void RegisterGroupViews(aws::Service& service, const Ec2Options& options);
void RegisterInterfaceAttributes(aws::Service& service, const Ec2Options& options);
void RegisterAcls(aws::Service& service, const Ec2Options& options);
void RegisterRouteTables(aws::Service& service, const Ec2Options& options);
void RegisterRoutes(aws::Service& service, const Ec2Options& options);  // and associations
void RegisterInternetGateways(aws::Service& service, const Ec2Options& options);
void RegisterNatGateways(aws::Service& service, const Ec2Options& options);
void RegisterAddresses(aws::Service& service, const Ec2Options& options);
void RegisterAbsent(aws::Service& service, const Ec2Options& options);  // what there is none of
void RegisterTags(aws::Service& service, const Ec2Options& options);
void RegisterRegions(aws::Service& service, const Ec2Options& options);

}  // namespace howdah::services::ec2
