#include "archive/writer.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "postgres/wal_format.h"

namespace howdah::archive {
namespace {

constexpr Duration kFirstPause = 100ms;
constexpr Duration kLongestPause = 5s;
constexpr Duration kIdleLook = 1s;
constexpr Duration kUpkeepPause = 10s;  // after one that failed

bool IsWholeSegment(const Range& range) {
  return range.size_bytes() == postgres::kWalSegment &&
         range.start.value() % postgres::kWalSegment == 0;
}

}  // namespace

void Writer::Run(std::stop_token stop) {
  bool is_idle = false;
  while (!stop.stop_requested()) {
    const auto item = queue_.Take(stop, is_idle ? kIdleLook : Duration::zero());
    if (item) {
      Write(stop, *item);
      is_idle = false;
    } else {
      is_idle = !Upkeep();
    }
  }
}

std::string Writer::Problem() const {
  const std::lock_guard lock(mutex_);
  return problem_;
}

void Writer::SetProblem(std::string problem) {
  {
    const std::lock_guard lock(mutex_);
    if (problem == problem_) return;
    problem_ = problem;
  }
  if (problem.empty()) {
    needs_.log.Info("WAL archive of {}: the repository takes WAL again", instance_.str());
  } else {
    needs_.log.Warning("WAL archive of {}: {}", instance_.str(), problem);
  }
}

Result<> Writer::Adopt(const std::vector<Range>& ranges) {
  std::vector<Range> own;
  for (const Range& range : ranges) {
    if (range.epoch == epoch_) own.push_back(range);
  }
  {
    const std::lock_guard lock(mutex_);
    if (key_) return {};  // all of it is known: nobody else writes this epoch
  }
  auto key = own.empty() ? needs_.keys.Make() : KeyOfAdopted(own);
  if (!key && key.error().code() != Code::kUnavailable) key = needs_.keys.Make();
  if (!key) return Fail(key.error());
  const std::lock_guard lock(mutex_);
  key_ = *key;
  const std::vector<Range> needless = NeedlessOf(own);
  needless_.assign(needless.begin(), needless.end());
  for (const Range& range : own) {
    const bool is_needless = std::ranges::find(needless, range) != needless.end();
    if (!is_needless && !IsWholeSegment(range)) ranges_.push_back(range);
  }
  return {};
}

// The key with which the epoch's newest object is sealed.
Result<repository::DataKey> Writer::KeyOfAdopted(const std::vector<Range>& ranges) {
  const std::string name = ObjectName(instance_, *std::ranges::max_element(ranges));
  TRY_ASSIGN(const std::string head, needs_.repository.GetRange(name, 0, repository::kHeadBytes));
  TRY_ASSIGN(const std::string id, repository::KeyIdOf(name, head));
  return needs_.keys.Find(id);
}

repository::DataKey Writer::Key() {
  const std::lock_guard lock(mutex_);
  Check(key_.has_value(), "Adopt() comes before any WAL");
  return *key_;
}

void Writer::Write(std::stop_token stop, const QueueItem& item) {
  const auto* group = std::get_if<WalGroup>(&item);
  Range range;
  std::string name;
  if (group != nullptr) {
    range = {.epoch = epoch_,
             .timeline = group->timeline,
             .start = group->start,
             .end = group->end(),
             .until = group->until,
             .commit = group->commit};
    name = ObjectName(instance_, range);
  } else {
    name = ObjectName(
        instance_, HistoryRef{.epoch = epoch_, .timeline = std::get<HistoryFile>(item).timeline});
  }
  const std::string& raw = group != nullptr ? group->bytes : std::get<HistoryFile>(item).text;
  // Sealed once, so that a second try meets its own first one as the same bytes.
  const std::string sealed = repository::SealObject(name, raw, Key(), needs_.entropy);
  for (Duration pause = kFirstPause;; pause = std::min(pause * 2, kLongestPause)) {
    const Result<> put = PutSealed(name, raw, sealed);
    if (put) break;
    SetProblem(
        fmt::format("{} does not take WAL: {}", needs_.repository.Place(), put.error().what()));
    (void)DeleteOne();  // where there is no room, what is needless makes some
    if (!WaitBeforeRetry(stop, pause)) return;
  }
  SetProblem("");
  if (group != nullptr) NoteRange(range);
  queue_.OnWritten(item);
}

Result<> Writer::PutSealed(const std::string& name, const std::string& raw,
                           const std::string& sealed) {
  const Result<> put = needs_.repository.Put(name, sealed);
  if (put || put.error().code() != Code::kAlreadyExists) return put;
  // Put by one that was killed before it had heard of it: good, if it holds the same.
  TRY_ASSIGN(const std::string there, reader_.Read(name));
  if (there == raw) return {};
  return Fail(Code::kCorrupt, name + " is there and holds something else");
}

bool Writer::WaitBeforeRetry(std::stop_token stop, Duration pause) {
  std::unique_lock lock(mutex_);
  (void)changed_.wait_for(lock, stop, pause, [] { return false; });
  return !stop.stop_requested();
}

void Writer::NoteRange(const Range& range) {
  marked_ = std::max(marked_, range.until);
  const std::lock_guard lock(mutex_);
  if (range.IsMark()) {
    for (const Range& old : ranges_) {
      if (old.IsMark()) needless_.push_back(old);
    }
    std::erase_if(ranges_, [](const Range& old) { return old.IsMark(); });
  }
  if (!IsWholeSegment(range)) ranges_.push_back(range);
  may_merge_ = true;
}

bool Writer::Upkeep() {
  if (needs_.clock.Monotonic() < upkeep_after_) return false;
  for (auto step : {&Writer::Mark, &Writer::MergeStep, &Writer::DeleteOne}) {
    const Result<bool> did = (this->*step)();
    if (did && !*did) continue;
    if (did) return true;
    needs_.log.Warning("WAL archive of {}: tidying up: {}", instance_.str(), did.error().what());
    merging_.reset();
    upkeep_after_ = needs_.clock.Monotonic() + kUpkeepPause;
    return false;
  }
  return false;
}

Result<bool> Writer::Mark() {
  const WalQueue::State state = queue_.Read();
  if (!state.is_empty || !state.until || state.durable.IsNone()) return false;
  if (marked_ && *state.until - *marked_ < mark_interval_) return false;
  const Range mark{.epoch = epoch_,
                   .timeline = state.timeline,
                   .start = state.durable,
                   .end = state.durable,
                   .until = state.until};
  const std::string name = ObjectName(instance_, mark);
  const std::string raw = "mark";
  TRY(PutSealed(name, raw, repository::SealObject(name, raw, Key(), needs_.entropy)));
  NoteRange(mark);
  return true;
}

// Reads one part, or puts the whole.
Result<bool> Writer::MergeStep() {
  if (!merging_) {
    const std::lock_guard lock(mutex_);
    if (!may_merge_) return false;
    const auto merge = NextMerge(ranges_);
    may_merge_ = merge.has_value();
    if (!merge) return false;
    merging_ = Merging{.merge = *merge};
  }
  const Merge& merge = merging_->merge;
  if (merging_->read < merge.parts.size()) {
    const Range& part = merge.parts[merging_->read++];
    TRY_ASSIGN(const std::string bytes, reader_.Read(ObjectName(instance_, part)));
    if (bytes.size() != part.size_bytes()) {
      return Fail(Code::kCorrupt, ObjectName(instance_, part) + " has not the size that it says");
    }
    merging_->bytes += bytes;
    return true;
  }
  const std::string name = ObjectName(instance_, merge.whole);
  TRY(PutSealed(name, merging_->bytes,
                repository::SealObject(name, merging_->bytes, Key(), needs_.entropy)));
  const Merge done = std::exchange(merging_, std::nullopt)->merge;
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(ranges_, [&](const Range& range) {
      return std::ranges::find(done.parts, range) != done.parts.end();
    });
    needless_.insert(needless_.end(), done.parts.begin(), done.parts.end());
  }
  NoteRange(done.whole);
  return true;
}

Result<bool> Writer::DeleteOne() {
  Range range;
  {
    const std::lock_guard lock(mutex_);
    if (needless_.empty()) return false;
    range = needless_.front();
  }
  TRY(needs_.repository.Delete(ObjectName(instance_, range)));
  const std::lock_guard lock(mutex_);
  needless_.pop_front();
  return true;
}

}  // namespace howdah::archive
