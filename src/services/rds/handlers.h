// The parts of the service, each in its own file, and what they share.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "aws/fault.h"
#include "aws/generated/rds.h"
#include "aws/service.h"
#include "fleet/context.h"
#include "fleet/records.h"
#include "fleet/subnet_group.h"
#include "services/rds/page.h"
#include "services/rds/rds.h"

namespace howdah::services::rds {

namespace api = aws::rds;
using aws::Outcome;
using aws::Refuse;
using aws::RequestContext;

void RegisterInstances(aws::Service& service, const fleet::Context& context);
void RegisterSnapshots(aws::Service& service, const fleet::Context& context);
void RegisterRestores(aws::Service& service, const fleet::Context& context);
void RegisterAutomatedBackups(aws::Service& service, const fleet::Context& context);
void RegisterSubnetGroups(aws::Service& service, const fleet::Context& context);
void RegisterEngines(aws::Service& service, const fleet::Context& context);
void RegisterEmptyLists(aws::Service& service, const fleet::Context& context);
void RegisterCatalogue(aws::Service& service, const fleet::Context& context,
                       const RdsOptions& options);
void RegisterEvents(aws::Service& service, const fleet::Context& context);
void RegisterTags(aws::Service& service, const fleet::Context& context);

inline constexpr std::string_view kEngine = "postgres";
inline constexpr std::string_view kLicense = "postgresql-license";
inline constexpr std::string_view kLifecycle = "open-source-rds-extended-support-disabled";
inline constexpr std::string_view kAuthority = "rds-ca-rsa2048-g1";

// shapes.cc: records as AWS shows them.
Outcome<api::DBInstance> ToShape(const fleet::Context& context, const fleet::Instance& instance);
// The same for many instances: their subnet groups are read once.
using SubnetGroupShapes = std::map<std::string, api::DBSubnetGroup>;
Outcome<api::DBInstance> ToShape(const fleet::Context& context, const fleet::Instance& instance,
                                 SubnetGroupShapes& seen);
Outcome<api::DBSubnetGroup> ToShape(const fleet::Context& context, const fleet::SubnetGroup& group);
int MajorOf(std::string_view version);  // of "14.17"; 0: it is none
aws::List<api::Tag> ToShape(const fleet::Tags& tags);
// Checks AWS's rules for tags: no more than 50, keys of 1 to 128 characters that do not begin with
// "aws:" or "rds:", values of at most 256.
Outcome<fleet::Tags> ToTags(const aws::List<api::Tag>& tags);

}  // namespace howdah::services::rds
