// The EC2 service, as far as a database's network needs it: VPCs, subnets, security groups and
// rules, network interfaces, tags, and the records that clients read beside them. Translates
// between AWS's shapes and the vpc room; keeps nothing itself.
#pragma once

#include <sys/types.h>

#include "aws/service.h"
#include "vpc/context.h"

namespace howdah::services {

struct Ec2Options {
  vpc::Context network;
  uid_t interface_owner =
      0;  // may speak for interfaces of CreateNetworkInterface: the daemon's user
};

// The handlers copy the options; what the context refers to outlives the service.
void RegisterEc2(aws::Service& service, const Ec2Options& options);

}  // namespace howdah::services
