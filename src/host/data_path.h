// How clients reach one node: their own socket is handed over to PostgreSQL, or the gateway relays.
#pragma once

#include <string>

#include "nodes/node.h"
#include "postgres/catalogue.h"

namespace howdah::host {

// What the gateway is told about a primary.
struct Fitness {
  bool fit = false;             // may clients come in?
  std::string handover_socket;  // empty: relay
  bool server_tls = false;      // TLS ends in PostgreSQL, else in the gateway
  bool operator==(const Fitness&) const = default;
};

// Should PostgreSQL itself speak TLS with clients? Only where it can take them over at all, and by
// default only with a TLS library that somebody mends. Pure.
bool ServerSpeaksTls(const nodes::Endpoint& endpoint, const postgres::Engine& engine,
                     bool has_library);

// "handover", or "relay" and why; and the same for TLS: for people.
std::string DescribeDataPath(const nodes::Endpoint& endpoint, const Fitness& fitness,
                             const std::string& refusal);
std::string DescribeTls(const nodes::Endpoint& endpoint, const postgres::Engine& engine,
                        const Fitness& fitness);

}  // namespace howdah::host
