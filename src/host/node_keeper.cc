#include "host/node_keeper.h"

namespace howdah::host {

namespace {

constexpr Duration kQuick = 50ms;      // something is about to become true
constexpr Duration kWatchful = 300ms;  // after a failure
constexpr Duration kCalm = 2s;         // nothing is expected; the server's end wakes us anyway
constexpr int kActsInARow = 8;

// What an earlier keeper of this node reported.
nodes::Observed LastReport(store::Store& store, const NodeId& node) {
  const Result<store::Document> stored = store.Get(nodes::ObservedKey(node));
  if (!stored) return {};
  return nodes::ParseObserved(stored->value).value_or(nodes::Observed{});
}

}  // namespace

NodeKeeper::NodeKeeper(NodeId id, const Needs& needs, SetFit set_fit)
    : id_(std::move(id)),
      needs_(needs),
      set_fit_(std::move(set_fit)),
      observed_(LastReport(needs.store, id_)),
      published_(nodes::Format(observed_)),
      archive_(needs),
      restorer_(needs),
      storage_({.disk = needs.disk, .clock = needs.clock, .on_change = [this] { Wake(); }},
               observed_.storage),
      pulse_(needs.clock, [this] { OnPulse(); }),
      checkpointer_(needs.clock, [this] { Wake(); }) {}

// A copy under way is given up; the next keeper begins it anew.
NodeKeeper::~NodeKeeper() {
  stopping_ = true;
  if (proving_) interrupt_.Raise();  // a check may take long
}

void NodeKeeper::Start() {
  storage_.Start();
  pulse_.Start();
  watcher_ = std::jthread([this](std::stop_token stop) { RunWatcher(stop); });
  thread_ = std::jthread([this](std::stop_token stop) { Run(stop); });
}

void NodeKeeper::Wake() {
  const std::lock_guard lock(mutex_);
  woken_ = true;
  changed_.notify_all();
}

void NodeKeeper::Wake(const std::string& desired) {
  const Result<nodes::Desired> want = nodes::ParseDesired(desired);
  const std::lock_guard lock(mutex_);
  if (want) {
    news_ = AimOf(*want);
    if (aim_ && news_ != aim_) interrupt_.Raise();
  }
  woken_ = true;
  changed_.notify_all();
}

// A server that has just fallen silent is not waited for: what it does not answer is reported now.
void NodeKeeper::OnPulse() {
  const std::lock_guard lock(mutex_);
  if (!pulse_.Read().failing.empty()) interrupt_.Raise();
  woken_ = true;
  changed_.notify_all();
}

NodeKeeper::Aim NodeKeeper::AimOf(const nodes::Desired& want) {
  return {.epoch = want.epoch, .role = want.role, .power = want.power, .revive = want.revive};
}

bool NodeKeeper::IsFinished() const {
  const std::lock_guard lock(mutex_);
  return finished_;
}

std::pair<InstanceId, std::int64_t> NodeKeeper::Sessions() const {
  const std::lock_guard lock(mutex_);
  return {primary_of_, sessions_};
}

void NodeKeeper::Run(std::stop_token stop) {
  while (!stop.stop_requested() && !IsFinished()) {
    const Duration again = Pass();
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, stop, again, [this] { return woken_; });
    woken_ = false;
  }
}

// Turns the end of the server's process into a wake-up: a dead server is seen at once.
void NodeKeeper::RunWatcher(std::stop_token stop) {
  while (!stop.stop_requested()) {
    std::optional<system::ProcessIdentity> server;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, stop, [this] { return watched_.has_value(); });
      server = watched_;
    }
    if (!server || !needs_.processes.AwaitExit(*server, 500ms)) continue;
    const std::lock_guard lock(mutex_);
    if (watched_ == server) watched_.reset();
    woken_ = true;
    changed_.notify_all();
  }
}

void NodeKeeper::WatchServer(std::optional<system::ProcessIdentity> server) {
  const std::lock_guard lock(mutex_);
  if (watched_ == server) return;
  watched_ = server;
  changed_.notify_all();
}

// Only changes are written: who reads adds the time that has passed since.
void NodeKeeper::NotePulse() {
  const Pulse::Report pulse = pulse_.Read();
  if (pulse.failing == observed_.unresponsive) return;
  observed_.unresponsive = pulse.failing;
  observed_.unresponsive_ms = pulse.failing_ms;
  if (!pulse.failing.empty()) {
    needs_.log.Warning("node {}: its server does not respond: {}", id_.str(), pulse.failing);
  }
}

void NodeKeeper::Publish() {
  NotePulse();
  const std::string text = nodes::Format(observed_);
  if (text == published_) return;
  const Result<store::Revision> committed = needs_.store.Commit(
      {.compares = {}, .puts = {{nodes::ObservedKey(id_), text, ""}}, .deletes = {}});
  if (committed)
    published_ = text;
  else
    needs_.log.Warning("node {}: cannot report: {}", id_.str(), committed.error().what());
}

void NodeKeeper::Fit(bool fit) {
  Fitness fitness = path_;
  fitness.fit = fit;
  if (fitness == fit_ && adopted_) return;
  fit_ = fitness;
  set_fit_(id_, fitness);
}

Duration NodeKeeper::Pass() {
  const Result<store::Document> document = needs_.store.Get(nodes::DesiredKey(id_));
  if (!document) {
    const bool gone = document.error().code() == Code::kNotFound;
    if (gone) {
      const std::lock_guard lock(mutex_);
      finished_ = true;
    }
    return kCalm;
  }
  const Result<nodes::Desired> want = nodes::ParseDesired(document->value);
  if (!want) {
    needs_.log.Error("node {}: {}", id_.str(), want.error().what());
    return kCalm;
  }
  {
    const std::lock_guard lock(mutex_);
    aim_ = AimOf(*want);
    if (!news_ || news_ == aim_) interrupt_.Clear();
    const bool is_its_primary = want->role == nodes::Role::kPrimary && !want->proof;
    primary_of_ = is_its_primary ? want->instance : InstanceId();
  }
  const Result<Duration> again = Pursue(*want);
  if (!again) NoteFailure(*want, again.error());
  adopted_ = true;
  Publish();
  archive_.Rest(*want);
  return again ? *again : Duration(kWatchful);
}

void NodeKeeper::NoteFailure(const nodes::Desired& want, const Error& error) {
  // A peer that is not there yet, or a time-out, is waited for; the rest is for a person to know.
  const bool passing = error.code() == Code::kUnavailable || error.code() == Code::kTimeout ||
                       error.code() == Code::kConflict;
  if (observed_.detail != error.what()) {
    needs_.log.Warning("node {} ({}): {}", id_.str(), nodes::RoleName(want.role), error.what());
  }
  observed_.detail = error.what();
  if (!passing) observed_.state = nodes::State::kFailed;
}

Result<postgres::Node> NodeKeeper::MakeNode(const nodes::Desired& want) {
  if (password_.empty()) {
    TRY_ASSIGN(password_, needs_.keyring.Open(want.sealed_password, want.instance.str()));
  }
  postgres::Engine engine;
  if (want.power == nodes::Power::kRunning && want.role != nodes::Role::kFenced) {
    TRY_ASSIGN(const std::vector<postgres::Engine> engines, needs_.engines());
    TRY_ASSIGN(engine, postgres::FindEngine(engines, want.version));
  }
  postgres::NodePaths paths = needs_.layout.NodeAt(want.zone, id_);
  paths.handover_library = needs_.handover_library;
  return postgres::Node(std::move(paths), engine, password_,
                        {.disk = needs_.disk,
                         .processes = needs_.processes,
                         .clock = needs_.clock,
                         .log = needs_.log,
                         .interrupt = interrupt_.descriptor()});
}

// One act after the other, as long as each changes what is true.
Result<Duration> NodeKeeper::Pursue(const nodes::Desired& want) {
  if (want.power == nodes::Power::kAbsent && observed_.state == nodes::State::kAbsent) return kCalm;
  TRY_ASSIGN(postgres::Node node, MakeNode(want));
  for (int i = 0; i < kActsInARow; ++i) {
    TRY_ASSIGN(const Facts facts, Look(want, node));
    TRY_ASSIGN(const std::optional<Duration> again, Do(NextAct(want, facts), want, node, facts));
    if (again) return *again;
  }
  return kQuick;
}

}  // namespace howdah::host
