#include "cli/stack_events.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/daemon.h"

namespace howdah::cli {
namespace {

constexpr Duration kPoll = 200ms;
constexpr std::string_view kStackType = "AWS::CloudFormation::Stack";

Colour ColourOf(const std::string& status) {
  if (status.contains("FAILED") || status.contains("ROLLBACK")) return Colour::kRed;
  return status.ends_with("_COMPLETE") ? Colour::kGreen : Colour::kNone;
}

}  // namespace

bool IsInProgress(const std::string& stack_status) {
  return stack_status.ends_with("_IN_PROGRESS") && stack_status != "REVIEW_IN_PROGRESS";
}

bool IsDeployed(const std::string& stack_status) {
  return stack_status == "CREATE_COMPLETE" || stack_status == "UPDATE_COMPLETE";
}

StackFollower::StackFollower(const Context& context, const Session& session, std::string stack_id)
    : context_(context), session_(session), stack_id_(std::move(stack_id)) {}

void StackFollower::SkipPast() {
  NewEvents();
}

std::expected<std::string, Failure> StackFollower::AwaitEnd(const std::string& what,
                                                            Duration limit) {
  const MonotonicTime deadline = context_.programs.clock->Monotonic() + limit;
  while (true) {
    // The status first: the events that explain an end are then surely among those read after it.
    CLI_ASSIGN(const std::string status, StackStatus());
    for (const auto& event : NewEvents()) Show(event);
    if (!IsInProgress(status)) return status;
    if (context_.programs.clock->Monotonic() > deadline) {
      return Failed(
          Failure{.what = fmt::format("{} is not finished; it goes on", what),
                  .where = "",
                  .why = fmt::format("the stack is {} after {}", status, FormatDuration(limit)),
                  .help = fmt::format("watch it with '{} status', or ask again with a "
                                      "longer --timeout",
                                      context_.self),
                  .exit_code = kExitTimedOut});
    }
    ShowNow();
    PauseBetweenPolls(kPoll);
  }
}

std::expected<std::string, Failure> StackFollower::StackStatus() {
  const auto answer = session_.Call<cloudformation::DescribeStacks>({.stack_name = stack_id_});
  if (!answer) return Failed(FailureOf("cannot follow the stack", answer.error(), context_));
  if (answer->stacks.empty()) return "DELETE_COMPLETE";
  return answer->stacks.front().stack_status.value_or("");
}

std::vector<cloudformation::StackEvent> StackFollower::NewEvents() {
  std::vector<cloudformation::StackEvent> fresh;
  cloudformation::DescribeStackEventsInput input{.stack_name = stack_id_};
  do {
    auto page = session_.Call<cloudformation::DescribeStackEvents>(input);
    // Events are only shown: what counts is the status, which fails loudly.
    if (!page) break;
    const std::size_t before = fresh.size();
    for (auto& event : page->stack_events) {
      if (seen_.insert(event.event_id.value_or("")).second) fresh.push_back(std::move(event));
    }
    // Newest first: a page of old news means that all further pages are old.
    if (fresh.size() == before) break;
    input.next_token = page->next_token;
  } while (input.next_token);
  std::reverse(fresh.begin(), fresh.end());
  return fresh;
}

void StackFollower::Show(const cloudformation::StackEvent& event) {
  const std::string status = event.resource_status.value_or("");
  const std::string name = event.logical_resource_id.value_or("");
  const std::string type = event.resource_type.value_or("");
  const std::string reason = event.resource_status_reason.value_or("");
  const WallTime at = event.timestamp.value_or(WallTime());
  if (status.ends_with("_FAILED") && first_reason_.empty() && !reason.contains("cancelled")) {
    first_reason_ = fmt::format("{} ({}): {}", name, type, reason);
  }
  if (status.ends_with("_IN_PROGRESS")) {
    const bool first = in_progress_.emplace(name, at).second;
    if (!first || context_.terminal.interactive() || type == kStackType) return;
  }
  std::string line = fmt::format("{:<18}  {}", status, name);
  if (type != kStackType) line += fmt::format("  {}", type);
  if (const auto begun = in_progress_.find(name);
      begun != in_progress_.end() && !status.ends_with("_IN_PROGRESS")) {
    line += fmt::format("  {}", FormatDuration(at - begun->second));
    in_progress_.erase(begun);
  }
  if (status.ends_with("_FAILED") && !reason.empty()) line += fmt::format("  {}", reason);
  context_.terminal.Step(line, ColourOf(status));
}

void StackFollower::ShowNow() {
  std::string names;
  for (const auto& [name, since] : in_progress_) {
    names += (names.empty() ? "in progress: " : ", ") + name;
  }
  context_.terminal.Now(names.empty() ? "waiting" : names);
}

}  // namespace howdah::cli
