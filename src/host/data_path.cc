// The choice between handover and relay (data_path.h), and the keeper's part of it: the
// certificate, and the proof on the running server.
#include "host/data_path.h"

#include <fmt/format.h>

#include "host/certificates.h"
#include "host/node_keeper.h"
#include "postgres/config.h"
#include "postgres/handover.h"

namespace howdah::host {
namespace {

constexpr Duration kProofLimit = 2s;
// How long a server that did not prove itself is left alone: it may only be reading its
// certificate.
constexpr Duration kProveAgain = 1s;

}  // namespace

bool ServerSpeaksTls(const nodes::Endpoint& endpoint, const postgres::Engine& engine,
                     bool has_library) {
  if (endpoint.host_address.empty() || !has_library) return false;
  if (endpoint.data_path == nodes::DataPath::kRelay) return false;
  if (endpoint.tls != nodes::TlsPlace::kAuto) return endpoint.tls == nodes::TlsPlace::kServer;
  return !engine.TlsIsPastEndOfLife();
}

std::string DescribeDataPath(const nodes::Endpoint& endpoint, const Fitness& fitness,
                             const std::string& refusal) {
  if (!fitness.handover_socket.empty()) {
    return fitness.server_tls ? "handover" : "handover; relay for TLS";
  }
  if (endpoint.data_path == nodes::DataPath::kRelay) return "relay, as configured";
  return refusal.empty() ? "relay" : "relay: " + refusal;
}

std::string DescribeTls(const nodes::Endpoint& endpoint, const postgres::Engine& engine,
                        const Fitness& fitness) {
  if (fitness.server_tls) return "server";
  if (endpoint.tls == nodes::TlsPlace::kGateway) return "gateway, as configured";
  if (engine.TlsIsPastEndOfLife()) {
    return fmt::format("gateway: the engine brings {}, which is past its end of life",
                       engine.own_tls_library);
  }
  return "gateway";
}

Result<std::optional<postgres::ServerTls>> NodeKeeper::PrepareTls(const nodes::Desired& want,
                                                                  const postgres::Node& node) {
  if (!ServerSpeaksTls(want.endpoint, node.engine(), !needs_.handover_library.empty())) {
    return std::nullopt;
  }
  TRY_ASSIGN(const CertificateFiles files,
             EnsureCertificate(needs_, node.paths().Config(), want.endpoint.host_address,
                               want.endpoint.private_address));
  certificate_is_new_ = certificate_is_new_ || files.is_new;
  return postgres::ServerTls{.certificate_file = files.certificate_file,
                             .key_file = files.key_file};
}

// Once a server, and again when it should have begun or ceased to speak TLS. A server that does not
// take sockets over is still reached by the relay.
void NodeKeeper::ProveDataPath(const nodes::Desired& want, const postgres::Node& node,
                               const system::ProcessIdentity& server) {
  const bool tls = ServerSpeaksTls(want.endpoint, node.engine(), !needs_.handover_library.empty());
  const bool relay = want.endpoint.data_path == nodes::DataPath::kRelay;
  const PathWish wish{.server = server, .relay = relay, .tls = tls};
  const bool fulfilled = path_.server_tls == tls && path_.handover_socket.empty() == relay;
  const MonotonicTime now = needs_.clock.Monotonic();
  if (path_wish_ == wish && (fulfilled || now < prove_path_again_)) return;
  path_wish_ = wish;
  prove_path_again_ = now + kProveAgain;
  path_ = {};
  path_refusal_ = needs_.handover_refusal;
  if (!relay && path_refusal_.empty()) {
    const std::string socket = node.paths().HandoverSocket();
    const auto proof = postgres::ProveHandover(socket, kProofLimit);
    if (proof && proof->tls == tls) path_ = {.handover_socket = socket, .server_tls = tls};
    if (!proof) path_refusal_ = proof.error().what();
    if (proof && proof->tls != tls) path_refusal_ = "the server has not yet read its certificate";
    if (!path_refusal_.empty()) {
      needs_.log.Warning("node {}: clients are relayed: {}", id_.str(), path_refusal_);
    }
  }
  observed_.data_path = DescribeDataPath(want.endpoint, path_, path_refusal_);
  observed_.tls = DescribeTls(want.endpoint, node.engine(), path_);
}

}  // namespace howdah::host
