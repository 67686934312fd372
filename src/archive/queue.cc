#include "archive/queue.h"

#include <algorithm>

#include "postgres/wal_format.h"

namespace howdah::archive {

using postgres::Lsn;
using postgres::Timeline;

namespace {

// A stopping server shall not wait longer for the repository.
constexpr Duration kHurryLimit = 2s;

std::size_t SizeOf(const QueueItem& item) {
  const auto* group = std::get_if<WalGroup>(&item);
  return group == nullptr ? std::get<HistoryFile>(item).text.size() : group->bytes.size();
}

}  // namespace

void WalQueue::Begin(Lsn from, Lsn durable, Timeline timeline,
                     const postgres::PrimaryHistory& server) {
  const std::lock_guard lock(mutex_);
  from_ = from;
  durable_ = durable;
  timeline_ = timeline;
  current_ = server.timeline;
  flushed_ = server.flushed;
  hurries_since_.reset();
  is_streaming_ = false;
  scanner_ = CommitScanner();
  frontier_.Restart();
}

bool WalQueue::AwaitEmpty(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  return changed_.wait(lock, stop, [this] { return IsEmpty(); });
}

void WalQueue::End() {
  const std::lock_guard lock(mutex_);
  is_streaming_ = false;
  // What would have replaced somebody else's objects and does not reach as far.
  if (open_ && open_->end() < durable_) {
    bytes_ -= open_->bytes.size();
    open_.reset();
  }
  changed_.notify_all();
}

Result<> WalQueue::OnHistory(Timeline timeline, std::string_view text) {
  const std::lock_guard lock(mutex_);
  CloseGroup();
  items_.emplace_back(HistoryFile{.timeline = timeline, .text = std::string(text)});
  bytes_ += text.size();
  changed_.notify_all();
  return {};
}

Result<> WalQueue::OnWal(Timeline timeline, Lsn start, std::string_view bytes, Lsn flushed,
                         WallTime stamp) {
  const std::lock_guard lock(mutex_);
  is_streaming_ = true;
  const std::uint64_t unwanted = std::min<std::uint64_t>(BytesBetween(start, from_), bytes.size());
  if (unwanted > 0) {
    scanner_.Feed(start, bytes.substr(0, unwanted));
    (void)scanner_.TakeNewest();
    bytes.remove_prefix(unwanted);
    start = Lsn(start.value() + unwanted);
  }
  while (!bytes.empty()) {
    const std::uint64_t room = postgres::kWalSegment - start.value() % postgres::kWalSegment;
    const std::string_view part = bytes.substr(0, room);
    Append(timeline, start, part);
    bytes.remove_prefix(part.size());
    start = Lsn(start.value() + part.size());
    if (start.value() % postgres::kWalSegment == 0) CloseGroup();
  }
  // On a timeline that the server has left it says nothing about time.
  if (timeline == current_) {
    frontier_.OnWal(flushed, stamp);
    flushed_ = std::max(flushed_, flushed);
  }
  changed_.notify_all();
  return {};
}

void WalQueue::Append(Timeline timeline, Lsn start, std::string_view bytes) {
  if (open_ && open_->timeline != timeline) CloseGroup();
  if (!open_) {
    open_ = WalGroup{.timeline = timeline, .start = start};
    opened_ = clock_.Monotonic();
  }
  scanner_.Feed(start, bytes);
  open_->commit = std::max(open_->commit, scanner_.TakeNewest());
  open_->bytes += bytes;
  bytes_ += bytes.size();
}

void WalQueue::CloseGroup() {
  if (!open_) return;
  items_.emplace_back(*std::move(open_));
  open_.reset();
}

Result<> WalQueue::OnAnswer(Lsn sent, WallTime stamp) {
  const std::lock_guard lock(mutex_);
  is_streaming_ = true;
  frontier_.OnAnswer(sent, stamp);
  return {};
}

bool WalQueue::OnHurry() {
  const std::lock_guard lock(mutex_);
  if (!hurries_since_) hurries_since_ = clock_.Monotonic();
  changed_.notify_all();
  return clock_.Monotonic() - *hurries_since_ < kHurryLimit;
}

Lsn WalQueue::Durable() {
  const std::lock_guard lock(mutex_);
  return durable_;
}

bool WalQueue::AwaitRoom(Duration limit) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, limit, [this] { return bytes_ < kMostBytes; });
}

bool WalQueue::IsTakeable() {
  if (!items_.empty()) return true;
  if (!open_ || open_->end() < durable_) return false;
  return (hurries_since_ || clock_.Monotonic() >= opened_ + group_age_);
}

std::optional<QueueItem> WalQueue::Take(std::stop_token stop, Duration limit) {
  const MonotonicTime deadline = clock_.Monotonic() + limit;
  std::unique_lock lock(mutex_);
  while (!IsTakeable()) {
    const MonotonicTime now = clock_.Monotonic();
    if (now >= deadline || stop.stop_requested()) return std::nullopt;
    const MonotonicTime wake = open_ ? std::min(deadline, opened_ + group_age_) : deadline;
    changed_.wait_for(lock, stop, std::max<Duration>(wake - now, 1ms),
                      [this, had = !!open_] { return IsTakeable() || had != !!open_; });
  }
  if (items_.empty()) CloseGroup();
  QueueItem item = std::move(items_.front());
  items_.pop_front();
  is_writing_ = true;
  if (auto* group = std::get_if<WalGroup>(&item)) group->until = frontier_.UntilAt(group->end());
  return item;
}

void WalQueue::OnWritten(const QueueItem& item) {
  const std::lock_guard lock(mutex_);
  is_writing_ = false;
  bytes_ -= SizeOf(item);
  if (const auto* group = std::get_if<WalGroup>(&item)) {
    durable_ = group->end();
    timeline_ = group->timeline;
    until_ = std::max(until_, group->until);
    if (items_.empty() && !open_) hurries_since_.reset();
  }
  changed_.notify_all();
}

WalQueue::State WalQueue::Read() {
  const std::lock_guard lock(mutex_);
  if (IsEmpty()) until_ = std::max(until_, frontier_.UntilAt(durable_));
  return {.timeline = timeline_,
          .durable = durable_,
          .flushed = flushed_,
          .until = until_,
          .is_empty = IsEmpty(),
          .is_streaming = is_streaming_};
}

}  // namespace howdah::archive
