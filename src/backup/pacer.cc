#include "backup/pacer.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace howdah::backup {

namespace {

constexpr Duration kInterval = 200ms;
constexpr Duration kLimit = 5s;
// Of one interval, beyond this session's own and the heartbeats of those who watch.
constexpr std::int64_t kOwnCommits = 6;
constexpr std::size_t kLearned = 5;

}  // namespace

Pacer::Pacer(postgres::ConnectOptions primary, const system::Clock& clock)
    : primary_(std::move(primary)), clock_(clock) {}

Pacer::~Pacer() {
  const std::lock_guard lock(mutex_);
  ended_ = true;
  changed_.notify_all();
}

// A transactional message: no table, nothing to clean up, flushed and waited for as any commit.
Result<Duration> Pacer::TimeCommit() {
  const MonotonicTime begin = clock_.Monotonic();
  TRY(connection_->Execute("SELECT pg_logical_emit_message(true, 'howdah', '')", kLimit));
  return clock_.Monotonic() - begin;
}

Result<bool> Pacer::OthersCommit() {
  TRY_ASSIGN(
      const postgres::Rows rows,
      connection_->Execute("SELECT sum(xact_commit)::bigint AS all FROM pg_stat_database", kLimit));
  const std::string text = rows.Text(0, "all");
  std::int64_t now = 0;
  std::from_chars(text.data(), text.data() + text.size(), now);
  const std::int64_t before = std::exchange(commits_, now);
  return now - before > kOwnCommits;
}

std::optional<Duration> Pacer::Look() {
  if (!connection_ || connection_->IsBroken()) {
    auto opened = postgres::Connection::Open(primary_, clock_, kLimit);
    if (!opened) return std::nullopt;
    connection_.emplace(*std::move(opened));
  }
  const auto others = OthersCommit();
  const auto commit = TimeCommit();
  if (!others || !*others || !commit) return std::nullopt;
  return *commit;
}

void Pacer::Learn() {
  (void)Look();  // the first one opens the connection and counts
  std::array<Duration, kLearned> times{};
  for (Duration& time : times) {
    const auto commit = connection_ && !connection_->IsBroken() ? TimeCommit() : Duration(0);
    if (!commit || *commit == Duration(0)) return;
    time = *commit;
  }
  std::sort(times.begin(), times.end());
  const std::lock_guard lock(mutex_);
  throttle_.SetUsual(times[kLearned / 2]);
}

void Pacer::Start() {
  thread_ = std::jthread([this] { Run(); });
}

void Pacer::Run() {
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, kInterval, [this] { return ended_; })) {
    lock.unlock();
    const std::optional<Duration> commit = Look();
    lock.lock();
    throttle_.Observe(commit);
  }
}

Duration Pacer::PauseAfter(Duration worked) const {
  const std::lock_guard lock(mutex_);
  return throttle_.PauseAfter(worked);
}

}  // namespace howdah::backup
