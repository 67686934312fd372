// Internet gateways and NAT gateways: records, see edge.h. As in vpcs.h, every function adds to the
// caller's transaction.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "store/store.h"
#include "vpc/context.h"
#include "vpc/edge.h"

namespace howdah::vpc {

Result<InternetGateway> CreateInternetGateway(const Context& context,
                                              store::Transaction& transaction, const Tags& tags);
// kAlreadyExists: the gateway is attached. kInvalid: the VPC has another.
Result<> AttachInternetGateway(const Context& context, store::Transaction& transaction,
                               const InternetGatewayId& id, const VpcId& vpc);
// kFailedState: it is not attached to this VPC. kInUse: addresses are associated in the VPC.
Result<> DetachInternetGateway(const Context& context, store::Transaction& transaction,
                               const InternetGatewayId& id, const VpcId& vpc);
// kInUse: it is attached.
Result<> DeleteInternetGateway(const Context& context, store::Transaction& transaction,
                               const InternetGatewayId& id);

struct NewNatGateway {
  SubnetId subnet;
  AllocationId allocation;                       // empty: a private one
  std::optional<network::Ipv4> private_address;  // empty: the lowest free one
  std::string client_token;
  WallTime now{};
  Tags tags;
};
// With an interface in the subnet and, unless private, the address associated with it.
// kFailedState, kAlreadyExists: as AssociateAddress. kExhausted: the subnet is full.
Result<NatGateway> CreateNatGateway(const Context& context, store::Transaction& transaction,
                                    const NewNatGateway& wish);
// Sets address and interface free; the record stays for kNatGatewayKept. One that is deleted
// already is no error.
Result<> DeleteNatGateway(const Context& context, store::Transaction& transaction,
                          const NatGatewayId& id, WallTime now);

// Clients that wait for a state see it pass: pending and deleting each last this long.
inline constexpr Duration kNatGatewaySettles = std::chrono::seconds(1);
inline constexpr Duration kNatGatewayKept = std::chrono::hours(1);
// "pending", "available", "deleting" or "deleted"; nullopt: it is to be seen no more.
std::optional<std::string_view> StateOf(const NatGateway& gateway, WallTime now);

}  // namespace howdah::vpc
