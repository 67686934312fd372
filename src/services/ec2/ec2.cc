// Puts the families of operations together.
#include "services/ec2/ec2.h"

#include "services/ec2/handlers.h"

namespace howdah::services {

void RegisterEc2(aws::Service& service, const Ec2Options& options) {
  ec2::RegisterVpcs(service, options);
  ec2::RegisterSubnets(service, options);
  ec2::RegisterGroups(service, options);
  ec2::RegisterRules(service, options);
  ec2::RegisterInterfaces(service, options);
  ec2::RegisterRuleDescriptions(service, options);
  ec2::RegisterGroupViews(service, options);
  ec2::RegisterInterfaceAttributes(service, options);
  ec2::RegisterAcls(service, options);
  ec2::RegisterRouteTables(service, options);
  ec2::RegisterRoutes(service, options);
  ec2::RegisterInternetGateways(service, options);
  ec2::RegisterNatGateways(service, options);
  ec2::RegisterAddresses(service, options);
  ec2::RegisterAbsent(service, options);
  ec2::RegisterTags(service, options);
  ec2::RegisterRegions(service, options);
}

}  // namespace howdah::services
