// What the handlers share: reading requests, finding stacks, beginning work. Called on worker
// threads; the store decides who was first.
#pragma once

#include "aws/generated/cloudformation.h"
#include "services/cloudformation/cloudformation.h"
#include "services/cloudformation/exports.h"
#include "services/cloudformation/template/changes.h"

namespace howdah::cfn {

namespace api = aws::cloudformation;

void RegisterStacks(aws::Service& service, const World& world);
void RegisterChangeSets(aws::Service& service, const World& world);
void RegisterDescriptions(aws::Service& service, const World& world);
void RegisterTemplates(aws::Service& service, const World& world);
void RegisterRollbacks(aws::Service& service, const World& world);
void RegisterExports(aws::Service& service, const World& world);
void RegisterDrift(aws::Service& service, const World& world);

// The options of requests that Howdah does not serve, refused when they ask for something.
struct Unserved {
  const std::optional<std::string>& template_url;
  const std::optional<std::string>& role_arn;
  const std::optional<api::RollbackConfiguration>& rollback_configuration;
  const aws::List<std::string>& notification_arns;
  const aws::List<std::string>& resource_types;
};
aws::Outcome<void> RefuseUnserved(const Unserved& options);
std::unexpected<aws::Fault> NotSupported(std::string_view what);

aws::Outcome<void> CheckStackName(const std::string& name);
aws::Outcome<Tags> ReadTags(const aws::List<api::Tag>& tags);
aws::List<api::Tag> TagList(const Tags& tags);

// A template that is right, with a value for each parameter, its conditions decided.
struct Proposal {
  StackSource source;
  Template made;
};
// What a request says of a template and parameters.
struct Wanted {
  const std::optional<std::string>& body;
  bool previous_template = false;
  const aws::List<api::Parameter>& parameters;
};
// `previous` gives what UsePreviousTemplate and UsePreviousValue mean; null: nothing.
aws::Outcome<Proposal> ReadProposal(const World& world, const aws::RequestContext& context,
                                    const Stack& stack, const Wanted& wanted,
                                    const StackSource* previous);
aws::Outcome<Template> Decide(Template declared, const ParameterValues& values, const Stack& stack);
Surroundings SurroundingsOf(const Stack& stack);
// Parameters of types such as AWS::EC2::VPC::Id name what exists.
aws::Outcome<void> CheckNamedThings(const World& world, const aws::RequestContext& context,
                                    const Template& made, const ParameterValues& values);
aws::Outcome<Template> ReadTemplate(const std::string& body);
// Parameters as they may be shown: NoEcho ones as ****.
aws::List<api::Parameter> ShownParameters(const Template& made, const ParameterValues& values);

// By name (a stack that is not deleted) or by ARN (any).
aws::Outcome<StoredStack> FindStack(const World& world, const std::string& name_or_arn);
aws::Outcome<StackSource> SourceOf(const World& world, const Stack& stack);
// A new stack's document with its name taken. `compare` fails if somebody else took it.
StoredStack NewStack(const World& world, const aws::RequestContext& context, std::string name,
                     store::Transaction& transaction);
// Sets the stack and its resources to be created from the proposal, and starts the run.
aws::Outcome<void> BeginCreate(const World& world, const aws::RequestContext& context,
                               store::Transaction& transaction, Stack& stack,
                               const Proposal& proposal);
// Likewise for an update; the plan says what is to be done.
aws::Outcome<void> BeginUpdate(const World& world, const aws::RequestContext& context,
                               store::Transaction& transaction, Stack& stack,
                               const Proposal& proposal, const Tags& tags, const ChangePlan& plan);
void StartStackRun(store::Transaction& transaction, const Stack& stack, WallTime now);
// The plan from the stack to the proposal; a stack in review has nothing yet.
aws::Outcome<ChangePlan> PlanFor(const World& world, const Stack& stack, const Proposal& proposal,
                                 const Tags& tags);
// Why the plan cannot be carried out, as a sentence; empty when it can.
std::string Objection(const ChangePlan& plan);

// Has this very request been carried out already? A token that came with another operation is a
// fault.
aws::Outcome<bool> IsRepeated(const Stack& stack, const std::optional<std::string>& token,
                              std::string_view operation);
void SetToken(Stack& stack, const std::optional<std::string>& token, std::string_view operation);

bool CanBeUpdated(const Stack& stack);
std::unexpected<aws::Fault> CannotBeUpdated(const Stack& stack);
aws::Fault StackNotFound(const std::string& name);
// Commits; a lost race is told as such.
aws::Outcome<void> CommitOrRefuse(const World& world, const store::Transaction& transaction);

// One page of at most 100, from where the token says.
template <typename T>
aws::Outcome<std::vector<T>> PageOf(std::vector<T> all, const std::optional<std::string>& token,
                                    std::optional<std::string>& next, std::size_t most = 100) {
  std::size_t from = 0;
  if (token) {
    for (const char c : *token) {
      if (c < '0' || c > '9' || token->size() > 9) {
        return aws::Refuse(aws::ValidationError("NextToken is not valid"));
      }
      from = from * 10 + static_cast<std::size_t>(c - '0');
    }
  }
  std::vector<T> page;
  for (std::size_t at = from; at < all.size() && page.size() < most; ++at) {
    page.push_back(std::move(all[at]));
  }
  if (from + page.size() < all.size()) next = std::to_string(from + page.size());
  return page;
}

}  // namespace howdah::cfn
