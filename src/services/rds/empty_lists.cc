// What does not exist in Howdah, or not yet, and is an empty list as on RDS: tools ask for it in
// passing. Filters, pages and names are checked all the same.
#include <fmt/format.h>

#include "services/rds/filters.h"
#include "services/rds/instances.h"

namespace howdah::services::rds {

namespace {

// An empty page of `In`, whose parameters are good.
template <typename In>
Outcome<void> ValidPage(const In& in) {
  OUTCOME_TRY(PageSize(in.max_records));
  OUTCOME_TRY(KeyOf(in.marker));
  return {};
}

Outcome<api::PendingMaintenanceActionsMessage> PendingActions(
    const fleet::Context& context, const api::DescribePendingMaintenanceActionsMessage& in) {
  OUTCOME_TRY(ValidFilters(in.filters, {"db-cluster-id", "db-instance-id"}));
  OUTCOME_TRY(ValidPage(in));
  if (in.resource_identifier) {
    const auto found = fleet::FindInstance(context.store, IdentifierIn(*in.resource_identifier));
    if (!found) {
      return Refuse(api::fault::ResourceNotFoundFault(
          fmt::format("The specified resource {} does not exist.", *in.resource_identifier)));
    }
  }
  api::PendingMaintenanceActionsMessage out;
  out.pending_maintenance_actions.MarkPresent();
  return out;
}

Outcome<api::DBSecurityGroupMessage> SecurityGroups(
    const fleet::Context&, const api::DescribeDBSecurityGroupsMessage& in) {
  OUTCOME_TRY(ValidFilters(in.filters));
  OUTCOME_TRY(ValidPage(in));
  if (in.db_security_group_name) {
    return Refuse(api::fault::DBSecurityGroupNotFoundFault(
        fmt::format("DBSecurityGroup not found: {}", *in.db_security_group_name)));
  }
  api::DBSecurityGroupMessage out;
  out.db_security_groups.MarkPresent();
  return out;
}

Outcome<api::SourceRegionMessage> SourceRegions(const fleet::Context&,
                                                const api::DescribeSourceRegionsMessage& in) {
  OUTCOME_TRY(ValidFilters(in.filters));
  OUTCOME_TRY(ValidPage(in));
  api::SourceRegionMessage out;
  out.source_regions.MarkPresent();
  return out;
}

Outcome<api::ReservedDBInstanceMessage> Reserved(
    const fleet::Context&, const api::DescribeReservedDBInstancesMessage& in) {
  OUTCOME_TRY(ValidFilters(in.filters));
  OUTCOME_TRY(ValidPage(in));
  if (in.reserved_db_instance_id) {
    return Refuse(api::fault::ReservedDBInstanceNotFoundFault(
        fmt::format("ReservedDBInstance {} not found.", *in.reserved_db_instance_id)));
  }
  api::ReservedDBInstanceMessage out;
  out.reserved_db_instances.MarkPresent();
  return out;
}

Outcome<api::ReservedDBInstancesOfferingMessage> Offerings(
    const fleet::Context&, const api::DescribeReservedDBInstancesOfferingsMessage& in) {
  OUTCOME_TRY(ValidFilters(in.filters));
  OUTCOME_TRY(ValidPage(in));
  if (in.reserved_db_instances_offering_id) {
    return Refuse(api::fault::ReservedDBInstancesOfferingNotFoundFault(fmt::format(
        "ReservedDBInstancesOffering {} not found.", *in.reserved_db_instances_offering_id)));
  }
  api::ReservedDBInstancesOfferingMessage out;
  out.reserved_db_instances_offerings.MarkPresent();
  return out;
}

}  // namespace

void RegisterEmptyLists(aws::Service& service, const fleet::Context& context) {
  const auto with = [&context](auto handler) {
    return
        [&context, handler](const RequestContext&, const auto& in) { return handler(context, in); };
  };
  service.Register<api::DescribePendingMaintenanceActions>(with(PendingActions));
  service.Register<api::DescribeDBSecurityGroups>(with(SecurityGroups));
  service.Register<api::DescribeSourceRegions>(with(SourceRegions));
  service.Register<api::DescribeReservedDBInstances>(with(Reserved));
  service.Register<api::DescribeReservedDBInstancesOfferings>(with(Offerings));
}

}  // namespace howdah::services::rds
