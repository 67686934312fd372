// Reading requests and answering in AWS's words.
#include <fmt/format.h>

#include <algorithm>

#include "services/cloudformation/handlers.h"

namespace howdah::cfn {

namespace {

// AWS takes no larger template in a request.
constexpr std::size_t kMaxTemplateBody = 51'200;
constexpr std::size_t kMaxNameBytes = 128;
constexpr std::size_t kMaxTags = 40;  // ours come on top, and a resource may have 50

bool IsLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

}  // namespace

std::unexpected<aws::Fault> NotSupported(std::string_view what) {
  return aws::Refuse(aws::ValidationError(fmt::format("{} is not supported", what)));
}

aws::Outcome<void> RefuseUnserved(const Unserved& options) {
  if (options.template_url) return NotSupported("TemplateURL");
  if (options.role_arn) return NotSupported("RoleARN");
  if (!options.notification_arns.empty()) return NotSupported("NotificationARNs");
  if (!options.resource_types.empty()) return NotSupported("ResourceTypes");
  const auto& rollback = options.rollback_configuration;
  if (rollback && (!rollback->rollback_triggers.empty() ||
                   rollback->monitoring_time_in_minutes.value_or(0) != 0)) {
    return NotSupported("RollbackConfiguration");
  }
  return {};
}

aws::Outcome<void> CheckStackName(const std::string& name) {
  const bool right = !name.empty() && name.size() <= kMaxNameBytes && IsLetter(name[0]) &&
                     std::ranges::all_of(name, [](char c) {
                       return IsLetter(c) || (c >= '0' && c <= '9') || c == '-';
                     });
  if (right) return {};
  return aws::Refuse(aws::ValidationError(fmt::format(
      "1 validation error detected: Value '{}' at 'stackName' failed to satisfy constraint: Member "
      "must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*",
      name)));
}

aws::Outcome<Tags> ReadTags(const aws::List<api::Tag>& tags) {
  Tags made;
  for (const api::Tag& tag : tags) {
    const std::string key = tag.key.value_or("");
    if (key.empty() || key.size() > 128 || key.starts_with("aws:") ||
        key.starts_with("cloudformation:")) {
      return aws::Refuse(aws::ValidationError(fmt::format("Invalid tag key: {}", key)));
    }
    made[key] = tag.value.value_or("");
  }
  if (made.size() > kMaxTags) return aws::Refuse(aws::ValidationError("Too many tags"));
  return made;
}

aws::List<api::Tag> TagList(const Tags& tags) {
  aws::List<api::Tag> list;
  for (const auto& [key, value] : tags) list.push_back({.key = key, .value = value});
  return list;
}

aws::Outcome<Template> ReadTemplate(const std::string& body) {
  if (body.size() > kMaxTemplateBody) {
    return aws::Refuse(aws::ValidationError(
        "1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member "
        "must have length less than or equal to 51200"));
  }
  auto made = ParseTemplate(body);
  if (!made) {
    return aws::Refuse(aws::ValidationError("Template format error: " + made.error().what()));
  }
  return *std::move(made);
}

Surroundings SurroundingsOf(const Stack& stack) {
  return {stack.region, stack.account_id, stack.name, stack.arn};
}

aws::Outcome<Template> Decide(Template declared, const ParameterValues& values,
                              const Stack& stack) {
  auto made = MakeDefinite(std::move(declared), values, SurroundingsOf(stack));
  if (made) return *std::move(made);
  const bool own = made.error().what().starts_with("Template error");
  return aws::Refuse(
      aws::ValidationError((own ? "" : "Template format error: ") + made.error().what()));
}

namespace {

aws::Outcome<ParameterValues> GivenValues(const aws::List<api::Parameter>& parameters,
                                          const StackSource* previous) {
  ParameterValues given;
  for (const api::Parameter& parameter : parameters) {
    const std::string key = parameter.parameter_key.value_or("");
    if (!parameter.use_previous_value.value_or(false)) {
      if (!parameter.parameter_value) {
        return aws::Refuse(
            aws::ValidationError(fmt::format("Parameters: [{}] must have values", key)));
      }
      given[key] = *parameter.parameter_value;
      continue;
    }
    if (parameter.parameter_value) {
      return aws::Refuse(aws::ValidationError(fmt::format(
          "Invalid input for parameter key {}. Cannot specify usePreviousValue as true and "
          "parameterValue together",
          key)));
    }
    const bool known = previous != nullptr && previous->parameters.contains(key);
    if (!known) {
      return aws::Refuse(aws::ValidationError(fmt::format(
          "Invalid input for parameter key {}. Cannot specify usePreviousValue as true for a "
          "parameter key not in the previous template",
          key)));
    }
    given[key] = previous->parameters.find(key)->second;
  }
  return given;
}

}  // namespace

aws::Outcome<Proposal> ReadProposal(const World& world, const aws::RequestContext& context,
                                    const Stack& stack, const Wanted& wanted,
                                    const StackSource* previous) {
  if (wanted.body.has_value() == wanted.previous_template ||
      (wanted.previous_template && previous == nullptr)) {
    return aws::Refuse(
        aws::ValidationError("Either Template URL or Template Body must be specified."));
  }
  Proposal proposal;
  proposal.source.body = wanted.previous_template ? previous->body : *wanted.body;
  OUTCOME_ASSIGN(Template declared, ReadTemplate(proposal.source.body));
  OUTCOME_ASSIGN(const ParameterValues given, GivenValues(wanted.parameters, previous));
  auto values = ResolveParameters(declared, given);
  if (!values) return aws::Refuse(aws::ValidationError(values.error().what()));
  OUTCOME_TRY(CheckNamedThings(world, context, declared, *values));
  proposal.source.parameters = *std::move(values);
  OUTCOME_ASSIGN(proposal.made, Decide(std::move(declared), proposal.source.parameters, stack));
  return proposal;
}

aws::List<api::Parameter> ShownParameters(const Template& made, const ParameterValues& values) {
  aws::List<api::Parameter> shown;
  for (const Parameter& parameter : made.parameters) {
    const auto found = values.find(parameter.name);
    if (found == values.end()) continue;
    api::Parameter one;
    one.parameter_key = parameter.name;
    one.parameter_value = parameter.no_echo ? "****" : found->second;
    shown.push_back(std::move(one));
  }
  return shown;
}

aws::Fault StackNotFound(const std::string& name) {
  return aws::ValidationError(fmt::format("Stack with id {} does not exist", name));
}

aws::Outcome<StoredStack> FindStack(const World& world, const std::string& name_or_arn) {
  std::string id;
  if (name_or_arn.starts_with("arn:")) {
    id = name_or_arn.substr(name_or_arn.rfind('/') + 1);
  } else {
    const auto name = world.store.Get(NameKey(name_or_arn));
    if (!name && name.error().code() == Code::kNotFound) {
      return aws::Refuse(StackNotFound(name_or_arn));
    }
    if (!name) return aws::Refuse(aws::FaultOf(name.error()));
    id = name->value;
  }
  auto stack = GetStack(world.store, id);
  const bool missing = stack ? (name_or_arn.starts_with("arn:") && stack->stack.arn != name_or_arn)
                             : stack.error().code() == Code::kNotFound;
  if (missing) return aws::Refuse(StackNotFound(name_or_arn));
  if (!stack) return aws::Refuse(aws::FaultOf(stack.error()));
  return *std::move(stack);
}

aws::Outcome<StackSource> SourceOf(const World& world, const Stack& stack) {
  if (stack.source.empty()) return StackSource{};
  auto source = OpenSource(world.sealer, stack.source, stack.id);
  if (!source) return aws::Refuse(aws::FaultOf(source.error()));
  return *std::move(source);
}

aws::Outcome<void> CommitOrRefuse(const World& world, const store::Transaction& transaction) {
  const auto committed = world.store.Commit(transaction);
  if (committed) return {};
  if (committed.error().code() == Code::kConflict) {
    return aws::Refuse("OperationInProgressException",
                       "Another operation on the stack came first. Please try again.", 409);
  }
  return aws::Refuse(aws::FaultOf(committed.error()));
}

}  // namespace howdah::cfn
