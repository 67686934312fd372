// The sections of a template, and what each must be.
#include "services/cloudformation/template/template.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "services/cloudformation/template/yaml.h"

namespace howdah::cfn {

namespace {

constexpr std::size_t kMaxDescriptionBytes = 1024;

constexpr std::array<std::string_view, 8> kSections = {"AWSTemplateFormatVersion",
                                                       "Description",
                                                       "Metadata",
                                                       "Parameters",
                                                       "Mappings",
                                                       "Conditions",
                                                       "Resources",
                                                       "Outputs"};
constexpr std::array<std::string_view, 3> kUnservedSections = {"Transform", "Rules", "Hooks"};

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
    if (!description->IsScalar()) {
      return source.Refuse(description->mark, "Every Description member must be a string.");
    }
    if (description->text.size() > kMaxDescriptionBytes) {
      return source.Refuse(description->mark, "'Description' length is greater than 1024.");
    }
    made.description = description->text;
  }
  if (const Node* metadata = root.Find("Metadata")) {
    if (!metadata->IsMap()) return source.Refuse(metadata->mark, "Metadata must be a map");
    made.metadata = *metadata;
  }
  return {};
}

}  // namespace

const Parameter* Template::FindParameter(std::string_view name) const {
  const auto found = std::ranges::find(parameters, name, &Parameter::name);
  return found == parameters.end() ? nullptr : &*found;
}

const Condition* Template::FindCondition(std::string_view name) const {
  const auto found = std::ranges::find(conditions, name, &Condition::name);
  return found == conditions.end() ? nullptr : &*found;
}

bool IsLogicalName(std::string_view text) {
  return !text.empty() && text.size() <= 255 && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  });
}

Result<> CheckCount(const Node& section, std::string_view what, std::size_t most,
                    const Source& source) {
  if (section.entries.size() <= most) return {};
  return source.Refuse(section.mark,
                       fmt::format("Number of {}, {}, is greater than maximum allowed, {}", what,
                                   section.entries.size(), most));
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
  if (const Node* mappings = root.Find("Mappings")) {
    TRY_ASSIGN(made.mappings, ReadMappings(*mappings, source));
  }
  if (const Node* conditions = root.Find("Conditions")) {
    TRY_ASSIGN(made.conditions, ReadConditions(*conditions, source));
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
  TRY(LinkConditions(made, source));
  TRY(LinkResources(made, source));
  // With conditions, what closes a circle may never be there at once: see MakeDefinite.
  if (made.conditions.empty()) TRY(CheckAcyclic(made, source));
  return made;
}

}  // namespace howdah::cfn
