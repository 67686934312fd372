// One non-blocking byte stream of the relay: a socket, with TLS on top where the endpoint wants it.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "base/result.h"
#include "system/real/file_descriptor.h"

struct ssl_st;
struct ssl_ctx_st;

namespace howdah::cli {

enum class StreamState { kMoved, kAgain, kEnd, kBroken };

class Stream {
 public:
  Stream() = default;
  explicit Stream(system::FileDescriptor socket) : socket_(std::move(socket)) {}

  int descriptor() const { return socket_.get(); }
  // Reads what is there into the span; `moved` says how much.
  StreamState Read(std::span<char> into, std::size_t& moved);
  StreamState Write(std::span<const char> from, std::size_t& moved);
  // No more will be written; reading goes on.
  void EndWriting();

  // Puts TLS on top. Then call Handshake until it no longer says kAgain.
  Result<> StartTls(ssl_ctx_st& context);
  StreamState Handshake(bool& wants_write);

 private:
  struct SslDelete {
    void operator()(ssl_st* ssl) const;
  };
  system::FileDescriptor socket_;
  std::unique_ptr<ssl_st, SslDelete> ssl_;
};

// A TLS client's settings, shared by all streams of a relay.
class TlsClient {
 public:
  static Result<TlsClient> Create();
  ssl_ctx_st& context() { return *context_; }

 private:
  struct ContextDelete {
    void operator()(ssl_ctx_st* context) const;
  };
  std::unique_ptr<ssl_ctx_st, ContextDelete> context_;
};

}  // namespace howdah::cli
