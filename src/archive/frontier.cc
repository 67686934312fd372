#include "archive/frontier.h"

namespace howdah::archive {
namespace {

constexpr std::size_t kMostKnown = 4096;
constexpr Duration kSpacing = 50ms;  // as long as there are not too many

}  // namespace

void Frontier::OnWal(postgres::Lsn flushed, WallTime stamp) {
  last_answer_.reset();
  if (last_stamp_) Note(flushed, *last_stamp_);
  last_stamp_ = stamp;
}

void Frontier::OnAnswer(postgres::Lsn sent, WallTime stamp) {
  if (last_answer_ && last_answer_->lsn == sent) Note(sent, last_answer_->time);
  last_answer_ = Known{.lsn = sent, .time = stamp};
  last_stamp_ = stamp;
}

void Frontier::Restart() {
  last_stamp_.reset();
  last_answer_.reset();
}

void Frontier::Note(postgres::Lsn lsn, WallTime time) {
  // A clock that was set back says nothing new.
  if (!known_.empty() && (time <= known_.back().time || lsn < known_.back().lsn)) return;
  if (!known_.empty() && known_.back().lsn == lsn) {
    known_.back().time = time;  // for the same place the newest is enough
    return;
  }
  if (known_.size() <= 1) spacing_ = kSpacing;
  if (!known_.empty() && time - known_.back().time < spacing_) return;
  while (known_.size() >= kMostKnown) Thin();
  known_.push_back({.lsn = lsn, .time = time});
}

void Frontier::Thin() {
  spacing_ *= 2;
  std::deque<Known> kept;
  for (const Known& known : known_) {
    if (kept.empty() || known.time - kept.back().time >= spacing_) kept.push_back(known);
  }
  known_ = std::move(kept);
}

std::optional<WallTime> Frontier::UntilAt(postgres::Lsn lsn) {
  while (known_.size() > 1 && known_[1].lsn <= lsn) known_.pop_front();
  if (known_.empty() || known_.front().lsn > lsn) return std::nullopt;
  return known_.front().time;
}

}  // namespace howdah::archive
