// Derives each instance's route from the instance, its record and its security groups. Woken by any
// change of these, so a changed rule is in force at the gateway well within a second.
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <variant>

#include "fleet/changes.h"
#include "fleet/keys.h"
#include "fleet/node_plan.h"
#include "fleet/records.h"
#include "fleet/workflows.h"
#include "nodes/route.h"
#include "postgres/catalogue.h"
#include "vpc/admission.h"

namespace howdah::fleet {

namespace {

nodes::Allow ToAllow(const network::AdmissionRule& rule) {
  nodes::Allow allow{.from_port = rule.from_port, .to_port = rule.to_port};
  if (const auto* cidr = std::get_if<network::Cidr>(&rule.source)) allow.cidr = cidr->ToString();
  if (const auto* group = std::get_if<network::GroupId>(&rule.source)) allow.group = group->id;
  return allow;
}

nodes::Member ToMember(const network::Interface& interface) {
  return {.id = interface.id,
          .private_address = interface.private_address.ToString(),
          .host_address = interface.host_address.ToString(),
          .owner = static_cast<std::int64_t>(interface.owner),
          .groups = interface.groups};
}

Result<nodes::Route> DeriveRoute(const Context& context, const Instance& instance,
                                 const vpc::Admission& admission) {
  TRY_ASSIGN(const Versioned<ha::Record> record, LoadRecord(context.store, instance.id));
  TRY_ASSIGN(const postgres::EngineVersion version,
             postgres::EngineVersion::Parse(instance.version));
  nodes::Route route{.instance = instance.id,
                     .identifier = instance.identifier,
                     .host_address = instance.host_address,
                     .private_address = instance.private_address,
                     .port = instance.settings.port,
                     .primary = record.value.primary,
                     .epoch = record.value.epoch,
                     .open = true,
                     .force_tls = ForcesTls(version.major)};
  for (const network::AdmissionRule& rule : admission.rules) route.allow.push_back(ToAllow(rule));
  for (const network::Interface& interface : admission.interfaces) {
    route.members.push_back(ToMember(interface));
  }
  return route;
}

// Derives the route and writes it, if the instance is still what it was derived from: a route must
// not come back after its endpoint was closed.
Result<> Follow(const Context& context, const Versioned<Instance>& instance,
                const vpc::Admission& admission) {
  TRY_ASSIGN(const nodes::Route route, DeriveRoute(context, instance.value, admission));
  const std::string key = nodes::RouteKey(route.instance);
  const std::string text = nodes::Format(route);
  const Result<store::Document> stored = context.store.Get(key);
  if (!stored && stored.error().code() != Code::kNotFound) return Fail(stored.error());
  if (stored && stored->value == text) return {};
  TRY(context.store.Commit({.compares = {{key, stored ? stored->revision : 0},
                                         {InstanceKey(route.instance), instance.revision}},
                            .puts = {{key, text, ""}},
                            .deletes = {}}));
  return {};
}

using Groups = std::vector<std::string>;

// The instances that a look has to look at: those whose documents changed, those whose last look
// failed, and those whose groups admit others than before. What groups admit is resolved once for
// all instances that are in the same ones.
class Duty {
 public:
  explicit Duty(const Context& context)
      : context_(context), changes_(context.store, context.clock, kFullLook) {}

  Result<Duration> Pass() {
    TRY_ASSIGN(const News news, changes_.Take());
    std::set<InstanceId> look = std::exchange(again_, {});
    sources_.reset();
    bool vpc_changed = news.everything;
    for (const std::string& key : news.keys) {
      for (const std::string_view prefix : {kInstancesPrefix, kHaPrefix}) {
        if (key.starts_with(prefix)) look.insert(InstanceId(key.substr(prefix.size())));
      }
      vpc_changed = vpc_changed || key.starts_with(vpc::kAllKeys);
    }
    const Result<> added = AddMore(news, vpc_changed, look);
    for (const InstanceId& id : look) LookAt(id);
    TRY(added);
    return again_.empty() ? kIdle : kLookAgain;
  }

 private:
  static constexpr Duration kFullLook = 30s;
  static constexpr Duration kIdle = 10s;
  static constexpr Duration kLookAgain = 100ms;

  Result<> AddMore(const News& news, bool vpc_changed, std::set<InstanceId>& look) {
    vpc_changed_ = vpc_changed_ || vpc_changed;
    if (news.everything || everything_) {
      everything_ = true;  // until it has been done
      TRY(AddAll(look));
      everything_ = false;
    }
    if (!vpc_changed_) return {};
    TRY(AddThoseAdmittedOtherwise(look));
    vpc_changed_ = false;
    return {};
  }

  // Every instance, and every route, also one whose instance is gone.
  Result<> AddAll(std::set<InstanceId>& look) {
    TRY_ASSIGN(const std::vector<InstanceName> names, ListInstanceNames(context_.store));
    for (const InstanceName& name : names) look.insert(name.id);
    TRY_ASSIGN(const store::Listing routes, context_.store.List(nodes::kRoutesPrefix));
    for (const store::Document& document : routes.documents) {
      look.insert(InstanceId(document.key.substr(nodes::kRoutesPrefix.size())));
    }
    return {};
  }

  Result<vpc::Admission> Resolve(const Groups& groups) {
    if (!sources_) {
      TRY_ASSIGN(sources_, vpc::LoadAdmissionSources(context_.store));
    }
    std::vector<vpc::GroupId> ids;
    for (const std::string& id : groups) ids.emplace_back(id);
    return vpc::ResolveAdmission(*sources_, ids);
  }

  Result<> AddThoseAdmittedOtherwise(std::set<InstanceId>& look) {
    std::map<Groups, vpc::Admission> now;
    for (const auto& [id, groups] : groups_of_) {
      auto found = now.find(groups);
      if (found == now.end()) {
        TRY_ASSIGN(vpc::Admission admission, Resolve(groups));
        found = now.emplace(groups, std::move(admission)).first;
      }
      const auto before = admissions_.find(groups);
      if (before == admissions_.end() || before->second != found->second) look.insert(id);
    }
    admissions_ = std::move(now);
    return {};
  }

  // One that cannot be derived keeps its last route and stops no other.
  void LookAt(const InstanceId& id) {
    const Result<> done = FollowOrRemove(id);
    if (done) return;
    if (done.error().code() != Code::kConflict) {
      context_.log.Warning("route of {}: {}", id.str(), done.error().what());
    }
    again_.insert(id);
  }

  Result<> FollowOrRemove(const InstanceId& id) {
    const Result<Versioned<Instance>> instance = LoadInstance(context_.store, id);
    const bool gone = !instance && instance.error().code() == Code::kNotFound;
    if (!instance && !gone) return Fail(instance.error());
    if (gone || !instance->value.endpoint_open || instance->value.host_address.empty()) {
      groups_of_.erase(id);
      return Remove(id);
    }
    const Groups& groups = groups_of_[id] = instance->value.settings.security_groups;
    auto admission = admissions_.find(groups);
    if (admission == admissions_.end()) {
      TRY_ASSIGN(vpc::Admission resolved, Resolve(groups));
      admission = admissions_.emplace(groups, std::move(resolved)).first;
    }
    return Follow(context_, *instance, admission->second);
  }

  Result<> Remove(const InstanceId& id) {
    const Result<store::Document> route = context_.store.Get(nodes::RouteKey(id));
    if (!route && route.error().code() == Code::kNotFound) return {};
    if (!route) return Fail(route.error());
    TRY(context_.store.Commit(
        {.compares = {{route->key, route->revision}}, .puts = {}, .deletes = {route->key}}));
    return {};
  }

  const Context& context_;
  Changes changes_;
  std::optional<vpc::AdmissionSources> sources_;  // of this pass
  bool everything_ = false;
  bool vpc_changed_ = false;
  std::set<InstanceId> again_;
  std::map<InstanceId, Groups> groups_of_;       // of those that have a route
  std::map<Groups, vpc::Admission> admissions_;  // as of the last change of the VPCs
};

}  // namespace

workflow::Reconciler RouteReconciler(const Context& context) {
  auto duty = std::make_shared<Duty>(context);
  return {.name = "routes",
          .prefixes = {std::string(kInstancesPrefix), std::string(kHaPrefix),
                       std::string(vpc::kAllKeys)},
          .interval = 10s,
          .reconcile = [duty] { return duty->Pass(); }};
}

}  // namespace howdah::fleet
