// A signed conversation with the daemon of one home: its address from HOME/endpoint, the root key
// from HOME/credentials.
#pragma once

#include <memory>
#include <string>

#include "aws/client.h"
#include "cli/context.h"
#include "cli/failure.h"

namespace howdah::cli {

struct DaemonAddress {
  std::string url;  // "http://127.0.0.1:4566"
  RootKey key;
};

// Reads both files; fails where either is missing or cannot be read.
std::expected<DaemonAddress, Failure> ReadDaemonAddress(const Context& context);

// Whether the daemon at that address answers its health path.
bool IsHealthy(const std::string& url, Duration limit);

// Why a call failed, for a person; the exit code says "not found" where the fault does.
Failure FailureOf(std::string what, const aws::Fault& fault, const Context& context);
bool IsNotFound(const aws::Fault& fault);

class Session {
 public:
  static std::expected<Session, Failure> Open(const Context& context);

  template <typename Operation>
  aws::Outcome<typename Operation::Output> Call(const typename Operation::Input& input,
                                                Duration timeout = 60s) const {
    return client_->Call<Operation>(input, timeout);
  }
  const std::string& url() const { return url_; }

 private:
  Session(std::string url, std::unique_ptr<aws::Client> client)
      : url_(std::move(url)), client_(std::move(client)) {}
  std::string url_;
  std::unique_ptr<aws::Client> client_;
};

}  // namespace howdah::cli
