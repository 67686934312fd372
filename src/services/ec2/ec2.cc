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
  ec2::RegisterTables(service, options);
  ec2::RegisterTags(service, options);
  ec2::RegisterRegions(service, options);
}

}  // namespace howdah::services
