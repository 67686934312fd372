// The JSON forms of what stands at a VPC's edge.
#include "vpc/edge.h"

#include <boost/json.hpp>

namespace howdah::vpc {

std::string PublicAddressKey(network::Ipv4 address) {
  return std::string(kPublicAddresses) + address.ToString();
}

std::string Encode(const InternetGateway& gateway) {
  return json::serialize(json::object{{"id", gateway.id.str()},
                                      {"vpc", gateway.vpc.str()},
                                      {"uses", gateway.uses},
                                      {"tags", TagsToJson(gateway.tags)}});
}

Result<> Decode(const json::object& document, InternetGateway& gateway) {
  gateway.id = InternetGatewayId(JsonString(document, "id"));
  gateway.vpc = VpcId(JsonString(document, "vpc"));
  gateway.uses = JsonInt(document, "uses");
  gateway.tags = TagsFromJson(document);
  return {};
}

std::string Encode(const ElasticAddress& address) {
  return json::serialize(json::object{{"id", address.id.str()},
                                      {"address", address.address.ToString()},
                                      {"association", address.association},
                                      {"interface", address.interface.str()},
                                      {"private_address", address.private_address.ToString()},
                                      {"tags", TagsToJson(address.tags)}});
}

Result<> Decode(const json::object& document, ElasticAddress& address) {
  address.id = AllocationId(JsonString(document, "id"));
  TRY_ASSIGN(address.address, AddressFromJson(document, "address"));
  address.association = JsonString(document, "association");
  address.interface = InterfaceId(JsonString(document, "interface"));
  TRY_ASSIGN(address.private_address, AddressFromJson(document, "private_address"));
  address.tags = TagsFromJson(document);
  return {};
}

std::string Encode(const NatGateway& gateway) {
  json::object document{{"id", gateway.id.str()},
                        {"vpc", gateway.vpc.str()},
                        {"subnet", gateway.subnet.str()},
                        {"interface", gateway.interface.str()},
                        {"private_address", gateway.private_address.ToString()},
                        {"allocation", gateway.allocation.str()},
                        {"association", gateway.association},
                        {"client_token", gateway.client_token},
                        {"created", ToMicros(gateway.created)},
                        {"tags", TagsToJson(gateway.tags)}};
  if (gateway.public_address) document["public_address"] = gateway.public_address->ToString();
  if (gateway.deleted) document["deleted"] = ToMicros(*gateway.deleted);
  return json::serialize(document);
}

Result<> Decode(const json::object& document, NatGateway& gateway) {
  gateway.id = NatGatewayId(JsonString(document, "id"));
  gateway.vpc = VpcId(JsonString(document, "vpc"));
  gateway.subnet = SubnetId(JsonString(document, "subnet"));
  gateway.interface = InterfaceId(JsonString(document, "interface"));
  TRY_ASSIGN(gateway.private_address, AddressFromJson(document, "private_address"));
  gateway.allocation = AllocationId(JsonString(document, "allocation"));
  gateway.association = JsonString(document, "association");
  gateway.client_token = JsonString(document, "client_token");
  gateway.created = FromMicros(JsonInt(document, "created"));
  gateway.tags = TagsFromJson(document);
  if (document.contains("public_address")) {
    TRY_ASSIGN(gateway.public_address, AddressFromJson(document, "public_address"));
  }
  if (document.contains("deleted")) gateway.deleted = FromMicros(JsonInt(document, "deleted"));
  return {};
}

}  // namespace howdah::vpc
