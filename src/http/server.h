// An HTTP/1.1 server. One loop thread owns the sockets; handlers run on a few worker threads, so a
// handler may block for a while and guards what it shares. Every limit is answered with a proper
// 4xx and closes the connection. Boost.Beast stays in server.cc.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/log.h"
#include "base/result.h"
#include "base/time.h"
#include "http/message.h"

namespace howdah::http {

class Server {
 public:
  struct Options {
    std::string address = "127.0.0.1";
    std::uint16_t port = 0;                     // 0: any free port
    std::uint64_t max_body_bytes = 2 << 20;     // 413 beyond
    std::uint32_t max_header_bytes = 32 << 10;  // 431 beyond
    Duration read_timeout = 30s;                // 408 for a request that does not arrive
    Duration idle_timeout = 75s;                // between requests of a kept connection
    int max_connections = 512;                  // beyond, a new connection gets 503 and is closed
    int worker_threads = 4;
  };
  // Called on any worker thread. Must not throw; what it throws becomes a bare 500.
  using Handler = std::function<Response(const Request&)>;

  // Listens and begins to serve. The log is only told of failures of the server itself.
  static Result<std::unique_ptr<Server>> Start(Options options, Handler handler, const Log& log);
  // Stops as Stop() does.
  ~Server();

  std::uint16_t port() const;
  // Accepts no more, lets the handlers that run finish and their answers go out (up to 5 s), closes
  // every connection and joins the threads. Not to be called from a handler.
  void Stop();

 private:
  class Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace howdah::http
