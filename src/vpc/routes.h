// Route tables, their routes, and which subnet has which table. Records: Howdah routes nothing, so
// a route opens no way and a missing one closes none. As in vpcs.h, every function adds to the
// caller's transaction.
#pragma once

#include <string>

#include "store/store.h"
#include "vpc/context.h"
#include "vpc/draft.h"
#include "vpc/records.h"

namespace howdah::vpc {

inline constexpr std::size_t kMaxRoutesPerTable = 50;  // AWS's default quota

struct NewRouteTable {
  VpcId vpc;
  std::string client_token;  // empty: none
  Tags tags;
};
Result<RouteTable> CreateRouteTable(const Context& context, store::Transaction& transaction,
                                    const NewRouteTable& wish);
// kInUse: subnets are associated with it, or it is its VPC's main table.
Result<> DeleteRouteTable(const Context& context, store::Transaction& transaction,
                          const RouteTableId& id);

// The destination in its one form; kInvalid where it is no range.
Result<std::string> CanonicalRange(const std::string& text);

// The target must exist; whether a route with a target that has gone since is a "blackhole", the
// reader says. kInvalid: target of another network, or a destination within the VPC.
// kAlreadyExists: there is a route to this destination. kExhausted: too many.
Result<> CreateRoute(const Context& context, store::Transaction& transaction,
                     const RouteTableId& table, const Route& route);
// kInvalid: there is no route to this destination; otherwise as CreateRoute.
Result<> ReplaceRoute(const Context& context, store::Transaction& transaction,
                      const RouteTableId& table, const Route& route);
// kNotFound: there is no route to this destination. kInvalid: it is the local one.
Result<> DeleteRoute(const Context& context, store::Transaction& transaction,
                     const RouteTableId& table, const std::string& destination);

// These return the id of the association. kAlreadyExists: the subnet has an explicit association.
// kInvalid: table and subnet are of different VPCs, or the main association is disassociated.
// kNotFound: there is no such association.
Result<std::string> AssociateRouteTable(const Context& context, store::Transaction& transaction,
                                        const RouteTableId& table, const SubnetId& subnet);
Result<> DisassociateRouteTable(const Context& context, store::Transaction& transaction,
                                const std::string& association);
// Also moves the main association: the table becomes the VPC's main one.
Result<std::string> ReplaceRouteTableAssociation(const Context& context,
                                                 store::Transaction& transaction,
                                                 const std::string& association,
                                                 const RouteTableId& table);

// A subnet that is being deleted takes its association along.
Result<> ForgetRouteTable(Draft& draft, const Subnet& subnet);

}  // namespace howdah::vpc
