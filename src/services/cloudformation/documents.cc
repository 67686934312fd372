// The tables by which documents become JSON and come back, and the keys.
#include "services/cloudformation/documents.h"

#include <fmt/format.h>

#include <algorithm>

#include "services/cloudformation/codec.h"

namespace howdah::cfn {

namespace codec {

std::string_view PolicyName(DeletionPolicy policy) {
  switch (policy) {
    case DeletionPolicy::kDelete:
      return "Delete";
    case DeletionPolicy::kRetain:
      return "Retain";
    case DeletionPolicy::kRetainExceptOnCreate:
      return "RetainExceptOnCreate";
    case DeletionPolicy::kSnapshot:
      return "Snapshot";
  }
  return "Delete";
}

DeletionPolicy PolicyOf(std::string_view name) {
  if (name == "Retain") return DeletionPolicy::kRetain;
  if (name == "RetainExceptOnCreate") return DeletionPolicy::kRetainExceptOnCreate;
  if (name == "Snapshot") return DeletionPolicy::kSnapshot;
  return DeletionPolicy::kDelete;
}

template <>
inline constexpr auto kFields<ResourceRecord> = std::tuple{
    At("logical_id", &ResourceRecord::logical_id),
    At("type", &ResourceRecord::type),
    At("status", &ResourceRecord::status),
    At("reason", &ResourceRecord::reason),
    At("physical_id", &ResourceRecord::physical_id),
    At("physical_name", &ResourceRecord::physical_name),
    At("token", &ResourceRecord::token),
    At("initiated", &ResourceRecord::initiated),
    At("configured", &ResourceRecord::configured),
    At("attempts", &ResourceRecord::attempts),
    At("depends_on", &ResourceRecord::depends_on),
    At("policy", &ResourceRecord::policy),
    At("goal", &ResourceRecord::goal),
    At("changed", &ResourceRecord::changed),
    At("before", &ResourceRecord::before),
    At("after", &ResourceRecord::after),
    At("drift", &ResourceRecord::drift),
    At("drift_checked", &ResourceRecord::drift_checked),
    At("updated", &ResourceRecord::updated),
};

template <>
inline constexpr auto kFields<StackOutput> = std::tuple{
    At("key", &StackOutput::key),
    At("value", &StackOutput::value),
    At("description", &StackOutput::description),
    At("export_name", &StackOutput::export_name),
};

template <>
inline constexpr auto kFields<Stack> = std::tuple{
    At("id", &Stack::id),
    At("arn", &Stack::arn),
    At("name", &Stack::name),
    At("account_id", &Stack::account_id),
    At("region", &Stack::region),
    At("description", &Stack::description),
    At("status", &Stack::status),
    At("reason", &Stack::reason),
    At("source", &Stack::source),
    At("next_source", &Stack::next_source),
    At("tags", &Stack::tags),
    At("next_tags", &Stack::next_tags),
    At("capabilities", &Stack::capabilities),
    At("on_failure", &Stack::on_failure),
    At("retain_except_on_create", &Stack::retain_except_on_create),
    At("termination_protection", &Stack::termination_protection),
    At("timeout_minutes", &Stack::timeout_minutes),
    At("change_set", &Stack::change_set),
    At("client_token", &Stack::client_token),
    At("operation", &Stack::operation),
    At("created", &Stack::created),
    At("begun", &Stack::begun),
    At("updated", &Stack::updated),
    At("deleted", &Stack::deleted),
    At("drift", &Stack::drift),
    At("drift_checked", &Stack::drift_checked),
    At("resources", &Stack::resources),
    At("retired", &Stack::retired),
    At("outputs", &Stack::outputs),
    At("imports", &Stack::imports),
    At("event_count", &Stack::event_count),
};

template <>
inline constexpr auto kFields<ChangeSet> = std::tuple{
    At("id", &ChangeSet::id),
    At("arn", &ChangeSet::arn),
    At("name", &ChangeSet::name),
    At("stack_id", &ChangeSet::stack_id),
    At("stack_arn", &ChangeSet::stack_arn),
    At("stack_name", &ChangeSet::stack_name),
    At("type", &ChangeSet::type),
    At("description", &ChangeSet::description),
    At("status", &ChangeSet::status),
    At("reason", &ChangeSet::reason),
    At("source", &ChangeSet::source),
    At("tags", &ChangeSet::tags),
    At("capabilities", &ChangeSet::capabilities),
    At("on_failure", &ChangeSet::on_failure),
    At("executed", &ChangeSet::executed),
    At("created", &ChangeSet::created),
};

template <>
inline constexpr auto kFields<Event> = std::tuple{
    At("id", &Event::id),
    At("logical_id", &Event::logical_id),
    At("physical_id", &Event::physical_id),
    At("type", &Event::type),
    At("status", &Event::status),
    At("reason", &Event::reason),
    At("client_token", &Event::client_token),
    At("time", &Event::time),
};

template <>
inline constexpr auto kFields<Export> = std::tuple{
    At("name", &Export::name),
    At("value", &Export::value),
    At("stack_id", &Export::stack_id),
    At("stack_arn", &Export::stack_arn),
    At("stack_name", &Export::stack_name),
    At("importers", &Export::importers),
};

template <>
inline constexpr auto kFields<StackSource> = std::tuple{
    At("body", &StackSource::body),
    At("parameters", &StackSource::parameters),
};

template <>
inline constexpr auto kFields<DriftDetection> = std::tuple{
    At("id", &DriftDetection::id),
    At("stack_id", &DriftDetection::stack_id),
    At("stack_arn", &DriftDetection::stack_arn),
    At("status", &DriftDetection::status),
    At("drifted", &DriftDetection::drifted),
    At("failure", &DriftDetection::failure),
    At("time", &DriftDetection::time),
};

}  // namespace codec

std::string StackKey(std::string_view id) {
  return std::string(kStacks) + std::string(id);
}
std::string NameKey(std::string_view name) {
  return "/cloudformation/names/" + std::string(name);
}
std::string EventPrefix(std::string_view stack_id) {
  return fmt::format("/cloudformation/events/{}/", stack_id);
}
std::string ChangeSetKey(std::string_view id) {
  return std::string(kChangeSets) + std::string(id);
}
std::string ExportKey(std::string_view name) {
  return std::string(kExports) + std::string(name);
}
std::string DriftPrefix(std::string_view stack_id) {
  return fmt::format("/cloudformation/drifts/{}/", stack_id);
}
std::string DetectionKey(std::string_view id) {
  return std::string(kDetections) + std::string(id);
}

ResourceRecord* Stack::Find(std::string_view logical_id) {
  const auto found = std::ranges::find(resources, logical_id, &ResourceRecord::logical_id);
  return found == resources.end() ? nullptr : &*found;
}

bool Stack::InProgress() const {
  return status.ends_with("_IN_PROGRESS") && status != "REVIEW_IN_PROGRESS";
}

std::string Format(const Stack& stack) {
  return json::serialize(codec::WriteObject(stack));
}
Result<Stack> ParseStack(std::string_view text) {
  return codec::Parse<Stack>(text);
}
std::string Format(const ChangeSet& set) {
  return json::serialize(codec::WriteObject(set));
}
Result<ChangeSet> ParseChangeSet(std::string_view text) {
  return codec::Parse<ChangeSet>(text);
}
std::string Format(const Event& event) {
  return json::serialize(codec::WriteObject(event));
}
Result<Event> ParseEvent(std::string_view text) {
  return codec::Parse<Event>(text);
}
std::string Format(const Export& one) {
  return json::serialize(codec::WriteObject(one));
}
Result<Export> ParseExport(std::string_view text) {
  return codec::Parse<Export>(text);
}
std::string Format(const DriftDetection& detection) {
  return json::serialize(codec::WriteObject(detection));
}
Result<DriftDetection> ParseDetection(std::string_view text) {
  return codec::Parse<DriftDetection>(text);
}

std::string SealSource(const Sealer& sealer, const StackSource& source, std::string_view owner) {
  return sealer.seal(json::serialize(codec::WriteObject(source)),
                     fmt::format("cloudformation {}", owner));
}

Result<StackSource> OpenSource(const Sealer& sealer, std::string_view sealed,
                               std::string_view owner) {
  TRY_ASSIGN(const std::string text, sealer.open(sealed, fmt::format("cloudformation {}", owner)));
  return codec::Parse<StackSource>(text);
}

std::string SealObject(const Sealer& sealer, const json::object& object, std::string_view owner) {
  return sealer.seal(json::serialize(object), fmt::format("cloudformation {}", owner));
}

Result<json::object> OpenObject(const Sealer& sealer, std::string_view sealed,
                                std::string_view owner) {
  TRY_ASSIGN(const std::string text, sealer.open(sealed, fmt::format("cloudformation {}", owner)));
  return ParseJsonObject(text);
}

}  // namespace howdah::cfn
