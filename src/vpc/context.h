// What the functions of this room work with: the store to read, the randomness for ids, the region
// that Howdah plays, and how a private address becomes one of this host. Built by the caller, on
// the stack or once; what it refers to outlives it.
#pragma once

#include "network/loopback.h"
#include "store/store.h"
#include "system/entropy.h"
#include "vpc/region.h"

namespace howdah::vpc {

struct Context {
  store::Store& store;
  system::Entropy& entropy;
  const Region& region;
  const network::AddressDriver& driver;
};

}  // namespace howdah::vpc
