// The relay of `howdah run`: a private Unix socket behind which every connection goes on to the
// endpoint from the address of the task's network interface. That address is what the gateway's
// security groups judge. One thread, non-blocking, no limit on bytes, a limit on connections.
#pragma once

#include <poll.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/stream.h"

namespace howdah::cli {

inline constexpr std::size_t kMaxRelayedConnections = 2000;
inline constexpr int kRelayPort = 5432;  // in the socket's name, and PGPORT

struct RelayRoute {
  std::string source_address;    // of the interface, an address of this host
  std::string endpoint_address;  // of the instance
  std::uint16_t endpoint_port = 5432;
  bool tls = false;  // the endpoint refuses plain connections
};

class RelayedConnection;

class Relay {
 public:
  // Told once a reason why connections do not get through, for a person.
  using Complain = std::function<void(const std::string&)>;

  // Makes the directory (0700) and listens. The destructor removes both.
  static Result<std::unique_ptr<Relay>> Open(RelayRoute route, const std::string& parent_directory,
                                             Complain complain);
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  const std::string& directory() const { return directory_; }  // PGHOST

  // Appends what this relay waits for.
  void Watch(std::vector<pollfd>& watched) const;
  // Moves whatever can be moved.
  void Advance();

 private:
  Relay(RelayRoute route, Complain complain);
  void Accept();
  void Complaint(const std::string& text);

  RelayRoute route_;
  Complain complain_;
  bool complained_ = false;
  std::string directory_;
  system::FileDescriptor listener_;
  std::unique_ptr<TlsClient> tls_;
  std::vector<std::unique_ptr<RelayedConnection>> connections_;
};

}  // namespace howdah::cli
