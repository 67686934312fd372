#include "fleet/records.h"

#include <array>
#include <utility>

#include "fleet/keys.h"
#include "fleet/workflows.h"

namespace howdah::fleet {

std::string Context::InstanceArn(std::string_view identifier) const {
  return "arn:aws:rds:" + region + ":" + account + ":db:" + std::string(identifier);
}

std::string Context::SubnetGroupArn(std::string_view name) const {
  return "arn:aws:rds:" + region + ":" + account + ":subgrp:" + std::string(name);
}

std::string Context::SnapshotArn(std::string_view identifier) const {
  return "arn:aws:rds:" + region + ":" + account + ":snapshot:" + std::string(identifier);
}

Result<Versioned<Instance>> LoadInstance(store::Store& store, const InstanceId& id) {
  TRY_ASSIGN(const store::Document document, store.Get(InstanceKey(id)));
  TRY_ASSIGN(Instance instance, ParseInstance(document.value));
  return Versioned<Instance>{.value = std::move(instance), .revision = document.revision};
}

Result<Versioned<Instance>> FindInstance(store::Store& store, std::string_view identifier) {
  TRY_ASSIGN(const store::Document name, store.Get(InstanceNameKey(identifier)));
  return LoadInstance(store, InstanceId(name.value));
}

Result<std::vector<InstanceName>> ListInstanceNames(store::Store& store) {
  TRY_ASSIGN(const store::Listing listing, store.List(kInstanceNamesPrefix));
  std::vector<InstanceName> names;
  for (const store::Document& document : listing.documents) {
    names.push_back({.identifier = document.key.substr(kInstanceNamesPrefix.size()),
                     .id = InstanceId(document.value)});
  }
  return names;
}

Result<std::vector<Instance>> ListInstances(store::Store& store) {
  TRY_ASSIGN(const store::Listing listing, store.List(kInstancesPrefix));
  std::vector<Instance> instances;
  for (const store::Document& document : listing.documents) {
    TRY_ASSIGN(Instance instance, ParseInstance(document.value));
    instances.push_back(std::move(instance));
  }
  return instances;
}

Result<std::vector<Versioned<Instance>>> ListVersionedInstances(store::Store& store) {
  TRY_ASSIGN(const store::Listing listing, store.List(kInstancesPrefix));
  std::vector<Versioned<Instance>> instances;
  for (const store::Document& document : listing.documents) {
    TRY_ASSIGN(Instance instance, ParseInstance(document.value));
    instances.push_back({.value = std::move(instance), .revision = document.revision});
  }
  return instances;
}

Result<Versioned<ha::Record>> LoadRecord(store::Store& store, const InstanceId& id) {
  TRY_ASSIGN(const store::Document document, store.Get(HaKey(id)));
  TRY_ASSIGN(ha::Record record, ha::ParseRecord(document.value));
  return Versioned<ha::Record>{.value = std::move(record), .revision = document.revision};
}

Result<nodes::Observed> LoadObserved(store::Store& store, const NodeId& node) {
  const Result<store::Document> document = store.Get(nodes::ObservedKey(node));
  if (!document && document.error().code() == Code::kNotFound) return nodes::Observed{};
  if (!document) return Fail(document.error());
  return nodes::ParseObserved(document->value);
}

Result<nodes::RouteObserved> LoadRouteObserved(store::Store& store, const InstanceId& id) {
  const Result<store::Document> document = store.Get(nodes::RouteObservedKey(id));
  if (!document && document.error().code() == Code::kNotFound) return nodes::RouteObserved{};
  if (!document) return Fail(document.error());
  return nodes::ParseRouteObserved(document->value);
}

void Save(store::Transaction& transaction, const Versioned<Instance>& instance) {
  const std::string key = InstanceKey(instance.value.id);
  transaction.compares.push_back({.key = key, .revision = instance.revision});
  transaction.puts.push_back({.key = key, .value = Format(instance.value), .lease = ""});
}

void Save(store::Transaction& transaction, const InstanceId& id,
          const Versioned<ha::Record>& record) {
  const std::string key = HaKey(id);
  transaction.compares.push_back({.key = key, .revision = record.revision});
  transaction.puts.push_back({.key = key, .value = ha::FormatRecord(record.value), .lease = ""});
}

Result<std::optional<workflow::Run>> ActiveRun(store::Store& store, const Instance& instance) {
  if (instance.run.empty()) return std::nullopt;
  const Result<store::Document> document = store.Get(workflow::RunKey(instance.run));
  if (!document && document.error().code() == Code::kNotFound) return std::nullopt;
  if (!document) return Fail(document.error());
  TRY_ASSIGN(workflow::Run run, workflow::ParseRun(document->value));
  const bool active =
      run.state == workflow::RunState::kRunning || run.state == workflow::RunState::kUndoing;
  if (!active) return std::nullopt;
  return run;
}

std::string StatusOf(const Instance& instance, const std::optional<workflow::Run>& active,
                     const nodes::Storage& storage) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kStatuses = {{
      {kCreateInstance, "creating"},
      {kDeleteInstance, "deleting"},
      {kModifyInstance, "modifying"},
      {kRebootInstance, "rebooting"},
      {kFailoverInstance, "rebooting"},
      {kStopInstance, "stopping"},
      {kStartInstance, "starting"},
      {kCreateSnapshot, "backing-up"},
  }};
  if (active) {
    for (const auto& [workflow, status] : kStatuses) {
      if (active->workflow == workflow) return JsonString(active->frame, "status", status);
    }
  }
  if (!instance.failure.empty()) {
    return instance.restore.source.empty() ? "failed" : "incompatible-restore";
  }
  if (instance.power == nodes::Power::kStopped) return "stopped";
  return storage.TakesNoWrites() ? "storage-full" : "available";
}

void Tell(const Context& context, store::Transaction& transaction, const Instance& instance,
          std::string message, std::string category) {
  AddEvent(transaction,
           {.source_type = "db-instance",
            .source_id = instance.identifier,
            .source_arn = context.InstanceArn(instance.identifier),
            .message = std::move(message),
            .categories = {std::move(category)},
            .date = context.clock.Now()},
           system::RandomHex(context.entropy, 8));
}

}  // namespace howdah::fleet
