// See stream.h. TLS here hides the bytes from nobody on this host: it satisfies an endpoint that
// refuses plain connections (rds.force_ssl). The relay reaches an address that the control plane
// named, and SCRAM passes through, so the certificate is not checked a second time.
#include "cli/stream.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace howdah::cli {
namespace {

StreamState OfErrno() {
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? StreamState::kAgain
                                                                   : StreamState::kBroken;
}

StreamState OfSsl(SSL* ssl, int outcome) {
  const int error = SSL_get_error(ssl, outcome);
  ERR_clear_error();
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return StreamState::kAgain;
  return error == SSL_ERROR_ZERO_RETURN ? StreamState::kEnd : StreamState::kBroken;
}

}  // namespace

void Stream::SslDelete::operator()(ssl_st* ssl) const {
  SSL_free(ssl);
}

void TlsClient::ContextDelete::operator()(ssl_ctx_st* context) const {
  SSL_CTX_free(context);
}

Result<TlsClient> TlsClient::Create() {
  TlsClient client;
  client.context_.reset(SSL_CTX_new(TLS_client_method()));
  if (!client.context_) return Fail(Code::kInternal, "OpenSSL: no context");
  SSL_CTX_set_min_proto_version(client.context_.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(client.context_.get(), SSL_OP_NO_RENEGOTIATION);
  // A retried write may come from another place of the buffer.
  SSL_CTX_set_mode(client.context_.get(),
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  return client;
}

StreamState Stream::Read(std::span<char> into, std::size_t& moved) {
  moved = 0;
  if (ssl_) {
    const int got = SSL_read_ex(ssl_.get(), into.data(), into.size(), &moved);
    return got == 1 ? StreamState::kMoved : OfSsl(ssl_.get(), got);
  }
  const ssize_t got = recv(socket_.get(), into.data(), into.size(), 0);
  if (got < 0) return OfErrno();
  moved = static_cast<std::size_t>(got);
  return got == 0 ? StreamState::kEnd : StreamState::kMoved;
}

StreamState Stream::Write(std::span<const char> from, std::size_t& moved) {
  moved = 0;
  if (ssl_) {
    const int put = SSL_write_ex(ssl_.get(), from.data(), from.size(), &moved);
    return put == 1 ? StreamState::kMoved : OfSsl(ssl_.get(), put);
  }
  const ssize_t put = send(socket_.get(), from.data(), from.size(), MSG_NOSIGNAL);
  if (put < 0) return OfErrno();
  moved = static_cast<std::size_t>(put);
  return StreamState::kMoved;
}

void Stream::EndWriting() {
  if (ssl_) {
    SSL_shutdown(ssl_.get());
    ERR_clear_error();
  } else {
    shutdown(socket_.get(), SHUT_WR);
  }
}

Result<> Stream::StartTls(ssl_ctx_st& context) {
  ssl_.reset(SSL_new(&context));
  if (!ssl_ || SSL_set_fd(ssl_.get(), socket_.get()) != 1) {
    return Fail(Code::kInternal, "OpenSSL: no connection");
  }
  return {};
}

StreamState Stream::Handshake(bool& wants_write) {
  const int done = SSL_connect(ssl_.get());
  if (done == 1) return StreamState::kMoved;
  wants_write = SSL_want_write(ssl_.get()) != 0;
  return OfSsl(ssl_.get(), done);
}

}  // namespace howdah::cli
