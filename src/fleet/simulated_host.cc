#include "fleet/simulated_host.h"

#include <fmt/format.h>

#include <stdexcept>

namespace howdah::fleet {

namespace {

// The documents are ours: one that cannot be read is a mistake of the program under test.
template <typename T>
T Must(Result<T> result) {
  if (!result) throw std::runtime_error("simulated host: " + result.error().what());
  return *std::move(result);
}

}  // namespace

void SimulatedHost::Put(const std::string& key, const std::string& text) {
  const Result<store::Document> stored = store_.Get(key);
  if (stored && stored->value == text) return;
  Must(store_.Commit({.compares = {}, .puts = {{key, text, ""}}, .deletes = {}}));
}

// A node without a desired document has no keeper: whatever is there stays there.
void SimulatedHost::Tick() {
  for (const store::Document& document : Must(store_.List(nodes::kNodesPrefix)).documents) {
    if (document.key.ends_with("/desired")) Keep(Must(nodes::ParseDesired(document.value)));
  }
  for (const store::Document& document : Must(store_.List(nodes::kBackupTasksPrefix)).documents) {
    TakeBackup(Must(nodes::ParseBackupTask(document.value)));
  }
  ServeRoutes();
}

void SimulatedHost::TakeBackup(const nodes::BackupTask& task) {
  const std::string key = nodes::BackupStateKey(task.id);
  nodes::BackupState state;
  if (const auto stored = store_.Get(key)) state = Must(nodes::ParseBackupState(stored->value));
  Put(key, nodes::Format(Advance(task, state)));
}

// Begins, is half done, is done; without its server it fails.
nodes::BackupState SimulatedHost::Advance(const nodes::BackupTask& task, nodes::BackupState state) {
  using Name = nodes::BackupStateName;
  if (state.state == Name::kDone || state.state == Name::kFailed) return state;
  const bool runs = state_.machines.contains(task.node) && state_.machines[task.node].process;
  const bool fails = failing_backups > 0 && state.state == Name::kRunning;
  if (task.cancelled) return state;  // nobody's any more
  if (!runs || fails) {
    if (fails) --failing_backups;
    state.state = Name::kFailed;
    state.detail = "the disk is full";
    return state;
  }
  if (state.state == Name::kWaiting) {
    state.state = Name::kRunning;
    state.total_bytes = 1000;
    state.done_bytes = 500;
    return state;
  }
  if (stalls_backups) return state;
  state.state = Name::kDone;
  state.done_bytes = state.size_bytes = 1000;
  state.stored_bytes = 300;
  state.finished = now;
  std::string verifier;
  for (const auto& [node, machine] : state_.machines) {
    const auto desired = store_.Get(nodes::DesiredKey(node));
    const bool ours =
        desired && Must(nodes::ParseDesired(desired->value)).instance == task.instance;
    if (ours && !machine.verifier.empty()) verifier = machine.verifier;
  }
  state_.shelf.backups[task.id] = {.description = task.description,
                                   .instance = task.instance,
                                   .finished = now,
                                   .verifier = verifier};
  return state;
}

void SimulatedHost::Keep(const nodes::Desired& want) {
  nodes::Observed observed;
  if (const auto stored = store_.Get(nodes::ObservedKey(want.id))) {
    observed = Must(nodes::ParseObserved(stored->value));
  }
  switch (want.power) {
    case nodes::Power::kAbsent:
      if (observed.state == nodes::State::kAbsent) return;
      CheckNobodyWaitsFor(want);
      state_.machines.erase(want.id);
      observed = {.state = nodes::State::kAbsent};
      break;
    case nodes::Power::kStopped:
      Stop(want, observed);
      break;
    case nodes::Power::kRunning:
      want.role == nodes::Role::kFenced ? Fence(want, observed) : Run(want, observed);
      break;
  }
  if (want.power != nodes::Power::kAbsent) observed.epoch = want.epoch;
  Put(nodes::ObservedKey(want.id), nodes::Format(observed));
}

// H5: a primary that goes on has let go of a standby before the standby's copy goes.
void SimulatedHost::CheckNobodyWaitsFor(const nodes::Desired& want) {
  if (want.role != nodes::Role::kStandby) return;
  const auto primary = state_.machines.find(want.primary);
  const auto stored = store_.Get(nodes::DesiredKey(want.primary));
  if (primary == state_.machines.end() || !primary->second.process || !stored) return;
  if (Must(nodes::ParseDesired(stored->value)).power != nodes::Power::kRunning) return;
  const std::string& name = state_.machines[want.id].connects_as;
  if (!name.empty() && primary->second.waits_for == name) {
    state_.violations.insert("a standby went while its primary waited for it");
  }
}

void SimulatedHost::Stop(const nodes::Desired& want, nodes::Observed& observed) {
  Machine& machine = state_.machines[want.id];
  if (want.role == nodes::Role::kStandby && machine.process) {
    const auto primary = state_.machines.find(want.primary);
    if (primary != state_.machines.end() && primary->second.process) {
      state_.violations.insert("a standby was stopped before its primary");
    }
  }
  machine.process = false;
  machine.fit = false;
  observed.state = nodes::State::kStopped;
  observed.detail.clear();
  observed.pid = 0;
  observed.streaming_token.clear();
  observed.proven_token.clear();
}

// A primary whose server ended by itself, not by our hand: somebody else decides what becomes of
// it.
bool SimulatedHost::MayNotStart(const nodes::Desired& want, Machine& machine,
                                nodes::Observed& observed) {
  const bool waits = want.role == nodes::Role::kPrimary && !want.waits_for.empty();
  const bool ended =
      !machine.process && machine.was_seen &&
      (observed.state == nodes::State::kRunning || observed.state == nodes::State::kDown);
  if (!ended || !waits || want.revive > observed.revive) return false;
  machine.fit = false;
  observed.state = nodes::State::kDown;
  observed.detail = "its server ended";
  return true;
}

void SimulatedHost::Fence(const nodes::Desired& want, nodes::Observed& observed) {
  Machine& machine = state_.machines[want.id];
  Hold(machine, observed);
  observed.state = nodes::State::kFenced;
}

// A recruit follows nobody; a primary that is in recovery is promoted by its next look.
void SimulatedHost::Recruit(Machine& machine, nodes::Observed& observed) {
  machine.connects_as.clear();
  machine.primary = NodeId();
  observed.recruited = true;
}

void SimulatedHost::Run(const nodes::Desired& want, nodes::Observed& observed) {
  const bool is_recruit = want.role == nodes::Role::kRecruit;
  const bool is_standby = want.role == nodes::Role::kStandby || is_recruit;
  if (broken_nodes.contains(want.id) || (breaks_standbys && is_standby)) {
    observed.state = nodes::State::kFailed;
    observed.detail = "cannot be made";
    return;
  }
  Machine& machine = state_.machines[want.id];
  machine.is_standby = is_standby;
  machine.primary = want.primary;
  if (!Seed(want, machine, observed)) return;
  observed.seeded = true;
  if (const auto storage = storages.find(want.id); storage != storages.end()) {
    observed.storage = storage->second;
    if (observed.storage.state == nodes::StorageState::kHeld) return Hold(machine, observed);
  }
  machine.connects_as = is_standby ? want.token : "";
  observed.recruited = false;
  if (is_recruit) Recruit(machine, observed);
  if (want.checkpoint > observed.checkpoint) observed.checkpoint = want.checkpoint;
  if (MayNotStart(want, machine, observed)) return;
  if (machine.process && want.restarts > observed.restarts) {
    machine.process = false;
    machine.fit = false;
  }
  if (!machine.process) return Start(want, machine, observed);
  machine.was_seen = true;
  LookInside(want, machine, observed);
  observed.state = nodes::State::kRunning;
  observed.detail.clear();
  observed.settings_hash = nodes::HashOf(want.settings);
}

// As for a standing order to stop, but the keeper's own: there is no storage for a server.
void SimulatedHost::Hold(Machine& machine, nodes::Observed& observed) {
  machine.process = false;
  machine.fit = false;
  observed.state = nodes::State::kStopped;
  observed.pid = 0;
  observed.streaming_token.clear();
  observed.proven_token.clear();
}

// True when the data directory is whole. A standby is copied from a primary that runs.
bool SimulatedHost::Seed(const nodes::Desired& want, Machine& machine, nodes::Observed& observed) {
  if (machine.directory) return true;
  if (observed.seeded) {
    observed.state = nodes::State::kFailed;
    observed.detail = "the data directory is gone";
    return false;
  }
  const bool begun = observed.state == nodes::State::kPreparing;
  observed.state = nodes::State::kPreparing;
  if (!begun) return false;
  if (want.role == nodes::Role::kStandby && !state_.machines[want.primary].process) {
    observed.detail = "the primary does not run";
    return false;
  }
  if (!want.restore.source.empty() && !RestoreInto(want, machine, observed)) return false;
  machine.directory = true;
  observed.seeded = true;
  return false;
}

bool SimulatedHost::RestoreInto(const nodes::Desired& want, Machine& machine,
                                nodes::Observed& observed) {
  const auto backup = state_.shelf.backups.find(want.restore.backup);
  if (backup == state_.shelf.backups.end()) {
    state_.violations.insert("a backup went while it was to be restored");
    observed.state = nodes::State::kFailed;
    observed.detail = "there is no backup " + want.restore.backup;
    return false;
  }
  machine.verifier = backup->second.verifier;
  observed.restored = {.done = true, .stage = "done"};
  return true;
}

void SimulatedHost::Start(const nodes::Desired& want, Machine& machine, nodes::Observed& observed) {
  machine.process = true;
  machine.fit = false;
  machine.needs_proof = want.role == nodes::Role::kPrimary && !want.waits_for.empty();
  observed.state = nodes::State::kStarting;
  observed.streaming_token.clear();
  observed.proven_token.clear();
  observed.effective_token.clear();
  observed.connects_as = machine.connects_as;
  observed.pid = state_.next_pid++;
  ++observed.starts;
  observed.restarts = want.restarts;
  observed.revive = want.revive;
}

// As the keeper: reads what is in force, then brings into force what should be, then proves it.
void SimulatedHost::LookInside(const nodes::Desired& want, Machine& machine,
                               nodes::Observed& observed) {
  observed.in_recovery = machine.is_standby;
  observed.connects_as = machine.connects_as;
  if (machine.is_standby) return;
  observed.streaming_token = StreamingFrom(want.id, want.waits_for);
  if (observed.bootstrap_stamp != want.bootstrap.stamp) {
    machine.verifier = want.bootstrap.master_verifier;
    observed.bootstrap_stamp = want.bootstrap.stamp;
  }
  machine.waits_for = want.waits_for;
  observed.effective_token = machine.waits_for;
  if (want.waits_for.empty() || observed.proven_token != want.waits_for) {
    observed.proven_token.clear();
  }
  if (!want.waits_for.empty() && observed.streaming_token == want.waits_for) {
    observed.proven_token = want.waits_for;
  }
  if (want.waits_for.empty() || observed.proven_token == want.waits_for) {
    machine.needs_proof = false;
  }
  machine.fit = !machine.needs_proof;
  if (!want.archive) return;
  // Rarely news, so that it wakes nobody all the time.
  const WallTime until = std::chrono::floor<std::chrono::seconds>(now);
  state_.shelf.archived_until[want.instance] = observed.archived.until = until;
  state_.shelf.archives.try_emplace(want.instance);
}

std::string SimulatedHost::StreamingFrom(const NodeId& primary,
                                         const std::string& preferred) const {
  std::string streaming;
  for (const auto& [node, machine] : state_.machines) {
    if (!machine.process || !machine.is_standby || machine.primary != primary) continue;
    if (streaming.empty() || machine.connects_as == preferred) streaming = machine.connects_as;
  }
  return streaming;
}

nodes::RouteObserved SimulatedHost::Serve(const nodes::Route& route) {
  const std::string place = fmt::format("{}:{}", route.host_address, route.port);
  if (taken_addresses.contains(place)) return {.error = "address already in use"};
  if (!state_.listening.insert(place).second) {
    state_.violations.insert("two routes for " + place);
    return {.error = "address already in use"};
  }
  const auto primary = state_.machines.find(route.primary);
  const bool fit = primary != state_.machines.end() && primary->second.fit;
  return {.address = route.host_address,
          .port = route.port,
          .epoch = route.epoch,
          .open = route.open && fit};
}

void SimulatedHost::ServeRoutes() {
  state_.listening.clear();
  std::set<std::string> reported;
  for (const store::Document& document : Must(store_.List(nodes::kRoutesPrefix)).documents) {
    const nodes::Route route = Must(nodes::ParseRoute(document.value));
    const std::string key = nodes::RouteObservedKey(route.instance);
    Put(key, nodes::Format(Serve(route)));
    reported.insert(key);
  }
  for (const store::Document& document :
       Must(store_.List(nodes::kRoutesObservedPrefix)).documents) {
    if (reported.contains(document.key)) continue;
    Must(store_.Commit({.compares = {}, .puts = {}, .deletes = {document.key}}));
  }
}

}  // namespace howdah::fleet
