// The Api turns an HTTP request into a typed call: verifies its signature, finds the service by the
// credential scope, decodes and checks the input by the model, calls the handler, and encodes the
// output or the fault in the service's own protocol. It answers every request and never throws.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "aws/service.h"
#include "aws/sigv4.h"
#include "base/log.h"
#include "http/message.h"

namespace howdah::aws {

class Api {
 public:
  struct Options {
    std::string account_id = "000000000000";
    std::string region;  // a request signed for another region is served too, in this one
    std::function<WallTime()> now;
    std::function<std::string()> new_request_id;  // a UUID
  };

  // The credentials outlive the Api.
  Api(Options options, const Credentials& credentials, Log log);

  // Before the first request. The service outlives the Api.
  void Add(const Service& service);

  // Safe to call from several threads.
  http::Response Handle(const http::Request& request) const;

 private:
  struct Exchange;

  Outcome<Signer> Authenticate(const http::Request& request, WallTime now) const;
  Outcome<std::string> Dispatch(const http::Request& request, Exchange& exchange) const;
  Outcome<std::string> Call(const http::Request& request, const Service& service,
                            std::string_view operation, Exchange& exchange) const;

  Options options_;
  const Credentials& credentials_;
  Log log_;
  std::map<std::string, const Service*, std::less<>> services_;  // by signing name
};

}  // namespace howdah::aws
