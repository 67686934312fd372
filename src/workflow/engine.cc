// The engine's threads and its talk with the store. One thread watches the store; a few workers
// take what is due from the Schedule, try it without the lock, and give it back.
#include "workflow/engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

#include "base/check.h"
#include "workflow/attempt.h"
#include "workflow/schedule.h"

namespace howdah::workflow {
namespace {

constexpr Duration kPace = 20ms;
constexpr Duration kPruneEvery = 60s;
constexpr std::size_t kPruneBatch = 100;
constexpr Duration kWatchBackOff = 500ms;

// After these another try cannot help: what the step wants to commit is wrong in itself.
bool IsPermanent(Code code) {
  return code == Code::kInvalid || code == Code::kNotFound;
}

// As with a step: one that throws must not take the daemon with it.
Result<Duration> CallDuty(const Reconciler& reconciler) {
  try {
    return reconciler.reconcile();
  } catch (const std::exception& exception) {
    return Fail(Code::kInternal, fmt::format("exception: {}", exception.what()));
  }
}

// A run's position is the name of a step.
void CheckStepNames(const Workflow& workflow) {
  std::set<std::string_view> names = {kOnFailedStep, ""};
  for (const Step& step : workflow.steps) {
    Check(names.insert(step.name).second, "the steps of a workflow have names, each its own");
  }
  Check(!workflow.steps.empty(), "a workflow has steps");
}

}  // namespace

class Engine::Impl {
 public:
  Impl(Options options, store::Store& store, const system::Clock& clock, const Log& log)
      : options_(options), store_(store), clock_(clock), log_(log), schedule_(Duration(0)) {}
  ~Impl() { Stop(); }

  void Register(Workflow workflow) {
    Check(!started_ && !Find(workflow.name), "a workflow is registered once, before Start");
    CheckStepNames(workflow);
    workflows_.push_back(std::move(workflow));
  }
  void Register(Reconciler reconciler) {
    Check(!started_, "reconcilers are registered before Start");
    schedule_.Add(std::move(reconciler));
  }
  const std::vector<Workflow>& workflows() const { return workflows_; }

  void Start();
  void Stop();
  bool StepOnce();

 private:
  const Workflow* Find(const std::string& name) const;
  Result<> Refresh(Duration limit);
  Result<> OpenWatch();
  void WatchLoop();
  void WorkLoop();
  bool DoOne(std::unique_lock<std::mutex>& lock);
  void DoRun(const Schedule::RunJob& job);
  void DoReconciler(std::size_t index);
  Result<store::Revision> CommitAttempt(const Attempt& attempt, store::Revision revision);
  void GiveBack(const Schedule::RunJob& job, const Attempt& attempt, Result<store::Revision> made);
  void LogOutcome(const Run& before, const Run& after);
  void Prune();

  const Options options_;
  store::Store& store_;
  const system::Clock& clock_;
  const Log log_;
  std::vector<Workflow> workflows_;      // fixed after Start
  std::unique_ptr<store::Watch> watch_;  // of the thread that refreshes

  std::mutex mutex_;
  std::condition_variable news_;
  Schedule schedule_;    // under mutex_, as all below
  int reconciling_ = 0;  // how many reconcilers are under way
  bool started_ = false;
  bool stopping_ = false;
  MonotonicTime next_prune_ = MonotonicTime::min();
  std::vector<std::thread> threads_;
};

const Workflow* Engine::Impl::Find(const std::string& name) const {
  const auto found = std::ranges::find(workflows_, name, &Workflow::name);
  return found == workflows_.end() ? nullptr : &*found;
}

void Engine::Impl::Start() {
  Check(!started_, "an engine is started once");
  started_ = true;
  schedule_.set_pace(kPace);
  threads_.emplace_back([this] { WatchLoop(); });
  for (int i = 0; i < std::max(options_.workers, 1); ++i) {
    threads_.emplace_back([this] { WorkLoop(); });
  }
}

void Engine::Impl::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  news_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

bool Engine::Impl::StepOnce() {
  Check(!started_, "StepOnce is for an engine that was not started");
  if (const auto fresh = Refresh(Duration(0)); !fresh) {
    log_.Warning("workflow: {}", fresh.error().what());
  }
  std::unique_lock lock(mutex_);
  return DoOne(lock);
}

Result<> Engine::Impl::OpenWatch() {
  TRY_ASSIGN(const store::Listing listing, store_.List(kRunPrefix));
  TRY_ASSIGN(watch_, store_.WatchFrom("/", listing.revision + 1));
  const std::lock_guard lock(mutex_);
  schedule_.Load(listing.documents, clock_.Monotonic(), clock_.Now());
  return {};
}

// Brings the schedule up to date with the store, waiting at most `limit` for news.
Result<> Engine::Impl::Refresh(Duration limit) {
  if (!watch_) {
    TRY(OpenWatch());
    limit = Duration(0);
  }
  while (true) {
    auto changes = watch_->Next(limit);
    if (!changes) {
      watch_.reset();  // list again, and watch from there
      return Fail(changes.error().During("watching the store"));
    }
    if (changes->empty()) return {};
    const std::lock_guard lock(mutex_);
    for (const auto& change : *changes) schedule_.Apply(change, clock_.Monotonic(), clock_.Now());
    limit = Duration(0);
  }
}

void Engine::Impl::WatchLoop() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    const auto fresh = Refresh(options_.poll);
    lock.lock();
    news_.notify_all();
    if (fresh) continue;
    log_.Warning("workflow: {}", fresh.error().what());
    news_.wait_for(lock, kWatchBackOff, [this] { return stopping_; });
  }
}

void Engine::Impl::WorkLoop() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (DoOne(lock)) continue;
    const MonotonicTime due = schedule_.NextDue();
    const MonotonicTime now = clock_.Monotonic();
    // What is due but was not handed out waits for its turn behind other reconcilers.
    const Duration wait = due <= now ? options_.poll : std::min(options_.poll, due - now);
    news_.wait_for(lock, std::max<Duration>(wait, 1ms));
  }
}

// With the lock held, which is let go while something is being done.
bool Engine::Impl::DoOne(std::unique_lock<std::mutex>& lock) {
  const MonotonicTime now = clock_.Monotonic();
  if (const auto job = schedule_.TakeRun(now)) {
    lock.unlock();
    DoRun(*job);
    lock.lock();
    news_.notify_all();
    return true;
  }
  // One worker is always left for runs, which people wait for.
  if (reconciling_ < std::max(options_.workers - 1, 1)) {
    if (const auto index = schedule_.TakeReconciler(now)) {
      ++reconciling_;
      lock.unlock();
      DoReconciler(*index);
      lock.lock();
      --reconciling_;
      news_.notify_all();
      return true;
    }
  }
  if (now < next_prune_) return false;
  next_prune_ = now + kPruneEvery;
  lock.unlock();
  Prune();
  lock.lock();
  return false;
}

void Engine::Impl::DoRun(const Schedule::RunJob& job) {
  const Workflow* workflow = Find(job.run.workflow);
  Attempt attempt = workflow ? TryStep(*workflow, job.run, store_, clock_.Now(), log_)
                             : UnknownWorkflow(job.run, clock_.Now());
  Result<store::Revision> made = CommitAttempt(attempt, job.revision);
  if (!made && IsPermanent(made.error().code()) && workflow) {
    attempt = FailStep(*workflow, job.run, made.error().what(), clock_.Now());
    made = CommitAttempt(attempt, job.revision);
  }
  if (made && attempt.write) LogOutcome(job.run, attempt.run);
  GiveBack(job, attempt, std::move(made));
}

// What the step recorded and the run's new position, all or nothing.
Result<store::Revision> Engine::Impl::CommitAttempt(const Attempt& attempt,
                                                    store::Revision revision) {
  if (!attempt.write) return revision;
  store::Transaction transaction = attempt.transaction;
  transaction.compares.push_back({RunKey(attempt.run.id), revision});
  transaction.puts.push_back({RunKey(attempt.run.id), FormatRun(attempt.run), ""});
  return store_.Commit(transaction);
}

// A run that somebody else changed is read again before it is let go: else its old state, under its
// new revision, could be written over what they asked for.
void Engine::Impl::GiveBack(const Schedule::RunJob& job, const Attempt& attempt,
                            Result<store::Revision> made) {
  const RunId& id = job.run.id;
  const bool conflict = !made && made.error().code() == Code::kConflict;
  {
    const std::lock_guard lock(mutex_);
    if (made && attempt.write) schedule_.Committed(id, *made);
    if (!conflict && !schedule_.NeedsReload(id)) {
      const MonotonicTime now = clock_.Monotonic();
      if (made) return schedule_.TriedRun(attempt, now);
      log_.Warning("run {}: {}", id.str(), made.error().what());
      return schedule_.RetryAfterError(id, now);
    }
  }
  const auto document = store_.Get(RunKey(id));
  const std::lock_guard lock(mutex_);
  const MonotonicTime now = clock_.Monotonic();
  if (document) {
    schedule_.Reload(*document, now);
  } else if (document.error().code() == Code::kNotFound) {
    schedule_.Forget(id);
  } else {
    schedule_.RetryAfterError(id, now);
  }
}

void Engine::Impl::LogOutcome(const Run& before, const Run& after) {
  if (after.state != before.state) {
    log_.Info("run {} ({} of {}): {}{}{}", after.id.str(), after.workflow, after.subject,
              RunStateName(after.state), after.error.empty() ? "" : ": ", after.error);
  } else if (after.step != before.step) {
    log_.Debug("run {} ({} of {}): {}", after.id.str(), after.workflow, after.subject, after.step);
  } else if (after.error != before.error && !after.error.empty()) {
    log_.Info("run {} ({} of {}) waits in {}: {}", after.id.str(), after.workflow, after.subject,
              after.step, after.error);
  }
}

void Engine::Impl::DoReconciler(std::size_t index) {
  const Reconciler& reconciler = schedule_.reconciler(index);  // fixed after Start
  const Result<Duration> again = CallDuty(reconciler);
  const std::lock_guard lock(mutex_);
  const MonotonicTime now = clock_.Monotonic();
  if (again) {
    schedule_.ReconcilerDone(index, *again, now);
  } else if (schedule_.ReconcilerFailed(index, again.error().what(), now)) {
    log_.Warning("{}: {}", reconciler.name, again.error().what());
  }
}

void Engine::Impl::Prune() {
  std::vector<store::Document> old;
  {
    const std::lock_guard lock(mutex_);
    old = schedule_.Prunable(clock_.Now() - options_.keep_finished,
                             static_cast<std::size_t>(std::max(options_.max_kept_finished, 0)));
  }
  for (std::size_t begin = 0; begin < old.size(); begin += kPruneBatch) {
    store::Transaction transaction;
    for (std::size_t i = begin; i < std::min(begin + kPruneBatch, old.size()); ++i) {
      transaction.compares.push_back({old[i].key, old[i].revision});
      transaction.deletes.push_back(old[i].key);
    }
    if (!store_.Commit(transaction)) return;  // the next round tries again
  }
}

Engine::Engine(Options options, store::Store& store, const system::Clock& clock, const Log& log)
    : impl_(std::make_unique<Impl>(options, store, clock, log)) {}
Engine::~Engine() = default;

void Engine::Register(Workflow workflow) {
  impl_->Register(std::move(workflow));
}
void Engine::Register(Reconciler reconciler) {
  impl_->Register(std::move(reconciler));
}
const std::vector<Workflow>& Engine::workflows() const {
  return impl_->workflows();
}
void Engine::Start() {
  impl_->Start();
}
void Engine::Stop() {
  impl_->Stop();
}
bool Engine::StepOnce() {
  return impl_->StepOnce();
}

}  // namespace howdah::workflow
