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
  // The answer to a request that the server refuses by itself, in the form of the service that the
  // request claims to be for, as far as it says so.
  http::Response Refusal(const http::Request& request, int status, std::string_view reason) const;

 private:
  struct Form;  // how the answer is written

  Form FormOf(const http::Request& request) const;
  http::Response Encode(const Form& form, const Fault& fault, const std::string& request_id) const;
  Outcome<std::string> Answer(const http::Request& request, const Form& form,
                              RequestContext& context) const;
  Outcome<std::string> Call(const Service& service, const Service::Handler& handler,
                            const Service::Decode& fill, const RequestContext& context) const;
  Outcome<std::string> CallQuery(const http::Request& request, const Service& service,
                                 const RequestContext& context) const;
  Outcome<std::string> CallJson(const http::Request& request, const Service& service,
                                const RequestContext& context) const;

  Options options_;
  const Credentials& credentials_;
  Log log_;
  std::map<std::string, const Service*, std::less<>> services_;  // by signing name
};

}  // namespace howdah::aws
