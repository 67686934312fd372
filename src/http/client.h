// A blocking HTTP/1.1 client for the command line: one request, one connection, one deadline.
#pragma once

#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "http/message.h"

namespace howdah::http {

// Where a server listens: "http://127.0.0.1:4566". Only http is spoken: the daemon is local.
struct Endpoint {
  std::string host;
  std::string port = "80";
  // "host:port", as the Host header has it.
  std::string Authority() const { return host + ":" + port; }
};
Result<Endpoint> ParseEndpoint(std::string_view url);

// Sends the request (Host, Content-Length and Connection are filled in when absent) and reads the
// whole answer, whatever its status. kUnavailable when nobody listens, kTimeout at the deadline.
Result<Response> Send(const Endpoint& endpoint, Request request, Duration timeout = 60s);

}  // namespace howdah::http
