// Derives each instance's route from the instance, its record and its security groups. Woken by any
// change of these, so a changed rule is in force at the gateway well within a second.
#include <set>
#include <variant>

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

Result<nodes::Route> DeriveRoute(const Context& context, const Instance& instance) {
  TRY_ASSIGN(const Versioned<ha::Record> record, LoadRecord(context.store, instance.id));
  TRY_ASSIGN(const postgres::EngineVersion version,
             postgres::EngineVersion::Parse(instance.version));
  std::vector<vpc::GroupId> groups;
  for (const std::string& id : instance.settings.security_groups) groups.emplace_back(id);
  TRY_ASSIGN(const vpc::Admission admission, vpc::ResolveAdmission(context.store, groups));
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
Result<> Follow(const Context& context, const Versioned<Instance>& instance) {
  TRY_ASSIGN(const nodes::Route route, DeriveRoute(context, instance.value));
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

Result<> RemoveOthers(const Context& context, const std::set<std::string>& kept) {
  TRY_ASSIGN(const store::Listing listing, context.store.List(nodes::kRoutesPrefix));
  for (const store::Document& document : listing.documents) {
    if (kept.contains(document.key)) continue;
    TRY(context.store.Commit(
        {.compares = {{document.key, document.revision}}, .puts = {}, .deletes = {document.key}}));
  }
  return {};
}

}  // namespace

workflow::Reconciler RouteReconciler(const Context& context) {
  return {.name = "routes",
          .prefixes = {std::string(kInstancesPrefix), std::string(kHaPrefix),
                       std::string(vpc::kAllKeys)},
          .interval = 10s,
          .reconcile = [&context]() -> Result<Duration> {
            TRY_ASSIGN(const std::vector<Versioned<Instance>> instances,
                       ListVersionedInstances(context.store));
            std::set<std::string> kept;
            Duration again = 10s;
            for (const Versioned<Instance>& instance : instances) {
              const Instance& it = instance.value;
              if (!it.endpoint_open || it.host_address.empty()) continue;
              kept.insert(nodes::RouteKey(it.id));
              // One that cannot be derived keeps its last route and stops no other.
              if (Result<> done = Follow(context, instance); !done) {
                if (done.error().code() != Code::kConflict) {
                  context.log.Warning("route of {}: {}", it.identifier, done.error().what());
                }
                again = 100ms;
              }
            }
            TRY(RemoveOthers(context, kept));
            return again;
          }};
}

}  // namespace howdah::fleet
