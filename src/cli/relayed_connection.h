// One connection through the relay: the client's Unix socket, the endpoint's TCP socket, and the
// bytes in between. Each direction ends by itself (half-close), and the connection when both have.
#pragma once

#include <poll.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cli/relay.h"
#include "cli/stream.h"

namespace howdah::cli {

// The message by which a client asks for TLS: length 8, code 80877103.
inline constexpr std::string_view kSslRequest("\x00\x00\x00\x08\x04\xd2\x16\x2f", 8);

// A non-blocking connection to the endpoint from the task's address, perhaps still under way.
Result<system::FileDescriptor> ConnectFrom(const RelayRoute& route);

class RelayedConnection {
 public:
  // `tls` is null where the route is plain; it and `route` outlive the connection.
  static Result<std::unique_ptr<RelayedConnection>> Open(system::FileDescriptor client,
                                                         const RelayRoute& route, TlsClient* tls);

  void Watch(std::vector<pollfd>& watched) const;
  void Advance();
  bool finished() const { return phase_ == Phase::kFinished; }
  // Why the endpoint could not be spoken with; empty where it was, or is not yet known.
  const std::string& trouble() const { return trouble_; }

 private:
  enum class Phase { kConnecting, kAskingTls, kHandshake, kRelaying, kFinished };
  struct Direction {
    std::array<char, 32768> buffer;
    std::size_t begin = 0;
    std::size_t end = 0;
    bool ended = false;   // the source says no more
    bool closed = false;  // and the target has been told
    bool empty() const { return begin == end; }
  };

  explicit RelayedConnection(TlsClient* tls) : tls_(tls) {}
  void FinishConnecting();
  void AskTls();
  void FinishHandshake();
  void Pump(Stream& from, Stream& to, Direction& direction);
  void Break(std::string trouble);

  TlsClient* tls_;
  Phase phase_ = Phase::kConnecting;
  Stream client_;
  Stream endpoint_;
  Direction up_;    // client to endpoint
  Direction down_;  // endpoint to client
  bool asked_ = false;
  bool answered_ = false;  // the endpoint has sent at least one byte
  bool wants_write_ = false;
  std::string trouble_;
};

}  // namespace howdah::cli
