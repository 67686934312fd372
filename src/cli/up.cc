// `howdah up` and `howdah down`: CloudFormation as a person wants it. What `up` does can be done
// with any CloudFormation client; it adds a daemon where none runs, events as progress, places in
// the caller's file, and how to connect.
#include <fmt/format.h>

#include "base/json.h"
#include "cli/commands.h"
#include "cli/connect_hint.h"
#include "cli/daemon.h"
#include "cli/stack.h"
#include "cli/stack_events.h"

namespace howdah::cli {
namespace {

constexpr Duration kPoll = 100ms;
constexpr Duration kChangeSetLimit = 60s;

class Deployment {
 public:
  Deployment(const Context& context, const UpOptions& options, const Session& session)
      : context_(context), options_(options), session_(session) {
    name_ = options.stack_name.empty() ? DefaultStackName(AbsolutePath(options.template_path))
                                       : options.stack_name;
  }

  Outcome Run(const std::string& template_body);

 private:
  std::expected<std::string, Failure> Settle();
  std::expected<bool, Failure> MakeChangeSet(const std::string& body, bool exists);
  std::expected<bool, Failure> AwaitChangeSet();
  Outcome Execute();
  Outcome Report(bool changed);
  Failure Refusal(const aws::Fault& fault) const;

  const Context& context_;
  const UpOptions& options_;
  const Session& session_;
  std::string name_;
  std::string stack_id_;
  std::string change_set_;
};

bool MeansNoChange(const std::string& reason) {
  return reason.contains("didn't contain changes") || reason.contains("No updates are to be");
}

Outcome Deployment::Run(const std::string& template_body) {
  CLI_ASSIGN(const std::string status, Settle());
  const bool exists = !status.empty() && status != "REVIEW_IN_PROGRESS";
  CLI_ASSIGN(const bool changes, MakeChangeSet(template_body, exists));
  if (!changes) {
    context_.terminal.Step(fmt::format("stack {} is up to date: no changes", name_));
    return Report(false);
  }
  CLI_TRY(Execute());
  return Report(true);
}

// The status of the stack, empty where there is none. A stack in progress is waited for: an earlier
// `up` may have been interrupted.
std::expected<std::string, Failure> Deployment::Settle() {
  const auto answer = session_.Call<cloudformation::DescribeStacks>({.stack_name = name_});
  if (!answer) {
    if (IsNotFound(answer.error())) return "";
    return Failed(FailureOf("cannot look at stack " + name_, answer.error(), context_));
  }
  if (answer->stacks.empty()) return "";
  const auto& stack = answer->stacks.front();
  stack_id_ = stack.stack_id.value_or(name_);
  std::string status = stack.stack_status.value_or("");
  if (IsInProgress(status)) {
    context_.terminal.Step(fmt::format("stack {} is {}: waiting for that to end", name_, status));
    StackFollower follower(context_, session_, stack_id_);
    follower.SkipPast();
    CLI_ASSIGN(status, follower.AwaitEnd("what the stack is at", options_.timeout));
  }
  if (status == "DELETE_COMPLETE") return "";
  if (status == "ROLLBACK_COMPLETE" || status == "ROLLBACK_FAILED" || status == "CREATE_FAILED" ||
      status == "DELETE_FAILED") {
    return Failed(Failure{
        .what = fmt::format("stack {} cannot be changed", name_),
        .where = "",
        .why = fmt::format("it is {}: it was never whole, or is half deleted", status),
        .help = fmt::format("remove it first: {} down {}", context_.self, ShellQuote(name_))});
  }
  return status;
}

Failure Deployment::Refusal(const aws::Fault& fault) const {
  if (fault.http_status == 0) return FailureOf("", fault, context_);
  return TemplateFailure(options_.template_path, fmt::format("stack {} was not deployed", name_),
                         fault.message);
}

std::expected<bool, Failure> Deployment::MakeChangeSet(const std::string& body, bool exists) {
  cloudformation::CreateChangeSetInput input;
  input.stack_name = name_;
  input.template_body = body;
  // Named after the moment: unique, and telling when it was made.
  input.change_set_name = fmt::format("up-{}", ToMicros(context_.programs.clock->Now()));
  input.change_set_type = exists ? "UPDATE" : "CREATE";
  for (const auto& [key, value] : options_.parameters) {
    input.parameters.push_back({.parameter_key = key, .parameter_value = value});
  }
  const auto made = session_.Call<cloudformation::CreateChangeSet>(input);
  if (!made && MeansNoChange(made.error().message)) return false;
  if (!made) return Failed(Refusal(made.error()));
  change_set_ = made->id.value_or(*input.change_set_name);
  stack_id_ = made->stack_id.value_or(name_);
  return AwaitChangeSet();
}

std::expected<bool, Failure> Deployment::AwaitChangeSet() {
  const MonotonicTime deadline = context_.programs.clock->Monotonic() + kChangeSetLimit;
  while (true) {
    const auto is = session_.Call<cloudformation::DescribeChangeSet>(
        {.change_set_name = change_set_, .stack_name = stack_id_});
    if (!is) return Failed(Refusal(is.error()));
    const std::string status = is->status.value_or("");
    if (status == "CREATE_COMPLETE") {
      context_.terminal.Step(
          fmt::format("change set for stack {}: {} changes", name_, is->changes.size()));
      return true;
    }
    if (status == "FAILED") {
      const std::string reason = is->status_reason.value_or("");
      session_.Call<cloudformation::DeleteChangeSet>(
          {.change_set_name = change_set_, .stack_name = stack_id_});
      if (MeansNoChange(reason)) return false;
      return Failed(Refusal({.code = "FAILED", .http_status = 400, .message = reason}));
    }
    if (context_.programs.clock->Monotonic() > deadline) {
      return Failed(Failure{.what = "the change set is not ready",
                            .where = "",
                            .why = "it is still " + status,
                            .help = "run the same command again",
                            .exit_code = kExitTimedOut});
    }
    context_.terminal.Now("making a change set");
    PauseBetweenPolls(kPoll);
  }
}

Outcome Deployment::Execute() {
  StackFollower follower(context_, session_, stack_id_);
  follower.SkipPast();
  const auto started = session_.Call<cloudformation::ExecuteChangeSet>(
      {.change_set_name = change_set_, .stack_name = stack_id_});
  if (!started) return Failed(Refusal(started.error()));
  CLI_ASSIGN(const std::string status,
             follower.AwaitEnd(fmt::format("deploying stack {}", name_), options_.timeout));
  if (IsDeployed(status)) return kExitDone;
  Failure failure = TemplateFailure(options_.template_path,
                                    fmt::format("stack {} was not deployed: {}", name_, status),
                                    follower.first_reason());
  if (status == "ROLLBACK_COMPLETE") {
    failure.help = fmt::format(
        "what was made is gone again; mend the cause, then {0} down {1} "
        "and up again",
        context_.self, ShellQuote(name_));
  }
  return Failed(std::move(failure));
}

Outcome Deployment::Report(bool changed) {
  const auto answer = session_.Call<cloudformation::DescribeStacks>({.stack_name = name_});
  if (!answer) return Failed(FailureOf("cannot read the stack", answer.error(), context_));
  const auto& stack = answer->stacks.front();
  if (context_.json) {
    json::object outputs;
    for (const auto& output : stack.outputs) {
      outputs[output.output_key.value_or("")] = output.output_value.value_or("");
    }
    context_.terminal.Result(json::serialize(json::object{
        {"StackName", stack.stack_name.value_or("")},
        {"StackId", stack.stack_id.value_or("")},
        {"StackStatus", stack.stack_status.value_or("")},
        {"Changed", changed},
        {"Outputs", std::move(outputs)},
    }));
    return kExitDone;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& output : stack.outputs) {
    rows.push_back({output.output_key.value_or(""), output.output_value.value_or("")});
  }
  std::string text =
      fmt::format("{}  {}\n", stack.stack_name.value_or(""), stack.stack_status.value_or(""));
  text += Columns(rows, "  ");
  context_.terminal.Result(text);
  const std::string hint = ConnectHint(context_, session_, name_);
  if (!hint.empty()) context_.terminal.Result("\n" + hint);
  return kExitDone;
}

}  // namespace

Outcome Up(const Context& context, const UpOptions& options) {
  auto body = context.programs.disk->Read(options.template_path);
  if (!body) {
    return Failed("cannot read the template", body.error(), "give the path of a template file");
  }
  CLI_ASSIGN(const Session session, EnsureDaemon(context));
  return Deployment(context, options, session).Run(*body);
}

Outcome Down(const Context& context, const DownOptions& options) {
  CLI_ASSIGN(const Session session, Session::Open(context));
  const std::string what = fmt::format("stack {} was not deleted", options.stack_name);
  const auto answer =
      session.Call<cloudformation::DescribeStacks>({.stack_name = options.stack_name});
  if (!answer) return Failed(FailureOf(what, answer.error(), context));
  if (answer->stacks.empty()) {
    return Failed(Failure{.what = what,
                          .where = "",
                          .why = "there is none of that name",
                          .help = "",
                          .exit_code = kExitNotFound});
  }
  const std::string id = answer->stacks.front().stack_id.value_or(options.stack_name);
  StackFollower follower(context, session, id);
  follower.SkipPast();
  const auto deleted = session.Call<cloudformation::DeleteStack>({.stack_name = id});
  if (!deleted) return Failed(FailureOf(what, deleted.error(), context));
  CLI_ASSIGN(const std::string status,
             follower.AwaitEnd("deleting stack " + options.stack_name, options.timeout));
  if (status != "DELETE_COMPLETE") {
    return Failed(Failure{.what = fmt::format("{}: {}", what, status),
                          .where = "",
                          .why = follower.first_reason(),
                          .help = "remove the cause, then run the same command again"});
  }
  if (context.json) {
    context.terminal.Result(
        json::serialize(json::object{{"StackName", options.stack_name}, {"StackStatus", status}}));
  } else {
    context.terminal.Step(fmt::format("stack {} is deleted", options.stack_name), Colour::kGreen);
  }
  return kExitDone;
}

}  // namespace howdah::cli
