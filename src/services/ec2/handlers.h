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
void RegisterTables(aws::Service& service, const Ec2Options& options);  // ACLs and route tables
void RegisterTags(aws::Service& service, const Ec2Options& options);
void RegisterRegions(aws::Service& service, const Ec2Options& options);

}  // namespace howdah::services::ec2
