// TLS of clients' connections: contexts from certificate files (TLS 1.2 and 1.3, ALPN
// "postgresql"), and one connection's TLS over a non-blocking socket. A context never changes once
// it is made; when a file changes a new one takes its place for new connections.
#pragma once

#include <openssl/ssl.h>

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "gateway/progress.h"
#include "gateway/routes.h"

namespace howdah::gateway {

using TlsContext = std::shared_ptr<SSL_CTX>;

class TlsStore {
 public:
  struct Answer {
    TlsContext context;          // the last good one; null if there never was one
    std::optional<Error> error;  // why the files as they are now cannot be used
  };
  // Reads the files if they changed since the last call.
  Answer Get(const TlsFiles& files);
  // Forgets contexts of files that are not in use any more.
  template <typename InUse>
  void Keep(InUse in_use) {
    std::erase_if(known_, [&](const auto& entry) { return !in_use(entry.first); });
  }

 private:
  struct Entry {
    std::string stamp;  // what stat(2) says about both files
    Answer answer;
  };
  std::map<TlsFiles, Entry> known_;
};

// The server's side of TLS on a socket, which stays its owner's. Never waits: each call says what
// to wait for before it is made again. While idle it holds no buffers. One thread at a time.
class Tls {
 public:
  Tls(const TlsContext& context, int fd);

  Progress Handshake();
  Progress Read(std::span<char> buffer);
  // After kWantsRead or kWantsWrite the same bytes must come again, from any address.
  Progress Write(std::string_view bytes);
  // Says that nothing more will come (close_notify), if that is possible now.
  void EndOutput();
  // Whether the client agreed to speak PostgreSQL inside this connection (ALPN).
  bool AgreedOnPostgres() const;

 private:
  Progress Outcome(int result, std::size_t count);
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_;
  bool is_empty_ = false;  // nothing is read and not used
};

}  // namespace howdah::gateway
