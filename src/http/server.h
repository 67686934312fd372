// An HTTP/1.1 server. One loop thread owns the sockets; handlers run on a few worker threads, so a
// handler may block for a while and guards what it shares. Every limit is answered with a proper
// 4xx and closes the connection. Boost.Beast stays in connection.cc.
//
// Nobody can keep others out: a server that is full makes room by closing the connection that has
// waited longest for its client, and only when every place is at work does it answer 503.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/log.h"
#include "base/result.h"
#include "base/time.h"
#include "http/message.h"

namespace howdah::http {

class Server {
 public:
  // Words a refusal of the server itself (400, 408, 413, 417, 431, 503, 505). The request is what
  // was understood of it: perhaps nothing, and never its body. Called on the loop thread.
  using Refusal =
      std::function<Response(const Request& request, int status, std::string_view reason)>;

  struct Options {
    std::string address = "127.0.0.1";
    std::uint16_t port = 0;                     // 0: any free port
    std::uint64_t max_body_bytes = 2 << 20;     // 413 beyond
    std::uint32_t max_header_bytes = 32 << 10;  // 431 beyond
    // Bodies that may be large are in memory together; beyond this number, 503.
    std::uint64_t large_body_bytes = 64 << 10;
    int max_large_bodies = 32;
    Duration header_timeout = 10s;  // 408 for a header that does not arrive
    Duration read_timeout = 30s;    // 408 for a request that does not arrive whole
    Duration write_timeout = 30s;   // for a client that does not take its answer
    Duration idle_timeout = 75s;    // before a connection's first request, and between two
    int max_connections = 512;
    int worker_threads = 16;    // handlers wait for the disk, together
    Refusal refusal = nullptr;  // plain text without one
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
