// How an operation is registered, and what a dry run is: the handler runs whole, against a store
// that forgets what it is told to change. So a dry run refuses what the real call would refuse, and
// only a call that would have succeeded answers DryRunOperation.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "aws/service.h"
#include "services/ec2/ec2.h"
#include "store/store.h"

namespace howdah::services::ec2 {

// Reads what is there; a commit succeeds and does nothing.
class DryStore final : public store::Store {
 public:
  explicit DryStore(store::Store& store) : store_(store) {}
  Result<store::Document> Get(std::string_view key) override { return store_.Get(key); }
  Result<store::Listing> List(std::string_view prefix) override { return store_.List(prefix); }
  Result<store::Revision> Commit(const store::Transaction&) override { return 0; }
  Result<std::unique_ptr<store::Watch>> WatchFrom(std::string_view prefix,
                                                  store::Revision from) override {
    return store_.WatchFrom(prefix, from);
  }
  Result<std::string> GrantLease(Duration) override { return ""; }
  Result<> RenewLease(const std::string&) override { return {}; }
  Result<> EndLease(const std::string&) override { return {}; }

 private:
  store::Store& store_;
};

// Two operations of AWS's have no DryRun.
template <typename Input>
bool IsDryRun(const Input& in) {
  if constexpr (requires { in.dry_run; }) {
    return in.dry_run.value_or(false);
  } else {
    return false;
  }
}

// The handler is callable as Outcome<Output>(options, context, input).
template <typename Op, typename F>
void Serve(aws::Service& service, const Ec2Options& options, F handler) {
  using Outcome = aws::Outcome<typename Op::Output>;
  service.Register<Op>(
      [options, handler](const aws::RequestContext& context, const Op::Input& in) -> Outcome {
        if (!IsDryRun(in)) return handler(options, context, in);
        DryStore dry(options.network.store);
        const vpc::Context& network = options.network;
        const Ec2Options harmless{.network = {dry, network.entropy, network.region, network.driver},
                                  .interface_owner = options.interface_owner};
        const Outcome outcome = handler(harmless, context, in);
        if (!outcome) return outcome;
        return aws::Refuse("DryRunOperation",
                           "Request would have succeeded, but DryRun flag is set.", 412);
      },
      true);
}

}  // namespace howdah::services::ec2
