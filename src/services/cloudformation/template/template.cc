// The sections of a template, and what each must be.
#include "services/cloudformation/template/template.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "services/cloudformation/template/functions.h"
#include "services/cloudformation/template/yaml.h"

namespace howdah::cfn {

namespace {

constexpr std::size_t kMaxOutputs = 200;

constexpr std::array<std::string_view, 6> kSections = {
    "AWSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Resources", "Outputs"};
constexpr std::array<std::string_view, 5> kUnservedSections = {"Conditions", "Mappings",
                                                               "Transform", "Rules", "Hooks"};

Result<> CheckSections(const Node& root, const Source& source) {
  if (!root.IsMap()) return source.Refuse(root.mark, "the template must be a map");
  for (const Entry& entry : root.entries) {
    if (std::ranges::find(kUnservedSections, entry.key) != kUnservedSections.end()) {
      return source.Refuse(entry.mark, fmt::format("the section {} is not supported", entry.key));
    }
    if (std::ranges::find(kSections, entry.key) == kSections.end()) {
      return source.Refuse(entry.mark,
                           fmt::format("Invalid template property or properties [{}]", entry.key));
    }
  }
  return {};
}

Result<> ReadHead(const Node& root, const Source& source, Template& made) {
  if (const Node* version = root.Find("AWSTemplateFormatVersion")) {
    if (!version->IsScalar() || version->text != "2010-09-09") {
      return source.Refuse(version->mark, "AWSTemplateFormatVersion must be 2010-09-09");
    }
    made.version = version->text;
  }
  if (const Node* description = root.Find("Description")) {
    if (!description->IsScalar() || description->text.size() > 1024) {
      return source.Refuse(description->mark, "Description must be a string of at most 1024 bytes");
    }
    made.description = description->text;
  }
  if (const Node* metadata = root.Find("Metadata"); metadata != nullptr && !metadata->IsMap()) {
    return source.Refuse(metadata->mark, "Metadata must be a map");
  }
  return {};
}

Result<Output> ReadOutput(const Entry& entry, const Source& source) {
  if (!entry.value.IsMap()) return source.Refuse(entry.mark, "an output must be a map");
  Output output{.name = entry.key, .description = {}, .value = {}};
  const Node* value = nullptr;
  for (const Entry& member : entry.value.entries) {
    if (member.key == "Value") {
      value = &member.value;
    } else if (member.key == "Description" && member.value.IsScalar()) {
      output.description = member.value.text;
    } else {
      return source.Refuse(member.mark,
                           fmt::format("{} of output {} is not supported", member.key, entry.key));
    }
  }
  if (value == nullptr) {
    return source.Refuse(entry.mark,
                         fmt::format("every Outputs member must contain a Value: {}", entry.key));
  }
  if (!value->IsScalar() && !FunctionOf(*value)) {
    return source.Refuse(value->mark, "the Value of an output must be a string");
  }
  output.value = *value;
  return output;
}

Result<std::vector<Output>> ReadOutputs(const Node& section, const Source& source) {
  if (!section.IsMap()) return source.Refuse(section.mark, "Outputs must be a map");
  if (section.entries.size() > kMaxOutputs) {
    return source.Refuse(section.mark, "more than 200 outputs");
  }
  std::vector<Output> outputs;
  for (const Entry& entry : section.entries) {
    TRY_ASSIGN(Output output, ReadOutput(entry, source));
    outputs.push_back(std::move(output));
  }
  return outputs;
}

}  // namespace

const Parameter* Template::FindParameter(std::string_view name) const {
  const auto found = std::ranges::find(parameters, name, &Parameter::name);
  return found == parameters.end() ? nullptr : &*found;
}

const Resource* Template::FindResource(std::string_view logical_id) const {
  const auto found = std::ranges::find(resources, logical_id, &Resource::logical_id);
  return found == resources.end() ? nullptr : &*found;
}

Result<Template> ParseTemplate(std::string_view text, std::string_view file) {
  const Source source{std::string(file)};
  TRY_ASSIGN(const Node root, ParseYaml(text, source));
  TRY(CheckSections(root, source));
  Template made;
  TRY(ReadHead(root, source, made));
  if (const Node* parameters = root.Find("Parameters")) {
    TRY_ASSIGN(made.parameters, ReadParameters(*parameters, source));
  }
  const Node* resources = root.Find("Resources");
  if (resources == nullptr || resources->entries.empty()) {
    return source.Refuse(resources == nullptr ? root.mark : resources->mark,
                         "At least one Resources member must be defined.");
  }
  TRY_ASSIGN(made.resources, ReadResources(*resources, source));
  if (const Node* outputs = root.Find("Outputs")) {
    TRY_ASSIGN(made.outputs, ReadOutputs(*outputs, source));
  }
  TRY(LinkResources(made, source));
  TRY(CheckAcyclic(made, source));
  return made;
}

}  // namespace howdah::cfn
