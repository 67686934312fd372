// The room's documents: stacks with their resources, change sets, events, exports, and their keys.
// No secret stands in them in clear: a template and its parameter values are kept as one sealed
// text, and so is whatever properties come to.
//
//   /cloudformation/stacks/<uuid>           Stack; stays for 90 days after the stack is deleted
//   /cloudformation/names/<name>            the uuid of the stack that has the name now
//   /cloudformation/events/<uuid>/<number>  Event
//   /cloudformation/changesets/<uuid>       ChangeSet
//   /cloudformation/exports/<name>          Export
//   /cloudformation/drifts/<uuid>/<logical id>  what was found of a resource, sealed
//   /cloudformation/detections/<uuid>       DriftDetection
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
  std::int64_t attempts = 0;
  std::vector<std::string> depends_on;
  DeletionPolicy policy = DeletionPolicy::kDelete;
  // The update under way, or "" when the resource is not part of it:
  //   "add"      it is new                        "remove"   it goes in the cleanup
  //   "modify"   it is to be looked at, and then changed in place or replaced
  //   "replace"  another thing takes its place; the old one stands in Stack::retired
  //   "restore"  a change in place is undone      "revert"   nothing is left to undo but the status
  std::string goal;
  std::vector<std::string> changed;  // of "modify": the properties
  std::string before, after;         // the properties of "modify", sealed; after: the change began
  std::string drift;                 // IN_SYNC, MODIFIED, DELETED; empty: not checked
  std::optional<WallTime> drift_checked;
  WallTime updated{};

  bool Gone() const { return status == "DELETE_COMPLETE" || status == "DELETE_SKIPPED"; }
};

struct StackOutput {
  std::string key, value, description;
  std::string export_name;  // empty: not exported
};

struct Stack {
  std::string id;  // the uuid of the ARN
  std::string arn;
  std::string name;
  std::string account_id, region;
  std::string description;
  std::string status, reason;
  std::string source;       // sealed StackSource; empty while in review
  std::string next_source;  // of the update under way, or that could not be undone
  Tags tags, next_tags;
  std::vector<std::string> capabilities;
  std::string on_failure = "ROLLBACK";   // or DO_NOTHING, DELETE
  bool retain_except_on_create = false;  // a rollback takes new things whatever their policy is
  bool termination_protection = false;
  std::int64_t timeout_minutes = 0;  // 0: none
  std::string change_set;            // the ARN of the change set executed last
  std::string client_token;
  std::string operation;        // the API operation that the token came with
  WallTime created{}, begun{};  // begun: the operation under way
  std::optional<WallTime> updated, deleted;
  std::string drift;  // IN_SYNC, DRIFTED; empty: not checked
  std::optional<WallTime> drift_checked;
  std::vector<ResourceRecord> resources;
  // Things that stand behind a resource of the same logical id: during a replacement the old one
  // (goal "standby"), then what the cleanup takes away (goal "remove"), or could not.
  std::vector<ResourceRecord> retired;
  std::vector<StackOutput> outputs;
  std::vector<std::string> imports;  // the exports that know this stack as their user
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

// An output under a name that other stacks can import. It lists its users, so that a deletion and
// an import at the same time cannot pass each other.
struct Export {
  std::string name, value;
  std::string stack_id, stack_arn, stack_name;
  std::vector<std::string> importers;  // uuids of stacks
};

struct DriftDetection {
  std::string id;
  std::string stack_id, stack_arn;
  std::string status;  // IN_SYNC or DRIFTED
  std::int64_t drifted = 0;
  std::string failure;  // why it could not look at everything; empty: it did
  WallTime time{};
};

std::string StackKey(std::string_view id);
std::string NameKey(std::string_view name);
std::string EventPrefix(std::string_view stack_id);
std::string ChangeSetKey(std::string_view id);
std::string ExportKey(std::string_view name);
std::string DriftPrefix(std::string_view stack_id);
std::string DetectionKey(std::string_view id);
inline constexpr std::string_view kStacks = "/cloudformation/stacks/";
inline constexpr std::string_view kChangeSets = "/cloudformation/changesets/";
inline constexpr std::string_view kExports = "/cloudformation/exports/";
inline constexpr std::string_view kDetections = "/cloudformation/detections/";

std::string Format(const Stack& stack);
Result<Stack> ParseStack(std::string_view text);
std::string Format(const ChangeSet& change_set);
Result<ChangeSet> ParseChangeSet(std::string_view text);
std::string Format(const Event& event);
Result<Event> ParseEvent(std::string_view text);
std::string Format(const Export& one);
Result<Export> ParseExport(std::string_view text);
std::string Format(const DriftDetection& detection);
Result<DriftDetection> ParseDetection(std::string_view text);

std::string SealSource(const Sealer& sealer, const StackSource& source, std::string_view owner);
Result<StackSource> OpenSource(const Sealer& sealer, std::string_view sealed,
                               std::string_view owner);
std::string SealObject(const Sealer& sealer, const json::object& object, std::string_view owner);
Result<json::object> OpenObject(const Sealer& sealer, std::string_view sealed,
                                std::string_view owner);

}  // namespace howdah::cfn
