// Internet gateways and NAT gateways. A VPC counts its internet gateway as a use, a subnet the
// interface of a NAT gateway: so neither is deleted under them.
#include "vpc/gateways.h"

#include <fmt/format.h>

#include "vpc/addresses.h"
#include "vpc/interfaces.h"

namespace howdah::vpc {
namespace {

constexpr std::string_view kNatRequester = "amazon-nat";
// No user's sockets speak for the interface of a NAT gateway.
constexpr uid_t kNobody = static_cast<uid_t>(-1);

// Those that were deleted long enough ago.
Result<> ForgetDeleted(Draft& draft, WallTime now) {
  TRY_ASSIGN(const std::vector<NatGateway> gateways, draft.LoadAll<NatGateway>());
  for (const NatGateway& gateway : gateways) {
    if (StateOf(gateway, now)) continue;
    if (!gateway.client_token.empty())
      draft.Erase(TokenKey(kNatGatewayPrefix, gateway.client_token));
    draft.Remove(gateway);
  }
  return {};
}

NewInterface InterfaceWish(const NewNatGateway& wish, const NatGatewayId& id) {
  return {.subnet = wish.subnet,
          .groups = {},
          .kind = InterfaceKind::kNatGateway,
          .address = wish.private_address,
          .owner = {.requester_managed = true,
                    .requester_id = std::string(kNatRequester),
                    .description = fmt::format("Interface for NAT Gateway {}", id.str()),
                    .owner = id.str(),
                    .uid = kNobody},
          .now = wish.now,
          .client_token = "",
          .tags = {},
          .usable = {}};
}

}  // namespace

Result<InternetGateway> CreateInternetGateway(const Context& context,
                                              store::Transaction& transaction, const Tags& tags) {
  Draft draft(context.store, transaction);
  InternetGateway gateway;
  gateway.id = InternetGatewayId(NewId(context.entropy, kInternetGatewayPrefix));
  gateway.tags = tags;
  TRY(draft.Add(gateway));
  return gateway;
}

Result<> AttachInternetGateway(const Context& context, store::Transaction& transaction,
                               const InternetGatewayId& id, const VpcId& vpc_id) {
  Draft draft(context.store, transaction);
  TRY_ASSIGN(InternetGateway gateway, draft.Load<InternetGateway>(id));
  TRY_ASSIGN(Vpc vpc, draft.Load<Vpc>(vpc_id));
  if (!gateway.vpc.empty())
    return Fail(Code::kAlreadyExists, fmt::format("resource {} is already attached to network {}",
                                                  id.str(), gateway.vpc.str()));
  if (!vpc.internet_gateway.empty())
    return Fail(Code::kInvalid,
                fmt::format("Network {} already has an internet gateway attached", vpc_id.str()));
  gateway.vpc = vpc_id;
  vpc.internet_gateway = id;
  ++vpc.uses;
  draft.Save(gateway);
  draft.Save(vpc);
  return {};
}

Result<> DetachInternetGateway(const Context& context, store::Transaction& transaction,
                               const InternetGatewayId& id, const VpcId& vpc_id) {
  Draft draft(context.store, transaction);
  TRY_ASSIGN(InternetGateway gateway, draft.Load<InternetGateway>(id));
  TRY_ASSIGN(Vpc vpc, draft.Load<Vpc>(vpc_id));
  if (gateway.vpc != vpc_id)
    return Fail(Code::kFailedState,
                fmt::format("resource {} is not attached to network {}", id.str(), vpc_id.str()));
  if (gateway.uses > 0)
    return Fail(Code::kInUse,
                fmt::format("Network {} has some mapped public address(es). Please unmap those "
                            "public address(es) before detaching the gateway.",
                            vpc_id.str()));
  gateway.vpc = {};
  vpc.internet_gateway = {};
  --vpc.uses;
  draft.Save(gateway);
  draft.Save(vpc);
  return {};
}

Result<> DeleteInternetGateway(const Context& context, store::Transaction& transaction,
                               const InternetGatewayId& id) {
  Draft draft(context.store, transaction);
  TRY_ASSIGN(const InternetGateway gateway, draft.Load<InternetGateway>(id));
  if (!gateway.vpc.empty())
    return Fail(
        Code::kInUse,
        fmt::format("The internetGateway '{}' has dependencies and cannot be deleted.", id.str()));
  draft.Remove(gateway);
  return {};
}

Result<NatGateway> CreateNatGateway(const Context& context, store::Transaction& transaction,
                                    const NewNatGateway& wish) {
  Draft draft(context.store, transaction);
  TRY(ForgetDeleted(draft, wish.now));
  NatGateway gateway;
  gateway.id = NatGatewayId(NewId(context.entropy, kNatGatewayPrefix));
  TRY_ASSIGN(Interface interface,
             ReserveInterface(context, transaction, InterfaceWish(wish, gateway.id)));
  gateway.vpc = interface.vpc;
  gateway.subnet = interface.subnet;
  gateway.interface = interface.id;
  gateway.private_address = interface.address;
  gateway.allocation = wish.allocation;
  if (!wish.allocation.empty()) {
    TRY_ASSIGN(const ElasticAddress address,
               MapAddress(context, draft, wish.allocation, interface));
    gateway.public_address = address.address;
    gateway.association = address.association;
    draft.Save(interface);
  }
  gateway.client_token = wish.client_token;
  gateway.created = wish.now;
  gateway.tags = wish.tags;
  if (!wish.client_token.empty()) {
    TRY(draft.Create(TokenKey(kNatGatewayPrefix, wish.client_token),
                     json::serialize(json::object{{"id", gateway.id.str()}})));
  }
  TRY(draft.Add(gateway));
  return gateway;
}

Result<> DeleteNatGateway(const Context& context, store::Transaction& transaction,
                          const NatGatewayId& id, WallTime now) {
  Draft draft(context.store, transaction);
  TRY_ASSIGN(NatGateway gateway, draft.Load<NatGateway>(id));
  TRY(ForgetDeleted(draft, now));
  if (gateway.deleted) return {};
  TRY(ReleaseInterface(context, transaction, gateway.interface));
  gateway.deleted = now;
  draft.Save(gateway);
  return {};
}

std::optional<std::string_view> StateOf(const NatGateway& gateway, WallTime now) {
  if (!gateway.deleted) return now < gateway.created + kNatGatewaySettles ? "pending" : "available";
  if (now >= *gateway.deleted + kNatGatewayKept) return std::nullopt;
  return now < *gateway.deleted + kNatGatewaySettles ? "deleting" : "deleted";
}

}  // namespace howdah::vpc
