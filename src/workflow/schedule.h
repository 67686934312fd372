// What is due when: the engine's memory of all runs and reconcilers. Holds no truth (that is in the
// store) and no lock (that is the engine's). The rule that keeps it right: a change that arrives
// while a run is being tried is remembered and wakes it afterwards, so nothing is slept through.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "store/store.h"
#include "workflow/attempt.h"
#include "workflow/reconciler.h"
#include "workflow/workflow.h"

namespace howdah::workflow {

class Schedule {
 public:
  // Waiting runs are not tried more often than every `pace` however much changes.
  explicit Schedule(Duration pace) : pace_(pace) {}

  void Add(Reconciler reconciler);
  void set_pace(Duration pace) { pace_ = pace; }

  // News from the store.
  void Load(const std::vector<store::Document>& runs, MonotonicTime now, WallTime wall);
  void Apply(const store::Change& change, MonotonicTime now, WallTime wall);

  // What is due is handed out once, until it is given back.
  struct RunJob {
    Run run;
    store::Revision revision;
  };
  std::optional<RunJob> TakeRun(MonotonicTime now);
  std::optional<std::size_t> TakeReconciler(MonotonicTime now);
  MonotonicTime NextDue() const;

  // Giving a run back: first Committed, if something was; then, unless it NeedsReload, TriedRun or
  // RetryAfterError (of the commit). Else Reload with what the store has now, or Forget.
  void Committed(const RunId& id, store::Revision revision);
  bool NeedsReload(const RunId& id) const;  // somebody else changed it meanwhile
  void TriedRun(const Attempt& attempt, MonotonicTime now);
  void RetryAfterError(const RunId& id, MonotonicTime now);
  void Reload(const store::Document& document, MonotonicTime now);
  void Forget(const RunId& id);

  const Reconciler& reconciler(std::size_t index) const { return duties_[index].reconciler; }
  // True: this error is news, to be logged.
  bool ReconcilerFailed(std::size_t index, const std::string& error, MonotonicTime now);
  void ReconcilerDone(std::size_t index, Duration again, MonotonicTime now);

  // Finished runs that are too many or too old.
  std::vector<store::Document> Prunable(WallTime older_than, std::size_t keep) const;

 private:
  struct Entry {
    Run run;
    store::Revision revision = 0;
    MonotonicTime due;
    MonotonicTime not_before;  // no wake-up makes it due earlier
    MonotonicTime tried;
    bool busy = false;
    bool waiting = false;
    int errors = 0;                      // in a row
    int conflicts = 0;                   // in a row
    store::Revision own = 0;             // its last commit, which must not wake it
    store::Revision stale = 0;           // somebody changed the run while it was busy
    std::vector<store::Revision> woken;  // by these, while it was busy
  };
  struct Duty {
    Reconciler reconciler;
    MonotonicTime due = MonotonicTime::min();
    MonotonicTime not_before = MonotonicTime::min();
    bool busy = false;
    bool woken = false;
    int errors = 0;
    std::string last_error;
  };

  void ApplyToRun(const store::Change& change, MonotonicTime now, WallTime wall);
  void Wake(Entry& entry, store::Revision revision, MonotonicTime now);
  void WakeAfterwards(Entry& entry, MonotonicTime now);

  Duration pace_;
  std::map<RunId, Entry> entries_;
  std::vector<Duty> duties_;
};

}  // namespace howdah::workflow
