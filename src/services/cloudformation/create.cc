// Creation: every resource whose dependencies are complete is begun; those begun are worked on; the
// first failure stops the rest.
#include <fmt/format.h>

#include <algorithm>

#include "services/cloudformation/converge.h"
#include "services/cloudformation/template/resource_types.h"

namespace howdah::cfn {

namespace {

// A minute of tries, as the workflow comes back about twice a second.
constexpr std::int64_t kMaxAttempts = 120;

bool HasName(std::string_view type) {
  return type == "AWS::EC2::SecurityGroup" || type.starts_with("AWS::RDS::") ||
         type == "AWS::SecretsManager::Secret";
}

bool IsReady(Stack& stack, const ResourceRecord& record) {
  return std::ranges::all_of(record.depends_on, [&](const std::string& id) {
    const ResourceRecord* on = stack.Find(id);
    return on != nullptr && on->status == "CREATE_COMPLETE";
  });
}

// What an earlier try made is found again; else it is made now.
aws::Outcome<void> Initiate(Session& session, ResourceRecord& record, const Side& side,
                            const json::object& properties) {
  const Provider& provider = session.ProviderOf(record);
  OUTCOME_ASSIGN(const std::optional<std::string> found,
                 provider.Find(session.SubjectOf(record, side), properties));
  if (found) {
    record.physical_id = *found;
  } else {
    OUTCOME_ASSIGN(record.physical_id,
                   provider.Create(session.SubjectOf(record, side), properties));
  }
  record.initiated = true;
  session.SetStatus(record, record.status, "Resource creation Initiated");
  return {};
}

// Three things in order, each of which may be repeated: make, configure, wait until it is stable.
aws::Outcome<bool> Make(Session& session, ResourceRecord& record, const Side& side) {
  const Provider& provider = session.ProviderOf(record);
  if (!record.initiated || !record.configured) {
    OUTCOME_ASSIGN(json::object known, session.Properties(record, side));
    OUTCOME_ASSIGN(const json::object properties, session.WithSecrets(record, std::move(known)));
    if (!record.initiated) OUTCOME_TRY(Initiate(session, record, side, properties));
    if (provider.ConfiguresWhenStable(properties)) {
      OUTCOME_ASSIGN(const bool stable, provider.IsStable(session.SubjectOf(record, side)));
      if (!stable) return false;
    }
    OUTCOME_TRY(provider.Configure(session.SubjectOf(record, side), properties));
    record.configured = true;
    session.Touch();
  }
  return provider.IsStable(session.SubjectOf(record, side));
}

bool IsLate(const Stack& stack, WallTime now) {
  return stack.timeout_minutes > 0 &&
         now > stack.begun + std::chrono::minutes(stack.timeout_minutes);
}

}  // namespace

void StopCreation(Session& session, std::string_view why) {
  Stack& stack = session.stack();
  session.CancelWhatIsUnderWay();
  if (stack.on_failure == "DO_NOTHING") {
    session.SetStatus("CREATE_FAILED", fmt::format("{} ", why));
  } else if (stack.on_failure == "DELETE") {
    session.SetStatus("DELETE_IN_PROGRESS", fmt::format("{} Delete requested by user.", why));
  } else {
    session.SetStatus("ROLLBACK_IN_PROGRESS", fmt::format("{} Rollback requested by user.", why));
  }
}

bool AnyWithStatus(const std::vector<ResourceRecord>& records, std::string_view status) {
  return std::ranges::find(records, status, &ResourceRecord::status) != records.end();
}

std::string NamesWithStatus(const std::vector<ResourceRecord>& records, std::string_view status) {
  std::vector<std::string> names;
  for (const ResourceRecord& record : records) {
    if (record.status == status) names.push_back(record.logical_id);
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

void MarkFailed(Session& session, ResourceRecord& record, const aws::Fault& fault,
                std::string_view verb) {
  session.SetStatus(record, fmt::format("{}_FAILED", verb),
                    FailureText(fault, record.type, session.world().entropy));
}

void Settle(Session& session, ResourceRecord& record, const aws::Outcome<bool>& outcome,
            std::string_view verb) {
  if (outcome && !*outcome) return;
  if (outcome) {
    session.SetStatus(record, fmt::format("{}_COMPLETE", verb));
  } else if (MayPass(outcome.error()) && record.attempts < kMaxAttempts) {
    session.CountTry(record);
  } else {
    MarkFailed(session, record, outcome.error(), verb);
  }
}

void BeginCreation(Session& session, ResourceRecord& record, std::string reason) {
  record.token = system::RandomUuid(session.world().entropy);
  if (HasName(record.type)) {
    record.physical_name =
        PhysicalName(session.stack(), record.logical_id, record.type, session.world().entropy);
  }
  record.initiated = record.configured = false;
  record.attempts = 0;
  const bool replaces = record.goal == "replace";
  session.SetStatus(record, replaces ? "UPDATE_IN_PROGRESS" : "CREATE_IN_PROGRESS",
                    std::move(reason));
  record.physical_id.clear();  // after the event, which names the thing that is replaced
}

void WorkOnCreation(Session& session, ResourceRecord& record, const Side& side) {
  const std::string_view verb = record.goal == "replace" ? "UPDATE" : "CREATE";
  Settle(session, record, Make(session, record, side), verb);
}

namespace {

Result<> Complete(Session& session, const Side& side) {
  auto outputs = session.Outputs(side);
  Result<> published;
  if (outputs) published = session.Publish(*outputs);
  const Error* problem = !outputs ? &outputs.error() : !published ? &published.error() : nullptr;
  if (problem != nullptr && problem->code() != Code::kInvalid) return Fail(*problem);
  if (problem != nullptr) {
    StopCreation(session, problem->what() + (problem->what().ends_with('.') ? "" : "."));
    return {};
  }
  session.stack().outputs = *std::move(outputs);
  session.SetStatus("CREATE_COMPLETE", "");
  return {};
}

}  // namespace

Result<> AdvanceCreate(Session& session) {
  Stack& stack = session.stack();
  TRY_ASSIGN(const Side side, session.Current());
  for (ResourceRecord& record : stack.resources) {
    if (record.status == "CREATE_IN_PROGRESS") WorkOnCreation(session, record, side);
  }
  if (AnyWithStatus(stack.resources, "CREATE_FAILED")) {
    StopCreation(session, fmt::format("The following resource(s) failed to create: [{}].",
                                      NamesWithStatus(stack.resources, "CREATE_FAILED")));
    return {};
  }
  const bool complete = std::ranges::all_of(stack.resources, [](const ResourceRecord& record) {
    return record.status == "CREATE_COMPLETE";
  });
  if (complete) return Complete(session, side);
  if (IsLate(stack, session.now())) {
    StopCreation(session, "Stack creation time exceeded the specified timeout.");
    return {};
  }
  for (ResourceRecord& record : stack.resources) {
    if (record.status.empty() && IsReady(stack, record)) BeginCreation(session, record);
  }
  return {};
}

}  // namespace howdah::cfn
