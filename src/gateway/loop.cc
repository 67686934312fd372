// What a loop knows; see loop.h.
#include "gateway/loop.h"

#include "gateway/session.h"

namespace howdah::gateway {

// The relay gets the table behind all sessions that were given to it under the table before.
void Loop::SetTable(std::shared_ptr<const LiveTable> table, std::function<void()> done) {
  table_ = std::move(table);
  for (Session* session : sessions) session->OnTable();
  relay->CutStale(table_, std::move(done));
}

std::shared_ptr<const LiveRoute> Loop::Find(const InstanceId& instance) const {
  const auto found = table_->find(instance);
  return found == table_->end() ? nullptr : found->second;
}

std::int64_t Loop::CountOpen() const {
  std::int64_t open = 0;
  for (const auto& [instance, live] : *table_) open += live->counters->open;
  return open;
}

void Loop::CloseSessions() {
  for (Session* session : sessions) session->Close();
}

}  // namespace howdah::gateway
