#include "backup/pacer.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace howdah::backup {

namespace {

constexpr Duration kInterval = 200ms;
constexpr Duration kLimit = 5s;
// Of one interval, beyond this session's own and the heartbeats of those who watch.
constexpr std::int64_t kOwnCommits = 2;
// Fewer in an interval are as many by chance.
constexpr std::int64_t kEnoughToTell = 20;
constexpr Duration kLearnInterval = 100ms;
constexpr std::size_t kLearned = 4;

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

// By the transaction ids that were given out: the statistics come in only once a second.
Result<std::int64_t> Pacer::CountCommits() {
  TRY_ASSIGN(
      const postgres::Rows rows,
      connection_->Execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text AS next", kLimit));
  const std::string text = rows.Text(0, "next");
  std::int64_t now = 0;
  std::from_chars(text.data(), text.data() + text.size(), now);
  return std::max<std::int64_t>(now - std::exchange(commits_, now) - kOwnCommits, 0);
}

std::optional<Commits> Pacer::Look() {
  if (!connection_ || connection_->IsBroken()) {
    auto opened = postgres::Connection::Open(primary_, clock_, kLimit);
    if (!opened) return std::nullopt;
    connection_.emplace(*std::move(opened));
  }
  const auto count = CountCommits();
  const MonotonicTime now = clock_.Monotonic();
  const double seconds = std::chrono::duration<double>(now - std::exchange(counted_, now)).count();
  const auto time = TimeCommit();
  if (!count || *count == 0 || !time) return std::nullopt;
  Commits commits{.time = *time};
  if (*count >= kEnoughToTell && seconds > 0) {
    commits.per_second = static_cast<double>(*count) / seconds;
  }
  return commits;
}

// A backup of an idle server begins after the first of the intervals.
void Pacer::Learn() {
  (void)Look();  // the first one opens the connection and counts
  std::array<Commits, kLearned> seen{};
  for (Commits& commits : seen) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kLearnInterval, [this] { return ended_; });
    lock.unlock();
    const auto look = Look();
    if (!look) return;
    commits = *look;
  }
  Commits usual{.time = seen[0].time};
  for (const Commits& commits : seen) {
    usual.time = std::min(usual.time, commits.time);
    usual.per_second += commits.per_second / static_cast<double>(kLearned);
  }
  const std::lock_guard lock(mutex_);
  throttle_.SetUsual(usual);
}

void Pacer::Start() {
  thread_ = std::jthread([this] { Run(); });
}

void Pacer::Run() {
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, kInterval, [this] { return ended_; })) {
    lock.unlock();
    const std::optional<Commits> commits = Look();
    lock.lock();
    throttle_.Observe(commits);
  }
}

Duration Pacer::PauseAfter(Duration worked) const {
  const std::lock_guard lock(mutex_);
  return throttle_.PauseAfter(worked);
}

}  // namespace howdah::backup
