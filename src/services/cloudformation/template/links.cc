// Where each reference of resources and outputs leads, and that no circle is among them.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "services/cloudformation/template/functions.h"
#include "services/cloudformation/template/resource_types.h"
#include "services/cloudformation/template/template.h"

namespace howdah::cfn {

namespace {

constexpr std::array<std::string_view, 8> kPseudoParameters = {
    "AWS::Region",  "AWS::AccountId", "AWS::StackName", "AWS::StackId",
    "AWS::NoValue", "AWS::Partition", "AWS::URLSuffix", "AWS::NotificationARNs"};

Result<> CheckReference(const Template& made, const Reference& reference, std::string_view block,
                        const Source& source) {
  const Resource* resource = made.FindResource(reference.target);
  if (reference.attribute.empty()) {
    const bool known = resource != nullptr || IsPseudoParameter(reference.target) ||
                       made.FindParameter(reference.target) != nullptr;
    if (known) return {};
    return source.Refuse(reference.mark,
                         fmt::format("Unresolved resource dependencies [{}] in the {} block of the "
                                     "template",
                                     reference.target, block));
  }
  if (resource == nullptr) {
    return source.Refuse(
        reference.mark,
        fmt::format("instance of Fn::GetAtt references undefined resource {}", reference.target));
  }
  if (FindResourceType(resource->type)->HasAttribute(reference.attribute)) return {};
  return source.Refuse(reference.mark,
                       fmt::format("resource {} does not support attribute type {} in Fn::GetAtt",
                                   reference.target, reference.attribute));
}

Result<> CheckDynamicReferences(const Node& node, const Source& source) {
  if (node.IsScalar()) {
    std::size_t at = 0;
    while ((at = node.text.find("{{resolve:", at)) != std::string::npos) {
      if (!std::string_view(node.text).substr(at).starts_with("{{resolve:secretsmanager:")) {
        return source.Refuse(node.mark, "only dynamic references to secretsmanager are supported");
      }
      at += 2;
    }
  }
  for (const Node& item : node.items) TRY(CheckDynamicReferences(item, source));
  for (const Entry& entry : node.entries) TRY(CheckDynamicReferences(entry.value, source));
  return {};
}

bool MentionsSecret(const Node& node) {
  if (node.text.find("{{resolve:") != std::string::npos) return true;
  return std::ranges::any_of(node.items, MentionsSecret) ||
         std::ranges::any_of(node.entries,
                             [](const Entry& entry) { return MentionsSecret(entry.value); });
}

// The conditions and mappings that a value names must be there.
Result<> CheckNames(const Template& made, const Uses& uses, std::string_view block,
                    const Source& source) {
  for (const Reference& condition : uses.conditions) {
    if (made.FindCondition(condition.target) != nullptr) continue;
    return source.Refuse(condition.mark,
                         fmt::format("Unresolved condition dependency {} in the {} block of the "
                                     "template",
                                     condition.target, block));
  }
  for (const Reference& map : uses.maps) {
    if (made.mappings.contains(map.target)) continue;
    return source.Refuse(map.mark, fmt::format("Mapping named '{}' is not present in the "
                                               "'Mappings' section of template.",
                                               map.target));
  }
  return {};
}

Result<> LinkResource(const Template& made, Resource& resource, const Source& source) {
  resource.depends_on = resource.explicit_depends_on;
  for (const std::string& name : resource.depends_on) {
    if (made.FindResource(name) == nullptr) {
      return source.Refuse(resource.mark,
                           fmt::format("Unresolved resource dependencies [{}] in the Resources "
                                       "block of the template",
                                       name));
    }
  }
  Uses uses;
  TRY(CheckValue(resource.properties, Place::kValue, source, uses));
  TRY(CheckDynamicReferences(resource.properties, source));
  if (!resource.condition.empty())
    uses.conditions.push_back({resource.condition, "", resource.mark});
  TRY(CheckNames(made, uses, "Resources", source));
  for (const Reference& reference : uses.references) {
    TRY(CheckReference(made, reference, "Resources", source));
    if (made.FindResource(reference.target) != nullptr) {
      resource.depends_on.insert(reference.target);
    }
  }
  return {};
}

Result<> LinkOutput(const Template& made, const Output& output, const Source& source) {
  Uses uses;
  TRY(CheckValue(output.value, Place::kValue, source, uses));
  if (!output.condition.empty()) {
    uses.conditions.push_back({output.condition, "", output.value.mark});
  }
  TRY(CheckNames(made, uses, "Outputs", source));
  for (const Reference& reference : uses.references) {
    TRY(CheckReference(made, reference, "Outputs", source));
    const Parameter* parameter = made.FindParameter(reference.target);
    if (parameter == nullptr || !parameter->no_echo) continue;
    return source.Refuse(reference.mark, fmt::format("output {} would show the NoEcho parameter {}",
                                                     output.name, parameter->name));
  }
  // A secret in an output would be shown to whoever may look at the stack.
  if (MentionsSecret(output.value)) {
    return source.Refuse(output.value.mark, "dynamic references are not supported in Outputs");
  }
  if (!output.export_name) return {};
  Uses name;
  TRY(CheckValue(*output.export_name, Place::kValue, source, name));
  TRY(CheckNames(made, name, "Outputs", source));
  for (const Reference& reference : name.references) {
    TRY(CheckReference(made, reference, "Outputs", source));
    if (made.FindResource(reference.target) == nullptr) continue;
    return source.Refuse(reference.mark,
                         fmt::format("Output {} is malformed. The Name field of an Export must not "
                                     "depend on any resources.",
                                     output.name));
  }
  return {};
}

}  // namespace

bool IsPseudoParameter(std::string_view name) {
  return std::ranges::find(kPseudoParameters, name) != kPseudoParameters.end();
}

Result<> LinkResources(Template& made, const Source& source) {
  for (const Resource& resource : made.resources) {
    if (made.FindParameter(resource.logical_id) != nullptr) {
      return source.Refuse(
          resource.mark, fmt::format("{} is both a parameter and a resource", resource.logical_id));
    }
  }
  for (Resource& resource : made.resources) TRY(LinkResource(made, resource, source));
  for (const Output& output : made.outputs) TRY(LinkOutput(made, output, source));
  return {};
}

namespace {

// Depth first; `path` holds the resources on the way. A circle is the path from where it closes.
struct CircleSearch {
  const Template& made;
  std::map<std::string, int, std::less<>> state;  // 1: on the path, 2: clear
  std::vector<std::string> path;

  bool Finds(const Resource& resource) {
    state[resource.logical_id] = 1;
    path.push_back(resource.logical_id);
    for (const std::string& next : resource.depends_on) {
      const int seen = state[next];
      if (seen == 1) {
        path.erase(path.begin(), std::ranges::find(path, next));
        return true;
      }
      if (seen == 0 && Finds(*made.FindResource(next))) return true;
    }
    state[resource.logical_id] = 2;
    path.pop_back();
    return false;
  }
};

}  // namespace

Result<> CheckAcyclic(const Template& made, const Source& source) {
  CircleSearch search{made, {}, {}};
  for (const Resource& resource : made.resources) {
    if (search.state[resource.logical_id] != 0 || !search.Finds(resource)) continue;
    return source.Refuse(
        made.FindResource(search.path.front())->mark,
        fmt::format("Circular dependency between resources: [{}]", fmt::join(search.path, ", ")));
  }
  return {};
}

}  // namespace howdah::cfn
