// Follows a stack until CloudFormation is done with it, and shows its events as they come.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "aws/generated/cloudformation.h"
#include "cli/context.h"
#include "cli/failure.h"
#include "cli/session.h"

namespace howdah::cli {

namespace cloudformation = aws::cloudformation;

// "CREATE_IN_PROGRESS" and the like.
bool IsInProgress(const std::string& stack_status);
// The two ends that mean that what was asked for is there.
bool IsDeployed(const std::string& stack_status);

class StackFollower {
 public:
  StackFollower(const Context& context, const Session& session, std::string stack_id);

  // Counts what has happened so far as seen: it is not shown and gives no reasons.
  void SkipPast();
  // The stack's status when it is no longer in progress; exit code 6 at the deadline.
  std::expected<std::string, Failure> AwaitEnd(const std::string& what, Duration limit);
  // The first reason that an event gave for a failure; empty where none did.
  const std::string& first_reason() const { return first_reason_; }

 private:
  std::vector<cloudformation::StackEvent> NewEvents();
  void Show(const cloudformation::StackEvent& event);
  void ShowNow();
  std::expected<std::string, Failure> StackStatus();

  const Context& context_;
  const Session& session_;
  std::string stack_id_;
  std::set<std::string> seen_;
  std::map<std::string, WallTime> in_progress_;  // logical id to the time of its first event
  std::string first_reason_;
};

}  // namespace howdah::cli
