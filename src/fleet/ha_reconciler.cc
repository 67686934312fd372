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
#include "fleet/ha_sight.h"
#include "fleet/journal.h"
#include "fleet/keys.h"
#include "fleet/node_plan.h"
#include "fleet/records.h"
#include "fleet/steps.h"
#include "fleet/workflows.h"
#include "ha/step.h"

namespace howdah::fleet {

namespace {

bool IsUp(const nodes::Observed& observed) {
  return observed.state == nodes::State::kRunning;
}

// RDS's sentences where it has one.
void TellChange(const Context& context, store::Transaction& transaction, const Instance& instance,
                const ha::Record& before, const ha::Record& after) {
  const auto tell = [&](std::string message, std::string category) {
    Tell(context, transaction, instance, std::move(message), std::move(category));
  };
  const bool turned_back = after.cause == ha::Cause::kTurnedBack && after.epoch != before.epoch;
  if (turned_back) {
    tell(
        "The failover did not complete: the standby could not take over. Nothing was promoted "
        "and nothing is lost",
        "failover");
  } else if (after.phase == ha::Phase::kFailover) {
    tell("Multi-AZ instance failover started.", "failover");
  } else if (after.phase == ha::Phase::kRejoin) {
    tell("Multi-AZ instance failover completed", "failover");
  } else if (after.phase == ha::Phase::kDegraded && before.phase != ha::Phase::kHalted) {
    tell(
        "The standby is lost. The DB instance goes on alone and cannot fail over until the "
        "standby is back",
        "availability");
  } else if (after.phase == ha::Phase::kHalted) {
    tell(
        "The primary cannot be started, and the standby lacks commits that were acknowledged "
        "without it. See 'howdah why'",
        "failure");
  } else if (after.phase == ha::Phase::kProtected && before.phase == ha::Phase::kCatchup) {
    tell("The standby holds every acknowledged commit", "availability");
  } else if (after.phase == ha::Phase::kProtected && before.phase == ha::Phase::kSwitch) {
    tell("The failover was given up: the standby does not answer", "failover");
  } else if (after.revive > before.revive) {
    tell("The database process ended and is started again without a failover", "availability");
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

Result<Reports> LoadReports(const Context& context, const Instance& instance,
                            const ha::Record& record) {
  Reports reports;
  TRY_ASSIGN(reports.primary, LoadObserved(context.store, record.primary));
  if (!record.standby.empty()) {
    TRY_ASSIGN(reports.standby, LoadObserved(context.store, record.standby));
  }
  TRY_ASSIGN(nodes::RouteObserved route, LoadRouteObserved(context.store, instance.id));
  if (!route.address.empty()) reports.route = std::move(route);
  return reports;
}

// Decides, and commits what was decided with its event and its place in the journal.
Result<> Decide(const Context& context, const Versioned<Instance>& versioned,
                Versioned<ha::Record>& record, const Reports& reports, Sights& sights) {
  const Instance& instance = versioned.value;
  const ha::Record before = record.value;
  ha::Decision decision =
      ha::Step(context.ha, before, sights.Look(context, instance.id, before, reports));
  if (decision.record == before) return {};
  record.value = std::move(decision.record);
  store::Transaction transaction;
  // It still runs: roles do not change under a stop that has begun.
  transaction.compares.push_back({InstanceKey(instance.id), versioned.revision});
  Save(transaction, instance.id, record);
  TellChange(context, transaction, instance, before, record.value);
  TRY(Journal(context, transaction, instance.id, before, record.value, decision.reason,
              reports.standby));
  TRY_ASSIGN(record.revision, context.store.Commit(transaction));
  context.log.Info("{}: {} -> {}, epoch {}: {}", instance.identifier, ha::PhaseName(before.phase),
                   ha::PhaseName(record.value.phase), record.value.epoch, decision.reason);
  return {};
}

Result<> Watch(const Context& context, const Versioned<Instance>& versioned, Sights& sights) {
  const Instance& instance = versioned.value;
  Result<Versioned<ha::Record>> record = LoadRecord(context.store, instance.id);
  if (!record && record.error().code() == Code::kNotFound) {  // not begun, or gone
    sights.Forget(instance.id);
    return {};
  }
  if (!record) return Fail(record.error());
  TRY_ASSIGN(Reports reports, LoadReports(context, instance, record->value));
  const bool has_standby = !record->value.standby.empty();
  if (instance.power == nodes::Power::kRunning && has_standby) {
    const NodeId primary = record->value.primary;
    TRY(Decide(context, versioned, *record, reports, sights));
    if (record->value.primary != primary) std::swap(reports.primary, reports.standby);
  } else {
    sights.Forget(instance.id);
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
// last look failed, and those for which time itself is news: a standby is silent, a primary does
// not answer.
class Duty {
 public:
  explicit Duty(const Context& context)
      : context_(context), changes_(context.store, context.clock, kFullLook) {}

  Result<Duration> Pass() {
    TRY_ASSIGN(const News news, changes_.Take());
    std::set<InstanceId> look = std::exchange(again_, {});
    for (const InstanceId& id : sights_.Waiting()) look.insert(id);
    if (news.everything) TRY(AddAll(look));
    for (const std::string& key : news.keys) AddOwner(key, look);
    for (const InstanceId& id : look) LookAt(id);
    if (!again_.empty()) return kLookAgain;
    return sights_.Waiting().empty() ? kIdle : kWhileTimeIsNews;
  }

 private:
  static constexpr Duration kFullLook = 30s;
  static constexpr Duration kIdle = 10s;
  static constexpr Duration kWhileTimeIsNews = 100ms;
  static constexpr Duration kLookAgain = 100ms;

  Result<> AddAll(std::set<InstanceId>& look) {
    TRY_ASSIGN(const std::vector<InstanceName> names, ListInstanceNames(context_.store));
    for (const InstanceName& name : names) look.insert(name.id);
    owners_.clear();
    return {};
  }

  void AddOwner(std::string_view key, std::set<InstanceId>& look) {
    for (const std::string_view prefix :
         {kInstancesPrefix, kHaPrefix, nodes::kRoutesObservedPrefix}) {
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
      sights_.Forget(id);
      return;
    }
    const Result<> done =
        instance ? Watch(context_, *instance, sights_) : Result<>(Fail(instance.error()));
    if (done) return;
    if (done.error().code() != Code::kConflict) {
      context_.log.Warning("{}: {}", instance ? instance->value.identifier : id.str(),
                           done.error().what());
    }
    again_.insert(id);
  }

  const Context& context_;
  Changes changes_;
  Sights sights_;
  std::set<InstanceId> again_;
  std::map<NodeId, InstanceId> owners_;
};

}  // namespace

workflow::Reconciler HaReconciler(const Context& context) {
  auto duty = std::make_shared<Duty>(context);
  return {.name = "nodes",
          .prefixes = {std::string(kInstancesPrefix), std::string(kHaPrefix),
                       std::string(nodes::kNodesPrefix), std::string(nodes::kRoutesObservedPrefix)},
          .interval = 2s,
          .reconcile = [duty] { return duty->Pass(); }};
}

}  // namespace howdah::fleet
