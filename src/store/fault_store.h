// A test aid: a store that fails or "crashes" at a chosen call, before or after the call took
// effect. The FaultPlan counts the calls; other fakes (a disk, a fleet) may share it, so that a
// harness can crash at every seam call and not only at the store's.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/store.h"

namespace howdah::store {

// Thrown out of a seam call in place of a kill -9; whoever drives the test catches it.
struct SimulatedCrash {
  std::int64_t call = 0;
};

class FaultPlan {
 public:
  enum class When { kBefore, kAfter };  // the call takes effect

  // At call number `call` (from 1, counted from here on) `action` runs once. It may throw
  // SimulatedCrash; an Error that it returns is what the call answers.
  using Action = std::function<std::optional<Error>()>;
  void Arm(std::int64_t call, When when, Action action);
  void ArmCrash(std::int64_t call, When when);
  void Disarm();
  std::int64_t calls() const { return calls_; }

  // A seam's call, for fakes that share the plan: runs `call` or fails in its stead.
  template <typename Call>
  auto Reach(Call call) -> decltype(call()) {
    const bool now = ++calls_ == armed_call_;
    if (now && when_ == When::kBefore) {
      if (auto error = action_()) return std::unexpected(*error);
    }
    auto answer = call();
    if (now && when_ == When::kAfter) {
      if (auto error = action_()) return std::unexpected(*error);
    }
    return answer;
  }

 private:
  std::int64_t calls_ = 0;
  std::int64_t armed_call_ = 0;
  When when_ = When::kBefore;
  Action action_;
};

// For one thread at a time. Waiting in a Watch is not counted: it changes nothing.
class FaultStore final : public Store {
 public:
  FaultStore(Store& inner, FaultPlan& plan) : inner_(inner), plan_(plan) {}

  Result<Document> Get(std::string_view key) override;
  Result<Listing> List(std::string_view prefix) override;
  Result<Revision> Commit(const Transaction& transaction) override;
  Result<std::unique_ptr<Watch>> WatchFrom(std::string_view prefix, Revision from) override;
  Result<std::string> GrantLease(Duration ttl) override;
  Result<> RenewLease(const std::string& lease) override;
  Result<> EndLease(const std::string& lease) override;

 private:
  Store& inner_;
  FaultPlan& plan_;
};

}  // namespace howdah::store
