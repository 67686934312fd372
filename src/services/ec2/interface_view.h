// Network interfaces as clients see them: rows with what is known about them from elsewhere.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "services/ec2/selection.h"
#include "vpc/context.h"
#include "vpc/edge.h"

namespace howdah::services::ec2 {

struct InterfaceRow {
  vpc::Interface interface;
  std::string zone_id;
  std::vector<std::string> group_names;  // in the order of the interface's groups
  std::optional<vpc::ElasticAddress> address;
  std::string account;
};

extern const Resource<InterfaceRow> kInterfaces;

// The names of few interfaces' groups are read one by one, those of many all at once.
aws::Outcome<std::vector<InterfaceRow>> RowsOf(const vpc::Context& network,
                                               const std::string& account,
                                               const std::vector<vpc::Interface>& interfaces);

api::NetworkInterface Write(const InterfaceRow& row);
aws::List<api::GroupIdentifier> WriteGroups(const InterfaceRow& row);
// nullopt: it is attached to nothing.
std::optional<api::NetworkInterfaceAttachment> WriteAttachment(const vpc::Interface& interface);

}  // namespace howdah::services::ec2
