// Documents to JSON and back. Members that an older version did not write have their defaults.
#include "services/cloudformation/documents.h"

#include <fmt/format.h>

#include <algorithm>

namespace howdah::cfn {

namespace {

json::value Micros(const std::optional<WallTime>& time) {
  return time ? json::value(ToMicros(*time)) : json::value(nullptr);
}

std::optional<WallTime> OptionalTime(const json::object& from, std::string_view name) {
  const json::value* value = from.if_contains(name);
  if (value == nullptr || !value->is_int64()) return std::nullopt;
  return FromMicros(value->get_int64());
}

WallTime Time(const json::object& from, std::string_view name) {
  return FromMicros(JsonInt(from, name));
}

json::object ToJson(const Tags& tags) {
  json::object made;
  for (const auto& [key, value] : tags) made.emplace(key, value);
  return made;
}

Tags ReadTags(const json::object& from, std::string_view name) {
  Tags tags;
  for (const auto& member : JsonObject(from, name)) {
    if (member.value().is_string()) tags[member.key()] = member.value().get_string();
  }
  return tags;
}

std::string_view PolicyName(DeletionPolicy policy) {
  switch (policy) {
    case DeletionPolicy::kDelete:
      return "Delete";
    case DeletionPolicy::kRetain:
      return "Retain";
    case DeletionPolicy::kRetainExceptOnCreate:
      return "RetainExceptOnCreate";
  }
  return "Delete";
}

DeletionPolicy ReadPolicy(std::string_view name) {
  if (name == "Retain") return DeletionPolicy::kRetain;
  if (name == "RetainExceptOnCreate") return DeletionPolicy::kRetainExceptOnCreate;
  return DeletionPolicy::kDelete;
}

json::object ToJson(const ResourceRecord& record) {
  return {{"logical_id", record.logical_id},
          {"type", record.type},
          {"status", record.status},
          {"reason", record.reason},
          {"physical_id", record.physical_id},
          {"physical_name", record.physical_name},
          {"token", record.token},
          {"initiated", record.initiated},
          {"configured", record.configured},
          {"deleting", record.deleting},
          {"attempts", record.attempts},
          {"depends_on", ToJsonArray(record.depends_on)},
          {"policy", PolicyName(record.policy)},
          {"goal", record.goal},
          {"changed", ToJsonArray(record.changed)},
          {"updated", ToMicros(record.updated)}};
}

ResourceRecord ReadResource(const json::object& from) {
  return {.logical_id = JsonString(from, "logical_id"),
          .type = JsonString(from, "type"),
          .status = JsonString(from, "status"),
          .reason = JsonString(from, "reason"),
          .physical_id = JsonString(from, "physical_id"),
          .physical_name = JsonString(from, "physical_name"),
          .token = JsonString(from, "token"),
          .initiated = JsonBool(from, "initiated"),
          .configured = JsonBool(from, "configured"),
          .deleting = JsonBool(from, "deleting"),
          .attempts = JsonInt(from, "attempts"),
          .depends_on = JsonStrings(from, "depends_on"),
          .policy = ReadPolicy(JsonString(from, "policy")),
          .goal = JsonString(from, "goal"),
          .changed = JsonStrings(from, "changed"),
          .updated = Time(from, "updated")};
}

// The objects of a member that is a list.
std::vector<json::object> Objects(const json::object& from, std::string_view name) {
  std::vector<json::object> objects;
  const json::value* list = from.if_contains(name);
  if (list == nullptr || !list->is_array()) return objects;
  for (const json::value& item : list->get_array()) {
    if (item.is_object()) objects.push_back(item.get_object());
  }
  return objects;
}

}  // namespace

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

ResourceRecord* Stack::Find(std::string_view logical_id) {
  const auto found = std::ranges::find(resources, logical_id, &ResourceRecord::logical_id);
  return found == resources.end() ? nullptr : &*found;
}

bool Stack::InProgress() const {
  return status.ends_with("_IN_PROGRESS") && status != "REVIEW_IN_PROGRESS";
}

std::string Format(const Stack& stack) {
  json::array resources;
  for (const ResourceRecord& record : stack.resources) resources.emplace_back(ToJson(record));
  json::array outputs;
  for (const StackOutput& output : stack.outputs) {
    outputs.emplace_back(json::object{
        {"key", output.key}, {"value", output.value}, {"description", output.description}});
  }
  return json::serialize(json::object{{"id", stack.id},
                                      {"arn", stack.arn},
                                      {"name", stack.name},
                                      {"account_id", stack.account_id},
                                      {"region", stack.region},
                                      {"description", stack.description},
                                      {"status", stack.status},
                                      {"reason", stack.reason},
                                      {"source", stack.source},
                                      {"next_source", stack.next_source},
                                      {"tags", ToJson(stack.tags)},
                                      {"next_tags", ToJson(stack.next_tags)},
                                      {"capabilities", ToJsonArray(stack.capabilities)},
                                      {"on_failure", stack.on_failure},
                                      {"timeout_minutes", stack.timeout_minutes},
                                      {"change_set", stack.change_set},
                                      {"client_token", stack.client_token},
                                      {"created", ToMicros(stack.created)},
                                      {"begun", ToMicros(stack.begun)},
                                      {"updated", Micros(stack.updated)},
                                      {"deleted", Micros(stack.deleted)},
                                      {"resources", std::move(resources)},
                                      {"outputs", std::move(outputs)},
                                      {"event_count", stack.event_count}});
}

Result<Stack> ParseStack(std::string_view text) {
  TRY_ASSIGN(const json::object from, ParseJsonObject(text));
  Stack stack;
  stack.id = JsonString(from, "id");
  stack.arn = JsonString(from, "arn");
  stack.name = JsonString(from, "name");
  stack.account_id = JsonString(from, "account_id");
  stack.region = JsonString(from, "region");
  stack.description = JsonString(from, "description");
  stack.status = JsonString(from, "status");
  stack.reason = JsonString(from, "reason");
  stack.source = JsonString(from, "source");
  stack.next_source = JsonString(from, "next_source");
  stack.tags = ReadTags(from, "tags");
  stack.next_tags = ReadTags(from, "next_tags");
  stack.capabilities = JsonStrings(from, "capabilities");
  stack.on_failure = JsonString(from, "on_failure", "ROLLBACK");
  stack.timeout_minutes = JsonInt(from, "timeout_minutes");
  stack.change_set = JsonString(from, "change_set");
  stack.client_token = JsonString(from, "client_token");
  stack.created = Time(from, "created");
  stack.begun = Time(from, "begun");
  stack.updated = OptionalTime(from, "updated");
  stack.deleted = OptionalTime(from, "deleted");
  for (const json::object& one : Objects(from, "resources")) {
    stack.resources.push_back(ReadResource(one));
  }
  for (const json::object& one : Objects(from, "outputs")) {
    stack.outputs.push_back(
        {JsonString(one, "key"), JsonString(one, "value"), JsonString(one, "description")});
  }
  stack.event_count = JsonInt(from, "event_count");
  return stack;
}

std::string Format(const ChangeSet& set) {
  return json::serialize(json::object{{"id", set.id},
                                      {"arn", set.arn},
                                      {"name", set.name},
                                      {"stack_id", set.stack_id},
                                      {"stack_arn", set.stack_arn},
                                      {"stack_name", set.stack_name},
                                      {"type", set.type},
                                      {"description", set.description},
                                      {"status", set.status},
                                      {"reason", set.reason},
                                      {"source", set.source},
                                      {"tags", ToJson(set.tags)},
                                      {"capabilities", ToJsonArray(set.capabilities)},
                                      {"on_failure", set.on_failure},
                                      {"executed", set.executed},
                                      {"created", ToMicros(set.created)}});
}

Result<ChangeSet> ParseChangeSet(std::string_view text) {
  TRY_ASSIGN(const json::object from, ParseJsonObject(text));
  return ChangeSet{.id = JsonString(from, "id"),
                   .arn = JsonString(from, "arn"),
                   .name = JsonString(from, "name"),
                   .stack_id = JsonString(from, "stack_id"),
                   .stack_arn = JsonString(from, "stack_arn"),
                   .stack_name = JsonString(from, "stack_name"),
                   .type = JsonString(from, "type"),
                   .description = JsonString(from, "description"),
                   .status = JsonString(from, "status"),
                   .reason = JsonString(from, "reason"),
                   .source = JsonString(from, "source"),
                   .tags = ReadTags(from, "tags"),
                   .capabilities = JsonStrings(from, "capabilities"),
                   .on_failure = JsonString(from, "on_failure", "ROLLBACK"),
                   .executed = JsonBool(from, "executed"),
                   .created = Time(from, "created")};
}

Result<Event> ParseEvent(std::string_view text) {
  TRY_ASSIGN(const json::object from, ParseJsonObject(text));
  return Event{.id = JsonString(from, "id"),
               .logical_id = JsonString(from, "logical_id"),
               .physical_id = JsonString(from, "physical_id"),
               .type = JsonString(from, "type"),
               .status = JsonString(from, "status"),
               .reason = JsonString(from, "reason"),
               .client_token = JsonString(from, "client_token"),
               .time = Time(from, "time")};
}

std::string SealSource(const Sealer& sealer, const StackSource& source, std::string_view owner) {
  json::object parameters;
  for (const auto& [name, value] : source.parameters) parameters.emplace(name, value);
  const std::string text =
      json::serialize(json::object{{"body", source.body}, {"parameters", std::move(parameters)}});
  return sealer.seal(text, fmt::format("cloudformation {}", owner));
}

Result<StackSource> OpenSource(const Sealer& sealer, std::string_view sealed,
                               std::string_view owner) {
  TRY_ASSIGN(const std::string text, sealer.open(sealed, fmt::format("cloudformation {}", owner)));
  TRY_ASSIGN(const json::object from, ParseJsonObject(text));
  StackSource source;
  source.body = JsonString(from, "body");
  for (const auto& member : JsonObject(from, "parameters")) {
    if (member.value().is_string()) {
      source.parameters[member.key()] = member.value().get_string();
    }
  }
  return source;
}

Result<StoredStack> GetStack(store::Store& store, std::string_view id) {
  TRY_ASSIGN(const store::Document document, store.Get(StackKey(id)));
  TRY_ASSIGN(Stack stack, ParseStack(document.value));
  return StoredStack{std::move(stack), document.revision};
}

Result<std::vector<Stack>> ListStacks(store::Store& store) {
  TRY_ASSIGN(const store::Listing listing, store.List(kStacks));
  std::vector<Stack> stacks;
  for (const store::Document& document : listing.documents) {
    TRY_ASSIGN(Stack stack, ParseStack(document.value));
    stacks.push_back(std::move(stack));
  }
  std::ranges::sort(stacks, std::greater(), &Stack::created);  // the newest first
  return stacks;
}

Result<std::vector<ChangeSet>> ListChangeSets(store::Store& store, std::string_view stack_id) {
  TRY_ASSIGN(const store::Listing listing, store.List(kChangeSets));
  std::vector<ChangeSet> sets;
  for (const store::Document& document : listing.documents) {
    TRY_ASSIGN(ChangeSet set, ParseChangeSet(document.value));
    if (set.stack_id == stack_id) sets.push_back(std::move(set));
  }
  std::ranges::sort(sets, std::greater(), &ChangeSet::created);
  return sets;
}

Result<std::vector<Event>> ListEvents(store::Store& store, std::string_view stack_id) {
  TRY_ASSIGN(const store::Listing listing, store.List(EventPrefix(stack_id)));
  std::vector<Event> events;
  for (const store::Document& document : listing.documents) {
    TRY_ASSIGN(Event event, ParseEvent(document.value));
    events.push_back(std::move(event));
  }
  std::ranges::reverse(events);  // the newest first
  return events;
}

void PutStack(store::Transaction& transaction, const StoredStack& stored) {
  const std::string key = StackKey(stored.stack.id);
  transaction.compares.push_back({key, stored.revision});
  transaction.puts.push_back({key, Format(stored.stack), ""});
}

void PutEvent(store::Transaction& transaction, Stack& stack, Event event) {
  const std::int64_t number = ++stack.event_count;
  if (event.id.empty()) event.id = fmt::format("{}-{:08}", stack.id.substr(0, 23), number);
  const json::object made{{"id", event.id},
                          {"logical_id", event.logical_id},
                          {"physical_id", event.physical_id},
                          {"type", event.type},
                          {"status", event.status},
                          {"reason", event.reason},
                          {"client_token", stack.client_token},
                          {"time", ToMicros(event.time)}};
  transaction.puts.push_back(
      {fmt::format("{}{:08}", EventPrefix(stack.id), number), json::serialize(made), ""});
}

void SetStackStatus(store::Transaction& transaction, Stack& stack, std::string status,
                    std::string reason, WallTime now) {
  stack.status = std::move(status);
  stack.reason = std::move(reason);
  PutEvent(transaction, stack,
           {.id = {},
            .logical_id = stack.name,
            .physical_id = stack.arn,
            .type = "AWS::CloudFormation::Stack",
            .status = stack.status,
            .reason = stack.reason,
            .client_token = {},
            .time = now});
}

void SetResourceStatus(store::Transaction& transaction, Stack& stack, ResourceRecord& resource,
                       std::string status, std::string reason, WallTime now) {
  resource.status = std::move(status);
  resource.reason = std::move(reason);
  resource.updated = now;
  PutEvent(transaction, stack,
           {.id = fmt::format("{}-{}-{}-{}", resource.logical_id, resource.status,
                              FormatIso8601(now), stack.event_count + 1),
            .logical_id = resource.logical_id,
            .physical_id = resource.physical_id,
            .type = resource.type,
            .status = resource.status,
            .reason = resource.reason,
            .client_token = {},
            .time = now});
}

}  // namespace howdah::cfn
