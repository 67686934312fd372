// Filters and shapes of network interfaces. One that a service has made counts as attached to
// something of that service; there are no EC2 instances to which others could be attached.
#include "services/ec2/interface_view.h"

#include <map>

#include "services/ec2/tags.h"

namespace howdah::services::ec2 {
namespace {

using Row = InterfaceRow;

std::string AttachmentOf(const vpc::Interface& interface) {
  return "ela-attach-" + interface.id.str().substr(vpc::kInterfacePrefix.size());
}

const char* StatusOf(const vpc::Interface& interface) {
  return interface.requester_managed ? "in-use" : "available";
}

const char* KindOf(const vpc::Interface& interface) {
  return interface.kind == vpc::InterfaceKind::kNatGateway ? "nat_gateway" : "interface";
}

// What only an attached interface says.
template <typename Tell>
constexpr auto IfAttached(Tell) {
  return [](const Row& row) {
    return row.interface.requester_managed ? Values(Tell{}(row)) : Values();
  };
}

// What only an interface with an Elastic IP address says.
template <typename Tell>
constexpr auto IfPublic(Tell) {
  return [](const Row& row) { return row.address ? Values(Tell{}(row)) : Values(); };
}

constexpr auto kAddress = [](const Row& row) { return row.interface.address.ToString(); };
constexpr auto kPublicAddress =
    IfPublic([](const Row& row) { return row.address->address.ToString(); });
constexpr auto kPublicOwner = IfPublic([](const Row& row) { return row.account; });

constexpr Column<Row> kColumns[] = {
    {"addresses.association.owner-id", kPublicOwner},
    {"addresses.association.public-ip", kPublicAddress},
    {"addresses.primary", [](const Row&) { return true; }},
    {"addresses.private-ip-address", kAddress},
    {"association.allocation-id", IfPublic([](const Row& row) { return row.address->id.str(); })},
    {"association.association-id",
     IfPublic([](const Row& row) { return row.address->association; })},
    {"association.ip-owner-id", kPublicOwner},
    {"association.public-dns-name", nullptr},
    {"association.public-ip", kPublicAddress},
    {"attachment.attach-time",
     IfAttached([](const Row& row) { return FormatIso8601(row.interface.created); })},
    {"attachment.attachment-id",
     IfAttached([](const Row& row) { return AttachmentOf(row.interface); })},
    {"attachment.delete-on-termination", IfAttached([](const Row&) { return false; })},
    {"attachment.device-index", IfAttached([](const Row&) { return std::int64_t{1}; })},
    {"attachment.instance-id", nullptr},
    {"attachment.instance-owner-id",
     IfAttached([](const Row& row) { return row.interface.requester_id; })},
    {"attachment.status", IfAttached([](const Row&) { return "attached"; })},
    {"availability-zone", [](const Row& row) { return row.interface.zone; }},
    {"availability-zone-id", [](const Row& row) { return row.zone_id; }},
    {"description", [](const Row& row) { return row.interface.description; }},
    {"group-id",
     [](const Row& row) {
       std::vector<std::string> ids;
       for (const vpc::GroupId& group : row.interface.groups) ids.push_back(group.str());
       return ids;
     }},
    {"group-name", [](const Row& row) { return row.group_names; }},
    {"interface-type", [](const Row& row) { return KindOf(row.interface); }},
    {"ipv6-addresses.ipv6-address", nullptr},
    {"mac-address", [](const Row& row) { return row.interface.mac_address; }},
    {"network-interface-id", [](const Row& row) { return row.interface.id.str(); }},
    {"operator.managed", [](const Row&) { return false; }},
    {"operator.principal", nullptr},
    {"owner-id", [](const Row& row) { return row.account; }},
    {"private-dns-name", nullptr},
    {"private-ip-address", kAddress},
    {"requester-id", [](const Row& row) { return row.interface.requester_id; }},
    {"requester-managed", [](const Row& row) { return row.interface.requester_managed; }},
    {"source-dest-check", [](const Row& row) { return row.interface.source_dest_check; }},
    {"status", [](const Row& row) { return StatusOf(row.interface); }},
    {"subnet-id", [](const Row& row) { return row.interface.subnet.str(); }},
    {"vpc-id", [](const Row& row) { return row.interface.vpc.str(); }}};

std::optional<api::NetworkInterfaceAssociation> WriteAssociation(const Row& row) {
  if (!row.address) return std::nullopt;
  api::NetworkInterfaceAssociation out;
  out.allocation_id = row.address->id.str();
  out.association_id = row.address->association;
  out.ip_owner_id = row.account;
  out.public_ip = row.address->address.ToString();
  return out;
}

// Names of groups, read when they are first asked for.
class GroupNames {
 public:
  explicit GroupNames(store::Store& store) : store_(store) {}

  const std::string& Of(const vpc::GroupId& id) {
    const auto known = names_.find(id);
    if (known != names_.end()) return known->second;
    const auto group = vpc::Get<vpc::SecurityGroup>(store_, id);
    return names_[id] = group ? group->name : "";
  }

 private:
  store::Store& store_;
  std::map<vpc::GroupId, std::string> names_;
};

}  // namespace

const Resource<InterfaceRow> kInterfaces = {
    .ids = "networkInterfaceIds",
    .columns = kColumns,
    .key = [](const Row& row) { return row.interface.id.str(); },
    .tags = [](const Row& row) { return &row.interface.tags; }};

aws::Outcome<std::vector<InterfaceRow>> RowsOf(const vpc::Context& network,
                                               const std::string& account,
                                               const std::vector<vpc::Interface>& interfaces) {
  GroupNames names(network.store);
  std::vector<Row> rows;
  for (const vpc::Interface& interface : interfaces) {
    Row row{interface, "", {}, std::nullopt, account};
    if (const vpc::Zone* zone = network.region.Find(interface.zone)) row.zone_id = zone->id;
    for (const vpc::GroupId& group : interface.groups) row.group_names.push_back(names.Of(group));
    if (!interface.public_address.empty()) {
      auto address = vpc::Get<vpc::ElasticAddress>(network.store, interface.public_address);
      if (address) row.address = *std::move(address);
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

aws::List<api::GroupIdentifier> WriteGroups(const InterfaceRow& row) {
  aws::List<api::GroupIdentifier> out;
  for (std::size_t i = 0; i < row.interface.groups.size(); ++i)
    out.push_back({.group_id = row.interface.groups[i].str(), .group_name = row.group_names[i]});
  return out;
}

std::optional<api::NetworkInterfaceAttachment> WriteAttachment(const vpc::Interface& interface) {
  if (!interface.requester_managed) return std::nullopt;
  api::NetworkInterfaceAttachment out;
  out.attachment_id = AttachmentOf(interface);
  out.attach_time = interface.created;
  out.delete_on_termination = false;
  out.device_index = 1;
  out.instance_owner_id = interface.requester_id;
  out.status = "attached";
  return out;
}

api::NetworkInterface Write(const InterfaceRow& row) {
  const vpc::Interface& interface = row.interface;
  api::NetworkInterface out;
  out.network_interface_id = interface.id.str();
  out.vpc_id = interface.vpc.str();
  out.subnet_id = interface.subnet.str();
  out.availability_zone = interface.zone;
  if (!row.zone_id.empty()) out.availability_zone_id = row.zone_id;
  out.description = interface.description;
  out.owner_id = row.account;
  out.interface_type = KindOf(interface);
  out.mac_address = interface.mac_address;
  out.private_ip_address = interface.address.ToString();
  out.association = WriteAssociation(row);
  out.private_ip_addresses.push_back({.association = WriteAssociation(row),
                                      .primary = true,
                                      .private_ip_address = interface.address.ToString()});
  out.requester_managed = interface.requester_managed;
  if (!interface.requester_id.empty()) out.requester_id = interface.requester_id;
  out.source_dest_check = interface.source_dest_check;
  out.status = StatusOf(interface);
  out.groups = WriteGroups(row);
  out.tag_set = WriteTags(interface.tags);
  out.attachment = WriteAttachment(interface);
  return out;
}

}  // namespace howdah::services::ec2
