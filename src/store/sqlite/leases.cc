// Leases end by monotonic time, looked at whenever the store is used or a watch waits. The end of
// one is an ordinary commit that deletes its keys.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "store/sqlite/sqlite_store_impl.h"

namespace howdah::store {

Result<std::string> SqliteStore::GrantLease(Duration ttl) {
  if (ttl <= Duration(0)) return Fail(Code::kInvalid, "store: a lease needs a time to live");
  TRY(ExpireLeases());
  const std::lock_guard lock(write_mutex_);
  const std::string id = NewLeaseId();
  TRY(Write([&](Batch&) -> Result<> {
    TRY_ASSIGN(Statement write, writer_->Prepare("INSERT INTO leases (id, ttl_us, expires_us) "
                                                 "VALUES (?1, ?2, ?3)"));
    write.Bind(1, id).Bind(2, ttl.count()).Bind(3, ToMicros(clock_.Now() + ttl));
    TRY(write.Step());
    return {};
  }));
  leases_.emplace(id, Lease{ttl, clock_.Monotonic() + ttl});
  NoteNextExpiry();
  return id;
}

// Not written down: after a restart a lease has its whole time again anyway, and a heartbeat is not
// worth an fsync.
Result<> SqliteStore::RenewLease(const std::string& lease) {
  TRY(ExpireLeases());
  const std::lock_guard lock(write_mutex_);
  const auto found = leases_.find(lease);
  if (found == leases_.end()) return Fail(Code::kNotFound, "store: the lease has ended");
  found->second.ends = clock_.Monotonic() + found->second.ttl;
  NoteNextExpiry();
  return {};
}

Result<> SqliteStore::EndLease(const std::string& lease) {
  const std::lock_guard lock(write_mutex_);
  if (!leases_.contains(lease)) return {};
  return EndLeaseLocked(lease);
}

Result<> SqliteStore::ExpireLeases() {
  if (clock_.Monotonic().time_since_epoch().count() < next_expiry_us_) return {};
  const std::lock_guard lock(write_mutex_);
  std::vector<std::string> ended;
  for (const auto& [id, lease] : leases_) {
    if (lease.ends <= clock_.Monotonic()) ended.push_back(id);
  }
  for (const std::string& id : ended) TRY(EndLeaseLocked(id));
  return {};
}

Result<> SqliteStore::EndLeaseLocked(const std::string& lease) {
  std::vector<std::string> keys;
  TRY(Write([&](Batch& batch) -> Result<> {
    TRY_ASSIGN(Statement query,
               writer_->Prepare("SELECT key FROM documents WHERE lease = ?1 ORDER BY key"));
    query.Bind(1, lease);
    while (true) {
      TRY_ASSIGN(const bool more, query.Step());
      if (!more) break;
      keys.push_back(query.Text(0));
    }
    for (const std::string& key : keys) TRY(ApplyDelete(batch, key));
    TRY_ASSIGN(Statement erase, writer_->Prepare("DELETE FROM leases WHERE id = ?1"));
    TRY(erase.Bind(1, lease).Step());
    return {};
  }));
  leases_.erase(lease);
  NoteNextExpiry();
  return {};
}

void SqliteStore::NoteNextExpiry() {
  std::int64_t next = std::numeric_limits<std::int64_t>::max();
  for (const auto& [id, lease] : leases_) {
    next = std::min<std::int64_t>(next, lease.ends.time_since_epoch().count());
  }
  next_expiry_us_ = next;
}

Duration SqliteStore::UntilNextExpiry() const {
  const std::int64_t next = next_expiry_us_;
  if (next == std::numeric_limits<std::int64_t>::max()) return Duration::max();
  return Duration(next) - clock_.Monotonic().time_since_epoch();
}

std::string SqliteStore::NewLeaseId() {
  std::array<std::byte, 12> bytes;
  entropy_.Fill(bytes);
  std::string id = "lease-";
  for (const std::byte byte : bytes) id += fmt::format("{:02x}", std::to_integer<int>(byte));
  return id;
}

}  // namespace howdah::store
