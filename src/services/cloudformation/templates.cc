// GetTemplate, GetTemplateSummary, ValidateTemplate.
#include <fmt/format.h>

#include <map>

#include "services/cloudformation/change_sets.h"

namespace howdah::cfn {

namespace {

using aws::RequestContext;

std::optional<std::string> Said(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

// Scalars are strings, as they are in templates.
json::value JsonOf(const Node& node) {
  if (node.IsScalar()) return json::value(json::string(node.text));
  if (node.IsList()) {
    json::array list;
    for (const Node& item : node.items) list.push_back(JsonOf(item));
    return list;
  }
  if (!node.IsMap()) return nullptr;
  json::object map;
  for (const Entry& entry : node.entries) map.emplace(entry.key, JsonOf(entry.value));
  return map;
}

// The default of a parameter that must not be seen is not shown either.
std::optional<std::string> ShownDefault(const Parameter& parameter) {
  if (parameter.default_value && parameter.no_echo) return "****";
  return parameter.default_value;
}

aws::Outcome<api::GetTemplateOutput> GetTemplate(const World& world,
                                                 const api::GetTemplateInput& in) {
  // Without transforms the processed template is the original one.
  if (in.template_stage && *in.template_stage != "Original" && *in.template_stage != "Processed") {
    return aws::Refuse(aws::ValidationError("TemplateStage must be Original or Processed"));
  }
  api::GetTemplateOutput out;
  if (in.change_set_name) {
    OUTCOME_ASSIGN(const StoredChangeSet found,
                   FindChangeSet(world, *in.change_set_name, in.stack_name));
    const auto source = OpenSource(world.sealer, found.set.source, found.set.stack_id);
    if (!source) return aws::Refuse(aws::FaultOf(source.error()));
    out.template_body = source->body;
  } else {
    if (!in.stack_name) return aws::Refuse(aws::ValidationError("StackName must be specified."));
    OUTCOME_ASSIGN(const StoredStack stored, FindStack(world, *in.stack_name));
    OUTCOME_ASSIGN(const StackSource source, SourceOf(world, stored.stack));
    out.template_body = source.body;
  }
  out.stages_available = {"Original", "Processed"};
  return out;
}

aws::Outcome<std::string> BodyFor(const World& world, const api::GetTemplateSummaryInput& in) {
  if (in.template_url) return NotSupported("TemplateURL");
  if (in.stack_set_name) return NotSupported("StackSetName");
  if (in.template_body.has_value() == in.stack_name.has_value()) {
    return aws::Refuse(
        aws::ValidationError("Exactly one of StackName and TemplateBody must be specified."));
  }
  if (in.template_body) return *in.template_body;
  OUTCOME_ASSIGN(const StoredStack stored, FindStack(world, *in.stack_name));
  OUTCOME_ASSIGN(const StackSource source, SourceOf(world, stored.stack));
  return source.body;
}

aws::Outcome<api::GetTemplateSummaryOutput> GetTemplateSummary(
    const World& world, const api::GetTemplateSummaryInput& in) {
  OUTCOME_ASSIGN(const std::string body, BodyFor(world, in));
  OUTCOME_ASSIGN(const Template made, ReadTemplate(body));
  api::GetTemplateSummaryOutput out;
  out.description = Said(made.description);
  out.version = Said(made.version);
  for (const Parameter& parameter : made.parameters) {
    api::ParameterDeclaration shown;
    shown.parameter_key = parameter.name;
    shown.default_value = ShownDefault(parameter);
    shown.parameter_type = parameter.type;
    shown.no_echo = parameter.no_echo;
    shown.description = Said(parameter.description);
    shown.parameter_constraints = api::ParameterConstraints{};
    if (!parameter.allowed_values.empty()) {
      shown.parameter_constraints->allowed_values =
          aws::List<std::string>(parameter.allowed_values);
    }
    out.parameters.push_back(std::move(shown));
  }
  std::map<std::string, std::vector<std::string>> types;
  for (const Resource& resource : made.resources) {
    types[resource.type].push_back(resource.logical_id);
  }
  for (const auto& [type, ids] : types) {
    out.resource_types.push_back(type);
    api::ResourceIdentifierSummary summary;
    summary.resource_type = type;
    summary.logical_resource_ids = aws::List<std::string>(ids);
    out.resource_identifier_summaries.push_back(std::move(summary));
  }
  if (made.metadata.IsMap()) out.metadata = json::serialize(JsonOf(made.metadata));
  return out;
}

aws::Outcome<api::ValidateTemplateOutput> ValidateTemplate(const api::ValidateTemplateInput& in) {
  if (in.template_url) return NotSupported("TemplateURL");
  if (!in.template_body) {
    return aws::Refuse(
        aws::ValidationError("Either Template URL or Template Body must be specified."));
  }
  OUTCOME_ASSIGN(const Template made, ReadTemplate(*in.template_body));
  api::ValidateTemplateOutput out;
  out.description = Said(made.description);
  for (const Parameter& parameter : made.parameters) {
    api::TemplateParameter shown;
    shown.parameter_key = parameter.name;
    shown.default_value = ShownDefault(parameter);
    shown.no_echo = parameter.no_echo;
    shown.description = Said(parameter.description);
    out.parameters.push_back(std::move(shown));
  }
  return out;
}

}  // namespace

void RegisterTemplates(aws::Service& service, const World& world) {
  service.Register<api::GetTemplate>(
      [world](const RequestContext&, const auto& in) { return GetTemplate(world, in); });
  service.Register<api::GetTemplateSummary>(
      [world](const RequestContext&, const auto& in) { return GetTemplateSummary(world, in); });
  service.Register<api::ValidateTemplate>(
      [](const RequestContext&, const auto& in) { return ValidateTemplate(in); });
}

}  // namespace howdah::cfn
