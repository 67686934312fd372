#include "services/rds/rds.h"

#include "services/rds/handlers.h"

namespace howdah::services {

void RegisterRds(aws::Service& service, const fleet::Context& context, RdsOptions options) {
  rds::RegisterInstances(service, context);
  rds::RegisterSnapshots(service, context);
  rds::RegisterRestores(service, context);
  rds::RegisterAutomatedBackups(service, context);
  rds::RegisterSubnetGroups(service, context);
  rds::RegisterEngines(service, context);
  rds::RegisterEmptyLists(service, context);
  rds::RegisterCatalogue(service, context, options);
  rds::RegisterEvents(service, context);
  rds::RegisterTags(service, context);
}

}  // namespace howdah::services
