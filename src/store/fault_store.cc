// Every call goes through the plan; nothing else happens here.
#include "store/fault_store.h"

#include <utility>

namespace howdah::store {

void FaultPlan::Arm(std::int64_t call, When when, Action action) {
  calls_ = 0;
  armed_call_ = call;
  when_ = when;
  action_ = std::move(action);
}

void FaultPlan::ArmCrash(std::int64_t call, When when) {
  Arm(call, when, [call]() -> std::optional<Error> { throw SimulatedCrash{call}; });
}

void FaultPlan::Disarm() {
  Arm(0, When::kBefore, nullptr);
}

Result<Document> FaultStore::Get(std::string_view key) {
  return plan_.Reach([&] { return inner_.Get(key); });
}

Result<Listing> FaultStore::List(std::string_view prefix) {
  return plan_.Reach([&] { return inner_.List(prefix); });
}

Result<Revision> FaultStore::Commit(const Transaction& transaction) {
  return plan_.Reach([&] { return inner_.Commit(transaction); });
}

Result<std::unique_ptr<Watch>> FaultStore::WatchFrom(std::string_view prefix, Revision from) {
  return plan_.Reach([&] { return inner_.WatchFrom(prefix, from); });
}

Result<std::string> FaultStore::GrantLease(Duration ttl) {
  return plan_.Reach([&] { return inner_.GrantLease(ttl); });
}

Result<> FaultStore::RenewLease(const std::string& lease) {
  return plan_.Reach([&] { return inner_.RenewLease(lease); });
}

Result<> FaultStore::EndLease(const std::string& lease) {
  return plan_.Reach([&] { return inner_.EndLease(lease); });
}

}  // namespace howdah::store
