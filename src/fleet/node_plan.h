// What each node of an instance should be, derived from the instance and its high-availability
// record. Pure but for the subnets, which are read. Nothing else decides about nodes: workflows
// change the instance or the record, and the nodes follow.
#pragma once

#include <vector>

#include "fleet/context.h"
#include "fleet/instance.h"
#include "fleet/subnet_group.h"
#include "ha/record.h"
#include "nodes/node.h"
#include "postgres/parameters.h"
#include "vpc/records.h"

namespace howdah::fleet {

// rds.force_ssl is 1 by default from PostgreSQL 15 on, as on RDS.
bool ForcesTls(int major);

// Where clients find the instance, and how their connections travel: the tags `howdah:data-path`
// (auto, relay) and `howdah:tls` (auto, server, gateway) decide; the services refuse other values.
inline constexpr std::string_view kDataPathTag = "howdah:data-path";
inline constexpr std::string_view kTlsTag = "howdah:tls";
// Whether sessions of a Multi-AZ instance may commit without the standby: enforced (they cannot) or
// session (they decide, as on RDS).
inline constexpr std::string_view kSynchronousCommitTag = "howdah:synchronous-commit";
// kInvalid, naming tag and values, where one of the three says something else.
Result<> CheckDataPathTags(const Tags& tags);
nodes::Endpoint EndpointOf(const Instance& instance, int major);

// The default parameter group's values for the instance's class, storage and port, and
// rds.allow_async_commit where its tag says so.
Result<postgres::Settings> NodeSettings(const Instance& instance);

// The zone that a node of the instance is in.
std::string ZoneOf(const Instance& instance, const NodeId& node);

// The nodes that should exist or go, in the order primary, standby. `primary_stopped`: the
// primary's agent says that its server is down, so that a standby is stopped after its primary and
// holds all that was acknowledged.
Result<std::vector<nodes::Desired>> PlanNodes(const Instance& instance, const ha::Record& record,
                                              bool primary_stopped);

// The group, or the default one of the default VPC.
Result<SubnetGroup> LoadSubnetGroup(const Context& context, std::string_view name);
Result<vpc::Subnet> SubnetInZone(const Context& context, const SubnetGroup& group,
                                 std::string_view zone);
// The zones that the group covers, sorted.
Result<std::vector<std::string>> ZonesOf(const Context& context, const SubnetGroup& group);

}  // namespace howdah::fleet
