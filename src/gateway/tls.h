// TLS contexts from certificate files: TLS 1.2 and 1.3, ALPN "postgresql". A context never changes
// once it is made; when a file changes a new one takes its place for new connections.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "gateway/routes.h"

namespace howdah::gateway {

using TlsContext = std::shared_ptr<boost::asio::ssl::context>;

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

// Whether the client agreed to speak PostgreSQL inside this connection (ALPN).
bool AgreedOnPostgres(const SSL* ssl);

}  // namespace howdah::gateway
