// The standing duty of restore tests (proof.h): at most one throw-away node at a time. The node is
// a document like any other node's, so its agent restores it as it would for an instance; no
// endpoint, route or record of high availability belongs to it. What this has begun is in the
// proof's document before the node is, and the node goes before its name does: after a crash at any
// moment the next pass goes on, and nothing is left behind.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "fleet/backup_records.h"
#include "fleet/keys.h"
#include "fleet/node_plan.h"
#include "fleet/proof.h"
#include "fleet/workflows.h"

namespace howdah::fleet {

namespace {

constexpr Duration kLook = 1min;
constexpr Duration kLookSoon = 1s;
constexpr Duration kLookForRoom = 1h;
constexpr Duration kPatience = 1h;                 // beyond ten times what a restore should take
constexpr std::string_view kBuffers = "131072kB";  // whatever the class: it serves nobody

class Duty {
 public:
  explicit Duty(const Context& context) : context_(context) {}

  Result<Duration> Pass() {
    TRY_ASSIGN(const auto proofs, ListProofs(context_.store));
    TRY_ASSIGN(const auto instances, ListVersionedInstances(context_.store));
    std::map<InstanceId, const Versioned<Instance>*> instance_of;
    for (const auto& instance : instances) instance_of[instance.value.id] = &instance;
    bool is_busy = false;
    for (const Versioned<Proof>& proof : proofs) {
      const auto found = instance_of.find(proof.value.instance);
      const Instance* instance = found == instance_of.end() ? nullptr : &found->second->value;
      is_busy = is_busy || !proof.value.node.empty();
      Judge(proof.value, Follow(proof, instance));
    }
    if (is_busy) return kLookSoon;
    TRY_ASSIGN(const auto candidates, Candidates(instances));
    const auto next = NextProof(candidates, context_.restore_tests, context_.clock.Now());
    if (!next) return kLook;
    TRY_ASSIGN(const Versioned<Proof> proof, LoadProof(context_.store, *next));
    const Result<> begun = Begin(proof, *instance_of.at(*next));
    Judge(proof.value, begun);
    return begun ? kLookSoon : Duration(10s);
  }

 private:
  void Judge(const Proof& proof, const Result<>& done) const {
    if (done || done.error().code() == Code::kConflict) return;
    context_.log.Warning("restore test of {}: {}", proof.instance.str(), done.error().what());
  }

  Result<std::vector<ProofCandidate>> Candidates(const std::vector<Versioned<Instance>>& all) {
    TRY_ASSIGN(const auto snapshots, ListDbSnapshots(context_.store));
    std::vector<ProofCandidate> candidates;
    for (const auto& [instance, revision] : all) {
      TRY_ASSIGN(const auto active, ActiveRun(context_.store, instance));
      TRY_ASSIGN(const Versioned<Proof> proof, LoadProof(context_.store, instance.id));
      const auto wait = not_before_.find(instance.id);
      const bool waits = wait != not_before_.end() && context_.clock.Now() < wait->second;
      if (waits && proof.value.asked == WallTime{}) continue;
      const bool has_backup = std::ranges::any_of(snapshots, [&](const auto& it) {
        return it.value.instance == instance.id && it.value.automated && it.value.IsAvailable();
      });
      candidates.push_back({.instance = instance.id,
                            .has_backup = has_backup,
                            .is_at_rest = !active && instance.created != WallTime{} &&
                                          instance.power == nodes::Power::kRunning,
                            .created = instance.created,
                            .asked = proof.value.asked,
                            .last = proof.value.last.finished,
                            .failed = !proof.value.last.failure.empty()});
    }
    return candidates;
  }

  Result<> Commit(store::Transaction& transaction, const Versioned<Proof>& proof) {
    const std::string key = ProofKey(proof.value.instance);
    transaction.compares.push_back({key, proof.revision});
    transaction.puts.push_back({key, Format(proof.value), ""});
    TRY(context_.store.Commit(transaction));
    return {};
  }

  Result<> Begin(Versioned<Proof> proof, const Versioned<Instance>& instance) {
    const Instance& it = instance.value;
    const nodes::Restore latest{.source = it.id, .target = nodes::Restore::Target::kLatest};
    const WallTime now = context_.clock.Now();
    const Result<PlannedRestore> plan = context_.shelf->Plan(latest);
    store::Transaction transaction;
    transaction.compares.push_back({InstanceKey(it.id), instance.revision});
    Proof& state = proof.value;
    state.now = {.begun = now};
    if (!plan) {
      // A repository that is away is no damage: archive and doctor speak of that.
      if (plan.error().code() == Code::kUnavailable) return Fail(plan.error());
      End(transaction, proof, it, "no restore can be planned: " + plan.error().what());
      return Commit(transaction, proof);
    }
    const auto free = context_.free_bytes ? context_.free_bytes(it.zone) : std::nullopt;
    const std::uint64_t copy = plan->size_bytes + plan->wal_bytes;
    if (free && !HasRoomForProof(*free, copy)) return Wait(transaction, proof, it, *free, copy);
    state.node = NodeId("n-" + system::RandomHex(context_.entropy, 10));
    state.leaving = false;
    state.now.backup = plan->backup;
    state.now.until = plan->until;
    state.now.size_bytes = plan->size_bytes;
    state.give_up = now + kPatience + plan->estimate * 10;
    state.asked = {};
    state.waits.clear();
    TRY(UseBackup(context_.store, transaction, plan->backup, UserOf(state)));
    TRY_ASSIGN(const nodes::Desired desired, CopyOf(it, state.node, latest));
    transaction.puts.push_back({nodes::DesiredKey(state.node), nodes::Format(desired), ""});
    context_.log.Info("restore test of {}: backup {} into node {}", it.identifier, plan->backup,
                      state.node.str());
    return Commit(transaction, proof);
  }

  // Told once; what was asked for is answered with it.
  Result<> Wait(store::Transaction& transaction, Versioned<Proof>& proof, const Instance& instance,
                std::uint64_t free, std::uint64_t copy) {
    Proof& state = proof.value;
    const bool is_news = state.waits.empty();
    not_before_[instance.id] = context_.clock.Now() + kLookForRoom;
    if (!is_news && state.asked == WallTime{}) return {};
    state.waits = fmt::format(
        "there is no room for a second copy of {} MiB where zone {} keeps its volumes: {} MiB are "
        "free",
        copy >> 20, instance.zone, free >> 20);
    state.asked = {};
    if (is_news) {
      Tell(context_, transaction, instance,
           "The restore test of the automated backups waits: " + state.waits, "notification");
    }
    return Commit(transaction, proof);
  }

  Result<nodes::Desired> CopyOf(const Instance& instance, const NodeId& node,
                                const nodes::Restore& restore) {
    TRY_ASSIGN(const postgres::Settings settings, NodeSettings(instance));
    nodes::Desired desired;
    desired.id = node;
    desired.instance = instance.id;
    desired.version = instance.version;
    desired.zone = instance.zone;
    desired.power = nodes::Power::kRunning;
    desired.storage_gib = instance.settings.storage_gib;
    desired.settings = {settings.begin(), settings.end()};
    desired.settings["shared_buffers"] = kBuffers;
    desired.restore = restore;
    desired.proof = true;
    desired.sealed_password = instance.sealed_password;
    return desired;
  }

  static std::string UserOf(const Proof& proof) { return "restore:" + proof.node.str(); }

  // What is under way, or left of it. `instance`: null where it is deleted.
  Result<> Follow(Versioned<Proof> proof, const Instance* instance) {
    if (proof.value.node.empty()) return instance == nullptr ? Forget(proof) : Result<>();
    TRY_ASSIGN(const nodes::Observed observed, LoadObserved(context_.store, proof.value.node));
    if (proof.value.leaving) return TakeAway(proof, observed);
    if (instance == nullptr) return Leave(proof, {});
    store::Transaction transaction;
    Proof& state = proof.value;
    if (observed.proven.done) {
      state.now.databases = observed.proven.databases;
      state.now.tables = observed.proven.tables;
      state.now.indexes = observed.proven.indexes;
      state.now.pages = observed.proven.pages;
      End(transaction, proof, *instance, observed.proven.failure);
    } else if (observed.state == nodes::State::kFailed) {
      End(transaction, proof, *instance, observed.detail);
    } else if (context_.clock.Now() > state.give_up) {
      End(transaction, proof, *instance,
          "it does not get on" + (observed.detail.empty() ? "" : ": " + observed.detail));
    } else {
      return {};
    }
    return Leave(proof, std::move(transaction));
  }

  // Records what came of it, with its event.
  void End(store::Transaction& transaction, Versioned<Proof>& proof, const Instance& instance,
           const std::string& failure) {
    Proof& state = proof.value;
    state.now.failure = failure;
    state.now.finished = context_.clock.Now();
    state.last = std::exchange(state.now, {});
    if (state.asked <= state.last.begun) state.asked = {};  // one asked for since is still to come
    state.waits.clear();
    if (failure.empty()) {
      Tell(context_, transaction, instance,
           fmt::format("The automated backups of the DB instance were restored for a test, up to "
                       "{}: all is well.",
                       FormatIso8601(state.last.until)),
           "backup");
      return;
    }
    context_.log.Error("restore test of {}: {}", instance.identifier, failure);
    Tell(context_, transaction, instance,
         "The restore test of the automated backups has failed: " + failure, "failure");
  }

  // The node is told to go; the backup is needed no longer.
  Result<> Leave(Versioned<Proof>& proof, store::Transaction transaction) {
    Proof& state = proof.value;
    const std::string key = nodes::DesiredKey(state.node);
    TRY_ASSIGN(const store::Document document, context_.store.Get(key));
    TRY_ASSIGN(nodes::Desired desired, nodes::ParseDesired(document.value));
    desired.power = nodes::Power::kAbsent;
    transaction.puts.push_back({key, nodes::Format(desired), ""});
    TRY(ReleaseBackup(context_.store, transaction,
                      state.now.backup.empty() ? state.last.backup : state.now.backup,
                      UserOf(state)));
    state.leaving = true;
    return Commit(transaction, proof);
  }

  Result<> TakeAway(Versioned<Proof>& proof, const nodes::Observed& observed) {
    if (observed.state != nodes::State::kAbsent) return {};
    store::Transaction transaction;
    transaction.deletes.push_back(nodes::DesiredKey(proof.value.node));
    transaction.deletes.push_back(nodes::ObservedKey(proof.value.node));
    proof.value.node = NodeId();
    proof.value.leaving = false;
    return Commit(transaction, proof);
  }

  Result<> Forget(const Versioned<Proof>& proof) {
    const std::string key = ProofKey(proof.value.instance);
    TRY(context_.store.Commit({.compares = {{key, proof.revision}}, .puts = {}, .deletes = {key}}));
    return {};
  }

  const Context& context_;
  std::map<InstanceId, WallTime> not_before_;  // where there was no room
};

}  // namespace

workflow::Reconciler ProofReconciler(const Context& context) {
  auto duty = std::make_shared<Duty>(context);
  return {.name = "restore-tests",
          .prefixes = {std::string(kInstancesPrefix), std::string(kProofsPrefix)},
          .interval = kLook,
          .reconcile = [duty] { return duty->Pass(); }};
}

}  // namespace howdah::fleet
