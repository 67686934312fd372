// The room's documents: stacks with their resources, change sets, events, and their keys. No secret
// stands in them in clear: a template and its parameter values are kept as one sealed text.
//
//   /cloudformation/stacks/<uuid>           Stack; stays after the stack is deleted
//   /cloudformation/names/<name>            the uuid of the stack that has the name now
//   /cloudformation/events/<uuid>/<number>  Event
//   /cloudformation/changesets/<uuid>       ChangeSet
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/time.h"
#include "services/cloudformation/template/parameters.h"
#include "store/store.h"

namespace howdah::cfn {

using Tags = std::map<std::string, std::string>;

// Seals texts for the store; `where` binds a sealed text to its place.
struct Sealer {
  std::function<std::string(std::string_view text, std::string_view where)> seal;
  std::function<Result<std::string>(std::string_view sealed, std::string_view where)> open;
};

// What a stack is made from. Holds secrets (NoEcho values): only in memory, and sealed.
struct StackSource {
  std::string body;
  ParameterValues parameters;
};

// One resource of a stack. A resource without status has not been begun.
struct ResourceRecord {
  std::string logical_id;
  std::string type;
  std::string status;  // "CREATE_IN_PROGRESS", …
  std::string reason;
  std::string physical_id;
  std::string physical_name;  // chosen before the first call, for types that have names
  std::string token;          // likewise: by it we know a thing as ours after a crash
  bool initiated = false;     // the thing exists; what is left is to configure it and to wait
  bool configured = false;
  bool deleting = false;  // its deletion has been asked for
  std::int64_t attempts = 0;
  std::vector<std::string> depends_on;
  DeletionPolicy policy = DeletionPolicy::kDelete;
  // The update under way: "add", "modify", "remove", or "" when it is not part of it.
  std::string goal;
  std::vector<std::string> changed;  // of "modify": the properties
  WallTime updated{};

  bool Gone() const { return status == "DELETE_COMPLETE" || status == "DELETE_SKIPPED"; }
};

struct StackOutput {
  std::string key, value, description;
};

struct Stack {
  std::string id;  // the uuid of the ARN
  std::string arn;
  std::string name;
  std::string account_id, region;
  std::string description;
  std::string status, reason;
  std::string source;       // sealed StackSource; empty while in review
  std::string next_source;  // of the update under way
  Tags tags, next_tags;
  std::vector<std::string> capabilities;
  std::string on_failure = "ROLLBACK";  // or DO_NOTHING, DELETE
  std::int64_t timeout_minutes = 0;     // 0: none
  std::string change_set;               // the ARN of the change set executed last
  std::string client_token;
  WallTime created{}, begun{};  // begun: the operation under way
  std::optional<WallTime> updated, deleted;
  std::vector<ResourceRecord> resources;
  std::vector<StackOutput> outputs;
  std::int64_t event_count = 0;

  ResourceRecord* Find(std::string_view logical_id);
  // Work is under way, and one run of the workflow does it.
  bool InProgress() const;
};

struct ChangeSet {
  std::string id;  // the uuid of the ARN
  std::string arn;
  std::string name;
  std::string stack_id, stack_arn, stack_name;
  std::string type;  // CREATE or UPDATE
  std::string description;
  std::string status, reason;
  std::string source;  // sealed
  Tags tags;
  std::vector<std::string> capabilities;
  std::string on_failure = "ROLLBACK";
  bool executed = false;
  WallTime created{};
};

struct Event {
  std::string id;
  std::string logical_id, physical_id, type, status, reason, client_token;
  WallTime time{};
};

std::string StackKey(std::string_view id);
std::string NameKey(std::string_view name);
std::string EventPrefix(std::string_view stack_id);
std::string ChangeSetKey(std::string_view id);
inline constexpr std::string_view kStacks = "/cloudformation/stacks/";
inline constexpr std::string_view kChangeSets = "/cloudformation/changesets/";

std::string Format(const Stack& stack);
Result<Stack> ParseStack(std::string_view text);
std::string Format(const ChangeSet& change_set);
Result<ChangeSet> ParseChangeSet(std::string_view text);
Result<Event> ParseEvent(std::string_view text);

std::string SealSource(const Sealer& sealer, const StackSource& source, std::string_view owner);
Result<StackSource> OpenSource(const Sealer& sealer, std::string_view sealed,
                               std::string_view owner);

// A stack as it was read, so that a write can say that nobody else wrote in between.
struct StoredStack {
  Stack stack;
  store::Revision revision = 0;  // 0: it is new
};
Result<StoredStack> GetStack(store::Store& store, std::string_view id);
Result<std::vector<Stack>> ListStacks(store::Store& store);  // deleted ones too
Result<std::vector<ChangeSet>> ListChangeSets(store::Store& store, std::string_view stack_id);
Result<std::vector<Event>> ListEvents(store::Store& store, std::string_view stack_id);

// Adds the stack's write, with its compare.
void PutStack(store::Transaction& transaction, const StoredStack& stored);
// Adds an event, numbered after the stack's last; PutStack must follow in the same transaction.
void PutEvent(store::Transaction& transaction, Stack& stack, Event event);
// The stack's new status with its event.
void SetStackStatus(store::Transaction& transaction, Stack& stack, std::string status,
                    std::string reason, WallTime now);
// A resource's new status with its event.
void SetResourceStatus(store::Transaction& transaction, Stack& stack, ResourceRecord& resource,
                       std::string status, std::string reason, WallTime now);

}  // namespace howdah::cfn
