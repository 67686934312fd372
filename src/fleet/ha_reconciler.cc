// Watches over every instance's nodes: lets ha::Step decide on what the agents report, commits the
// record, and writes what the nodes should be. The only writer of desired documents. The record is
// committed before a node is told anything (H5): what nodes should be is derived from what is
// stored.
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "fleet/changes.h"
#include "fleet/keys.h"
#include "fleet/node_plan.h"
#include "fleet/records.h"
#include "fleet/workflows.h"
#include "ha/step.h"

namespace howdah::fleet {

namespace {

// Since when the primary has had no stream of the recorded standby. In memory: after a restart of
// the control plane the budget begins anew, which only delays a degrade.
using Silences = std::map<InstanceId, MonotonicTime>;

struct Reports {
  nodes::Observed primary;
  nodes::Observed standby;
};

bool IsUp(const nodes::Observed& observed) {
  return observed.state == nodes::State::kRunning;
}

ha::Sight Look(const Context& context, const ha::Record& record, const Reports& reports,
               Silences& silences, const InstanceId& id) {
  ha::Sight sight;
  sight.now = context.clock.Monotonic();
  sight.primary_up = IsUp(reports.primary) && !reports.primary.in_recovery;
  sight.effective_token = reports.primary.effective_token;
  sight.standby_seeded = reports.standby.seeded;
  sight.standby_up = IsUp(reports.standby) && reports.standby.in_recovery;
  sight.streaming_token = reports.primary.streaming_token;
  sight.probe_confirmed = !record.token.empty() && reports.primary.proven_token == record.token;
  sight.fresh_nonce = system::RandomHex(context.entropy, 16);
  if (sight.primary_up && sight.streaming_token != record.token) {
    const MonotonicTime since = sight.now - std::chrono::milliseconds(reports.primary.silent_ms);
    sight.silent_since = silences.try_emplace(id, since).first->second;
  } else {
    silences.erase(id);
  }
  return sight;
}

void TellPhase(const Context& context, store::Transaction& transaction, const Instance& instance,
               ha::Phase before, ha::Phase after) {
  if (after == ha::Phase::kDegraded) {
    Tell(context, transaction, instance,
         "The standby is lost. The DB instance goes on alone and cannot fail over until the "
         "standby is back",
         "availability");
  } else if (after == ha::Phase::kProtected && before != after) {
    Tell(context, transaction, instance, "The standby holds every acknowledged commit",
         "availability");
  }
}

// Writes what the plan says where it differs from what is stored, if what it was made from is still
// true: else a node could be asked for again whose removal has just been completed.
Result<> WritePlan(const Context& context, const std::vector<nodes::Desired>& plan,
                   const std::vector<store::Compare>& basis) {
  for (const nodes::Desired& desired : plan) {
    const std::string key = nodes::DesiredKey(desired.id);
    const std::string text = nodes::Format(desired);
    const Result<store::Document> stored = context.store.Get(key);
    if (!stored && stored.error().code() != Code::kNotFound) return Fail(stored.error());
    if (stored && stored->value == text) continue;
    // Nothing to remove where nothing was ever made.
    if (!stored && desired.power == nodes::Power::kAbsent) continue;
    store::Transaction transaction{.compares = basis, .puts = {{key, text, ""}}, .deletes = {}};
    transaction.compares.push_back({key, stored ? stored->revision : 0});
    TRY(context.store.Commit(transaction));
  }
  return {};
}

Result<> Watch(const Context& context, const Versioned<Instance>& versioned, Silences& silences) {
  const Instance& instance = versioned.value;
  Result<Versioned<ha::Record>> record = LoadRecord(context.store, instance.id);
  if (!record && record.error().code() == Code::kNotFound) {  // not begun, or gone
    silences.erase(instance.id);
    return {};
  }
  if (!record) return Fail(record.error());
  Reports reports;
  TRY_ASSIGN(reports.primary, LoadObserved(context.store, record->value.primary));
  if (!record->value.standby.empty()) {
    TRY_ASSIGN(reports.standby, LoadObserved(context.store, record->value.standby));
  }
  const bool has_standby = !record->value.standby.empty();
  if (instance.power != nodes::Power::kRunning || !has_standby) silences.erase(instance.id);
  if (instance.power == nodes::Power::kRunning && has_standby) {
    const ha::Record before = record->value;
    record->value = ha::Step(before, Look(context, before, reports, silences, instance.id));
    if (record->value != before) {
      store::Transaction transaction;
      Save(transaction, instance.id, *record);
      TellPhase(context, transaction, instance, before.phase, record->value.phase);
      TRY_ASSIGN(record->revision, context.store.Commit(transaction));
      context.log.Info("{}: {} -> {}", instance.identifier, ha::PhaseName(before.phase),
                       ha::PhaseName(record->value.phase));
    }
  }
  const bool primary_stopped = reports.primary.state == nodes::State::kStopped;
  TRY_ASSIGN(std::vector<nodes::Desired> plan, PlanNodes(instance, record->value, primary_stopped));
  // What the primary would write, a full standby could not hold.
  plan.front().read_only = reports.standby.seeded && reports.standby.storage.TakesNoWrites();
  // H5: a standby that is given up stays as it is until the primary has let go of it.
  const bool still_waits = IsUp(reports.primary) && !reports.primary.effective_token.empty();
  if (instance.power == nodes::Power::kRunning && !has_standby && still_waits) plan.resize(1);
  return WritePlan(
      context, plan,
      {{InstanceKey(instance.id), versioned.revision}, {HaKey(instance.id), record->revision}});
}

// The instances that a look has to look at: those whose documents or nodes changed, those whose
// last look failed, and those whose standby is silent, because for them time itself is news.
class Duty {
 public:
  explicit Duty(const Context& context)
      : context_(context), changes_(context.store, context.clock, kFullLook) {}

  Result<Duration> Pass() {
    TRY_ASSIGN(const News news, changes_.Take());
    std::set<InstanceId> look = std::exchange(again_, {});
    for (const auto& [id, since] : silences_) look.insert(id);
    if (news.everything) TRY(AddAll(look));
    for (const std::string& key : news.keys) AddOwner(key, look);
    for (const InstanceId& id : look) LookAt(id);
    if (!again_.empty()) return kLookAgain;
    return silences_.empty() ? kIdle : kWhileSilent;
  }

 private:
  static constexpr Duration kFullLook = 30s;
  static constexpr Duration kIdle = 10s;
  static constexpr Duration kWhileSilent = 200ms;
  static constexpr Duration kLookAgain = 100ms;

  Result<> AddAll(std::set<InstanceId>& look) {
    TRY_ASSIGN(const std::vector<InstanceName> names, ListInstanceNames(context_.store));
    for (const InstanceName& name : names) look.insert(name.id);
    owners_.clear();
    return {};
  }

  void AddOwner(std::string_view key, std::set<InstanceId>& look) {
    for (const std::string_view prefix : {kInstancesPrefix, kHaPrefix}) {
      if (key.starts_with(prefix)) look.insert(InstanceId(std::string(key.substr(prefix.size()))));
    }
    if (!key.starts_with(nodes::kNodesPrefix)) return;
    key.remove_prefix(nodes::kNodesPrefix.size());
    const NodeId node(std::string(key.substr(0, key.find('/'))));
    auto owner = owners_.find(node);
    if (owner == owners_.end()) {
      const Result<store::Document> desired = context_.store.Get(nodes::DesiredKey(node));
      if (!desired) return;  // of nobody: its instance says what becomes of it
      const Result<nodes::Desired> parsed = nodes::ParseDesired(desired->value);
      if (!parsed) return;
      owner = owners_.emplace(node, parsed->instance).first;
    }
    look.insert(owner->second);
  }

  // A lost compare is looked at again by the next pass; it never stops the others.
  void LookAt(const InstanceId& id) {
    const Result<Versioned<Instance>> instance = LoadInstance(context_.store, id);
    if (!instance && instance.error().code() == Code::kNotFound) {
      silences_.erase(id);
      return;
    }
    const Result<> done =
        instance ? Watch(context_, *instance, silences_) : Result<>(Fail(instance.error()));
    if (done) return;
    if (done.error().code() != Code::kConflict) {
      context_.log.Warning("{}: {}", instance ? instance->value.identifier : id.str(),
                           done.error().what());
    }
    again_.insert(id);
  }

  const Context& context_;
  Changes changes_;
  Silences silences_;
  std::set<InstanceId> again_;
  std::map<NodeId, InstanceId> owners_;
};

}  // namespace

workflow::Reconciler HaReconciler(const Context& context) {
  auto duty = std::make_shared<Duty>(context);
  return {.name = "nodes",
          .prefixes = {std::string(kInstancesPrefix), std::string(kHaPrefix),
                       std::string(nodes::kNodesPrefix)},
          .interval = 2s,
          .reconcile = [duty] { return duty->Pass(); }};
}

}  // namespace howdah::fleet
