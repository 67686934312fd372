// Elastic IP addresses: allocating them and associating them with interfaces. Records: they are
// taken from a range that is reserved for documentation (RFC 5737), so that nobody takes one for an
// address that can be reached. As in vpcs.h, every function adds to the caller's transaction.
#pragma once

#include <optional>

#include "store/store.h"
#include "vpc/context.h"
#include "vpc/draft.h"
#include "vpc/edge.h"

namespace howdah::vpc {

inline constexpr network::Ipv4 kFirstPublicAddress{0xcb007101};  // 203.0.113.1
inline constexpr std::uint32_t kMaxElasticAddresses = 250;

struct NewAddress {
  std::optional<network::Ipv4> address;  // empty: the lowest free one
  Tags tags;
};
// kExhausted: all are taken. kAlreadyExists: the wished one is. kInvalid: it is none of ours.
Result<ElasticAddress> AllocateAddress(const Context& context, store::Transaction& transaction,
                                       const NewAddress& wish);
// kInUse: it is associated.
Result<> ReleaseAddress(const Context& context, store::Transaction& transaction,
                        const AllocationId& id);

struct NewAssociation {
  AllocationId address;
  InterfaceId interface;
  bool take_over = true;  // end what address and interface are associated with now
};
// kFailedState: the interface's VPC has no internet gateway. kAlreadyExists: address or interface
// is associated already. kPermission: a service's interface.
Result<ElasticAddress> AssociateAddress(const Context& context, store::Transaction& transaction,
                                        const NewAssociation& wish);
// One that is not associated is no error. kPermission: a NAT gateway uses it.
Result<> DisassociateAddress(const Context& context, store::Transaction& transaction,
                             const AllocationId& id);

// For those who make and release interfaces. Both save the address and the gateway; the interface
// they only change.
Result<ElasticAddress> MapAddress(const Context& context, Draft& draft, const AllocationId& id,
                                  Interface& interface);
Result<> UnmapAddress(Draft& draft, Interface& interface);

}  // namespace howdah::vpc
