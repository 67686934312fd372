// VPCs and their subnets: making, changing and deleting them. Every function adds to a transaction
// of the caller, who commits it; kConflict from the commit means: build it again and retry
// (Transact does both). Where an Error's code alone does not say what was wrong, it is said here.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>

#include "store/store.h"
#include "vpc/context.h"
#include "vpc/records.h"

namespace howdah::vpc {

// Builds a transaction and commits it, again as long as somebody else was faster (a few times).
Result<> Transact(store::Store& store,
                  const std::function<Result<>(store::Transaction& transaction)>& build);

struct NewVpc {
  network::Cidr cidr;
  Tags tags;
};

// With its default security group, network ACL and main route table.
// kInvalid: the range is no legal one, or on this host its addresses would be another VPC's.
Result<Vpc> CreateVpc(const Context& context, store::Transaction& transaction, const NewVpc& wish);

// 172.31.0.0/16 with a /20 subnet in each of the first three zones. kAlreadyExists: there is a
// default VPC. kInvalid: on this host its addresses would be another VPC's.
Result<Vpc> CreateDefaultVpc(const Context& context, store::Transaction& transaction);

struct VpcChange {
  std::optional<bool> dns_support;
  std::optional<bool> dns_hostnames;
  std::optional<bool> usage_metrics;
};
Result<> ModifyVpc(const Context& context, store::Transaction& transaction, const VpcId& id,
                   const VpcChange& change);

// kInUse: it has subnets, an internet gateway, or groups or route tables besides its own.
Result<> DeleteVpc(const Context& context, store::Transaction& transaction, const VpcId& id);

struct NewSubnet {
  VpcId vpc;
  network::Cidr cidr;
  std::string zone;  // name or zone id; empty: the zone with the fewest subnets of the VPC
  Tags tags;
};

// kInvalid: not a legal size, or not inside the VPC. kAlreadyExists: overlaps another subnet.
// kUnsupported: no such zone.
Result<Subnet> CreateSubnet(const Context& context, store::Transaction& transaction,
                            const NewSubnet& wish);
Result<> ModifySubnet(const Context& context, store::Transaction& transaction, const SubnetId& id,
                      bool map_public_ip);
// kInUse: there are network interfaces in it.
Result<> DeleteSubnet(const Context& context, store::Transaction& transaction, const SubnetId& id);

// The private addresses of a VPC that interfaces have.
Result<std::set<network::Ipv4>> TakenAddresses(store::Store& store, const VpcId& vpc);
// Addresses of a subnet that an interface could still get.
Result<std::uint64_t> AvailableAddresses(store::Store& store, const Subnet& subnet);

// At the first start: the default VPC. Does nothing ever after, also when the user has deleted it.
Result<> EnsureDefaultVpc(const Context& context);

}  // namespace howdah::vpc
