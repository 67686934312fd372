// A client of the API for the command line: the same generated shapes, called the other way. It
// blocks, holds no connection, and is used by one thread at a time.
#pragma once

#include <functional>
#include <string>

#include "aws/fault.h"
#include "aws/shape.h"
#include "base/time.h"

namespace howdah::aws {

class Client {
 public:
  struct Options {
    std::string endpoint;  // "http://127.0.0.1:4566"
    std::string region;
    std::string access_key_id;
    std::string secret_access_key;
    std::function<WallTime()> now;
  };

  explicit Client(Options options) : options_(std::move(options)) {}

  // Fault code "EndpointUnavailable" with status 0 when no answer came: nobody listens, or the time
  // was up; "InvalidResponse" when what came is not understood.
  template <typename Op>
  Outcome<typename Op::Output> Call(const typename Op::Input& input, Duration timeout = 60s) const {
    typename Op::Output output{};
    OUTCOME_TRY(CallErased(Op::OfService(), Op::Desc(), &input, &output, timeout));
    return output;
  }

 private:
  Outcome<void> CallErased(const ServiceDesc& service, const OperationDesc& operation,
                           const void* input, void* output, Duration timeout) const;

  Options options_;
};

}  // namespace howdah::aws
