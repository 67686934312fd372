// A client's connection while its startup lasts: in the clear, then perhaps inside TLS. On its
// loop's thread. Every operation also ends when the socket is closed.
#pragma once

#include <memory>
#include <string_view>

#include "gateway/asio_types.h"
#include "gateway/tls.h"

namespace howdah::gateway {

class ClientStream {
 public:
  explicit ClientStream(TcpSocket socket) : socket_(std::move(socket)) {}

  TcpSocket& socket() { return socket_; }
  bool is_open() const { return socket_.is_open(); }
  bool encrypted() const { return tls_ != nullptr; }
  // For who takes the connection over, together with the socket.
  std::unique_ptr<Tls> TakeTls() { return std::move(tls_); }

  // From here on everything goes through TLS. False: it did not come about.
  Task<bool> Handshake(const TlsContext& context);
  bool AgreedOnPostgres() const { return tls_->AgreedOnPostgres(); }
  // 0: the end, or broken.
  Task<std::size_t> Read(std::span<char> buffer);
  Task<bool> Write(std::string_view bytes);
  // Says that nothing more will come, then reads until the client has ended too: closing with
  // unread input would reset the connection before the last message is read.
  Task<> EndAndDrain();

 private:
  // Waits for what the progress wants; false when there is nothing to wait for.
  Task<bool> Await(Progress progress);

  TcpSocket socket_;
  std::unique_ptr<Tls> tls_;  // uses the socket
};

}  // namespace howdah::gateway
