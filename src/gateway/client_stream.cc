// See client_stream.h.
#include "gateway/client_stream.h"

#include <sys/socket.h>

#include <array>

namespace howdah::gateway {

using State = Progress::State;

Task<bool> ClientStream::Await(Progress progress) {
  if (!socket_.is_open()) co_return false;
  if (progress.state != State::kWantsRead && progress.state != State::kWantsWrite) co_return false;
  const auto what =
      progress.state == State::kWantsRead ? TcpSocket::wait_read : TcpSocket::wait_write;
  const auto [error] = co_await socket_.async_wait(what, kAwait);
  co_return !error && socket_.is_open();
}

Task<bool> ClientStream::Handshake(const TlsContext& context) {
  tls_ = std::make_unique<Tls>(context, socket_.native_handle());
  for (;;) {
    const Progress progress = tls_->Handshake();
    if (progress.state == State::kDone) co_return true;
    if (!co_await Await(progress)) co_return false;
  }
}

Task<std::size_t> ClientStream::Read(std::span<char> buffer) {
  while (socket_.is_open()) {
    const Progress got = tls_ ? tls_->Read(buffer) : ReadSome(socket_.native_handle(), buffer);
    if (got.state == State::kDone) co_return got.count;
    if (!co_await Await(got)) break;
  }
  co_return 0;
}

Task<bool> ClientStream::Write(std::string_view bytes) {
  while (!bytes.empty() && socket_.is_open()) {
    const Progress put = tls_ ? tls_->Write(bytes) : WriteSome(socket_.native_handle(), bytes);
    if (put.state == State::kDone)
      bytes.remove_prefix(put.count);
    else if (!co_await Await(put))
      break;
  }
  co_return bytes.empty();
}

Task<> ClientStream::EndAndDrain() {
  if (tls_) tls_->EndOutput();
  error_code ignored;
  socket_.shutdown(TcpSocket::shutdown_send, ignored);
  std::array<char, 2048> nothing;
  while (socket_.is_open()) {
    const Progress got = ReadSome(socket_.native_handle(), nothing);
    if (got.state != State::kDone && !co_await Await(got)) co_return;
  }
}

}  // namespace howdah::gateway
