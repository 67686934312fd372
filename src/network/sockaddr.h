// An address and port in the form that the socket calls take.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cstdint>

#include "network/cidr.h"

namespace howdah::network {

inline sockaddr_in ToSockaddr(Ipv4 address, std::uint16_t port) {
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(port);
  inet_pton(AF_INET, address.ToString().c_str(), &name.sin_addr);
  return name;
}

}  // namespace howdah::network
