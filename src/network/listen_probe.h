// Whether an address and port of this host can be listened on right now. A look, not a reservation:
// the gateway says for certain when it listens.
#pragma once

#include <cstdint>

#include "network/cidr.h"

namespace howdah::network {

bool CanListen(Ipv4 host_address, std::uint16_t port);

}  // namespace howdah::network
