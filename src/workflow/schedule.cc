// A step that waits for what others do is woken by any change of the store but its own last commit.
// That is more often than needed and simple; the pace keeps it cheap.
#include "workflow/schedule.h"

#include <algorithm>
#include <utility>

namespace howdah::workflow {
namespace {

constexpr Duration kFirstBackOff = 200ms;
constexpr Duration kLastBackOff = 10s;
constexpr Duration kFirstConflictDelay = 20ms;
constexpr Duration kShortestWait = 20ms;

Duration BackOff(Duration first, int failures) {
  const int doublings = std::clamp(failures - 1, 0, 16);
  return std::min<Duration>(first * (1 << doublings), kLastBackOff);
}

}  // namespace

void Schedule::Add(Reconciler reconciler) {
  duties_.push_back(Duty{.reconciler = std::move(reconciler), .last_error = ""});
}

void Schedule::Load(const std::vector<store::Document>& runs, MonotonicTime now, WallTime wall) {
  std::erase_if(entries_, [](const auto& item) { return !item.second.busy; });
  for (const store::Document& document : runs) {
    Apply({document.key, document.value, document.revision}, now, wall);
  }
  // One that is busy and not listed was deleted; to find out is its Reload's business.
  for (auto& [id, entry] : entries_) {
    if (entry.busy) entry.stale = std::max(entry.stale, entry.revision + 1);
  }
  for (Duty& duty : duties_) {
    duty.due = std::min(duty.due, std::max(now, duty.not_before));
    duty.woken = duty.woken || duty.busy;
  }
}

void Schedule::Apply(const store::Change& change, MonotonicTime now, WallTime wall) {
  if (change.key.starts_with(kRunPrefix)) ApplyToRun(change, now, wall);
  const std::string_view run = std::string_view(change.key).starts_with(kRunPrefix)
                                   ? std::string_view(change.key).substr(kRunPrefix.size())
                                   : std::string_view();
  for (auto& [id, entry] : entries_) {
    if (id.str() != run) Wake(entry, change.revision, now);
  }
  for (Duty& duty : duties_) {
    const auto& prefixes = duty.reconciler.prefixes;
    const auto covers = [&](const std::string& prefix) { return change.key.starts_with(prefix); };
    if (std::none_of(prefixes.begin(), prefixes.end(), covers)) continue;
    duty.woken = duty.woken || duty.busy;
    duty.due = std::min(duty.due, std::max(now, duty.not_before));
  }
}

void Schedule::ApplyToRun(const store::Change& change, MonotonicTime now, WallTime wall) {
  const RunId id(change.key.substr(kRunPrefix.size()));
  const auto found = entries_.find(id);
  if (found != entries_.end() && found->second.busy) {
    found->second.stale = std::max(found->second.stale, change.revision);
    return;
  }
  if (found != entries_.end() && change.revision <= found->second.revision) return;
  auto run = change.value ? ParseRun(*change.value) : Fail(Code::kNotFound, "deleted");
  if (!run) {
    entries_.erase(id);
    return;
  }
  Entry entry{.run = *std::move(run), .revision = change.revision, .woken = {}};
  entry.run.id = id;
  entry.due = now;
  // A run that has not begun may be meant for later; one that has is tried again at once.
  if (entry.run.step.empty() && entry.run.attempts == 0 && entry.run.due > wall)
    entry.due = now + (entry.run.due - wall);
  entry.not_before = entry.due;
  if (IsFinished(entry.run)) entry.run.frame.clear();
  entries_.insert_or_assign(id, std::move(entry));
}

void Schedule::Wake(Entry& entry, store::Revision revision, MonotonicTime now) {
  if (entry.busy) {
    if (entry.woken.empty() || entry.woken.back() != revision) entry.woken.push_back(revision);
  } else if (entry.waiting && revision != entry.own) {
    entry.due = std::min(entry.due, std::max(now, entry.not_before));
  }
}

std::optional<Schedule::RunJob> Schedule::TakeRun(MonotonicTime now) {
  Entry* first = nullptr;
  for (auto& [id, entry] : entries_) {
    if (entry.busy || IsFinished(entry.run) || entry.due > now) continue;
    if (!first || entry.due < first->due) first = &entry;
  }
  if (!first) return std::nullopt;
  first->busy = true;
  first->tried = now;
  first->woken.clear();
  return RunJob{first->run, first->revision};
}

std::optional<std::size_t> Schedule::TakeReconciler(MonotonicTime now) {
  std::optional<std::size_t> first;
  for (std::size_t i = 0; i < duties_.size(); ++i) {
    if (duties_[i].busy || duties_[i].due > now) continue;
    if (!first || duties_[i].due < duties_[*first].due) first = i;
  }
  if (!first) return std::nullopt;
  duties_[*first].busy = true;
  duties_[*first].woken = false;
  return first;
}

MonotonicTime Schedule::NextDue() const {
  MonotonicTime next = MonotonicTime::max();
  for (const auto& [id, entry] : entries_) {
    if (!entry.busy && !IsFinished(entry.run)) next = std::min(next, entry.due);
  }
  for (const Duty& duty : duties_) {
    if (!duty.busy) next = std::min(next, duty.due);
  }
  return next;
}

void Schedule::Committed(const RunId& id, store::Revision revision) {
  const auto found = entries_.find(id);
  if (found != entries_.end()) found->second.revision = found->second.own = revision;
}

void Schedule::TriedRun(const Attempt& attempt, MonotonicTime now) {
  const auto found = entries_.find(attempt.run.id);
  if (found == entries_.end()) return;
  Entry& entry = found->second;
  entry.run = attempt.run;
  entry.busy = false;
  entry.waiting = attempt.waits;
  entry.conflicts = 0;
  entry.errors = attempt.by_error ? entry.errors + 1 : 0;
  entry.due = entry.not_before = now;
  if (attempt.waits) {
    const bool troubled = attempt.by_error || attempt.slow;
    Duration delay = attempt.by_error ? BackOff(kFirstBackOff, entry.errors) : attempt.delay;
    if (attempt.slow) delay = std::max<Duration>(delay, kLastBackOff);
    entry.due = now + std::max(delay, kShortestWait);
    entry.not_before = entry.tried + (troubled ? kFirstBackOff : pace_);
  }
  WakeAfterwards(entry, now);
  if (IsFinished(entry.run)) entry.run.frame.clear();
}

void Schedule::WakeAfterwards(Entry& entry, MonotonicTime now) {
  const std::vector<store::Revision> woken = std::exchange(entry.woken, {});
  for (const store::Revision revision : woken) Wake(entry, revision, now);
}

void Schedule::RetryAfterError(const RunId& id, MonotonicTime now) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return;
  Entry& entry = found->second;
  entry.busy = false;
  entry.due = entry.not_before = now + BackOff(kFirstBackOff, ++entry.errors);
}

bool Schedule::NeedsReload(const RunId& id) const {
  const auto found = entries_.find(id);
  return found != entries_.end() && found->second.stale > found->second.revision;
}

void Schedule::Reload(const store::Document& document, MonotonicTime now) {
  const RunId id(document.key.substr(kRunPrefix.size()));
  const auto found = entries_.find(id);
  if (found == entries_.end()) return;
  Entry& entry = found->second;
  auto run = ParseRun(document.value);
  if (!run) return Forget(id);
  const bool changed = document.revision != entry.revision;
  if (changed) entry.run = *std::move(run);
  entry.run.id = id;
  entry.revision = document.revision;
  entry.stale = 0;
  entry.busy = entry.waiting = false;
  // At first at once: fresh eyes see what is new. Losing again and again backs off.
  const int before = entry.conflicts++;
  entry.due = now + (before == 0 || changed ? Duration(0) : BackOff(kFirstConflictDelay, before));
  entry.not_before = entry.due;
}

void Schedule::Forget(const RunId& id) {
  entries_.erase(id);
}

bool Schedule::ReconcilerFailed(std::size_t index, const std::string& error, MonotonicTime now) {
  Duty& duty = duties_[index];
  duty.busy = false;
  duty.due = now + std::min(BackOff(kFirstBackOff, ++duty.errors), duty.reconciler.interval);
  duty.not_before = now + kFirstBackOff;
  return std::exchange(duty.last_error, error) != error;
}

void Schedule::ReconcilerDone(std::size_t index, Duration again, MonotonicTime now) {
  Duty& duty = duties_[index];
  duty.busy = false;
  duty.errors = 0;
  duty.last_error.clear();
  duty.not_before = now + pace_;
  duty.due =
      now + std::clamp<Duration>(again, 20ms, std::max<Duration>(duty.reconciler.interval, 20ms));
  if (duty.woken) duty.due = duty.not_before;
}

std::vector<store::Document> Schedule::Prunable(WallTime older_than, std::size_t keep) const {
  std::vector<const Entry*> finished;
  for (const auto& [id, entry] : entries_) {
    if (!entry.busy && IsFinished(entry.run)) finished.push_back(&entry);
  }
  std::ranges::sort(finished, [](const Entry* a, const Entry* b) {
    return std::pair(a->run.updated, a->run.id) > std::pair(b->run.updated, b->run.id);
  });
  std::vector<store::Document> prunable;
  for (std::size_t i = 0; i < finished.size(); ++i) {
    if (i < keep && finished[i]->run.updated >= older_than) continue;
    prunable.push_back({RunKey(finished[i]->run.id), "", finished[i]->revision});
  }
  return prunable;
}

}  // namespace howdah::workflow
