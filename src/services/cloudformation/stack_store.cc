// Documents in and out of the store.
#include "services/cloudformation/stack_store.h"

#include <fmt/format.h>

#include <algorithm>

namespace howdah::cfn {

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
  event.client_token = stack.client_token;
  transaction.puts.push_back(
      {fmt::format("{}{:08}", EventPrefix(stack.id), number), Format(event), ""});
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
