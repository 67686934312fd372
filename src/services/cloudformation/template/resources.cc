// The Resources section: types, policies, properties, and where each reference leads.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "services/cloudformation/template/functions.h"
#include "services/cloudformation/template/properties.h"
#include "services/cloudformation/template/resource_types.h"
#include "services/cloudformation/template/template.h"

namespace howdah::cfn {

namespace {

constexpr std::size_t kMaxResources = 500;

constexpr std::array<std::string_view, 8> kPseudoParameters = {
    "AWS::Region",  "AWS::AccountId", "AWS::StackName", "AWS::StackId",
    "AWS::NoValue", "AWS::Partition", "AWS::URLSuffix", "AWS::NotificationARNs"};

bool IsAlphanumeric(std::string_view text) {
  return !text.empty() && text.size() <= 255 && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  });
}

Result<DeletionPolicy> ReadPolicy(const Entry& entry, const Source& source) {
  const std::string& text = entry.value.text;
  if (text == "Delete") return DeletionPolicy::kDelete;
  if (text == "Retain") return DeletionPolicy::kRetain;
  if (text == "RetainExceptOnCreate" && entry.key == "DeletionPolicy") {
    return DeletionPolicy::kRetainExceptOnCreate;
  }
  if (text == "Snapshot") {
    return source.Refuse(entry.value.mark,
                         fmt::format("{}: Snapshot is not supported until snapshots are; "
                                     "use Delete or Retain",
                                     entry.key));
  }
  return source.Refuse(entry.value.mark, fmt::format("Unrecognized {} {}", entry.key, text));
}

Result<> ReadDependsOn(const Node& node, const Source& source, Resource& resource) {
  const auto add = [&](const Node& name) -> Result<> {
    if (!name.IsScalar()) {
      return source.Refuse(name.mark, "DependsOn must be a string or a list of strings");
    }
    resource.depends_on.insert(name.text);
    return {};
  };
  if (!node.IsList()) return add(node);
  for (const Node& item : node.items) TRY(add(item));
  return {};
}

Result<> ReadAttribute(const Entry& entry, const Source& source, Resource& resource) {
  if (entry.key == "Type" || entry.key == "Metadata") return {};
  if (entry.key == "Properties") {
    if (!entry.value.IsMap() || FunctionOf(entry.value)) {
      return source.Refuse(entry.value.mark, "Properties must be a map");
    }
    resource.properties = entry.value;
    return {};
  }
  if (entry.key == "DependsOn") return ReadDependsOn(entry.value, source, resource);
  if (entry.key == "DeletionPolicy") {
    TRY_ASSIGN(resource.deletion_policy, ReadPolicy(entry, source));
    return {};
  }
  // A resource is never replaced yet, so this policy has nothing to do; it must be a right one.
  if (entry.key == "UpdateReplacePolicy") {
    TRY(ReadPolicy(entry, source));
    return {};
  }
  return source.Refuse(entry.mark, fmt::format("{} of resource {} is not supported", entry.key,
                                               resource.logical_id));
}

// On AWS a DB instance without a policy leaves a snapshot behind; we must not promise that.
Result<> RefuseSnapshotByDefault(const Resource& resource, const Node& node, const Source& source) {
  if (resource.type != "AWS::RDS::DBInstance" || node.Find("DeletionPolicy") != nullptr) return {};
  return source.Refuse(resource.mark,
                       fmt::format("{} has no DeletionPolicy, which for AWS::RDS::DBInstance means "
                                   "Snapshot, and that is not supported until snapshots are; "
                                   "use Delete or Retain",
                                   resource.logical_id));
}

Result<Resource> ReadResource(const Entry& entry, const Source& source) {
  if (!IsAlphanumeric(entry.key)) {
    return source.Refuse(entry.mark,
                         fmt::format("Resource name {} is non alphanumeric.", entry.key));
  }
  if (!entry.value.IsMap()) {
    return source.Refuse(entry.mark, "Every Resources object must be a map.");
  }
  Resource resource;
  resource.logical_id = entry.key;
  resource.mark = entry.mark;
  resource.properties.kind = Node::Kind::kMap;
  const Node* type = entry.value.Find("Type");
  if (type == nullptr || !type->IsScalar()) {
    return source.Refuse(entry.mark, fmt::format("[/Resources/{}] Every Resources object must "
                                                 "contain a Type member.",
                                                 entry.key));
  }
  resource.type = type->text;
  const ResourceType* known = FindResourceType(type->text);
  if (known == nullptr) {
    return source.Refuse(type->mark, fmt::format("Unrecognized resource types: [{}]", type->text));
  }
  for (const Entry& member : entry.value.entries) TRY(ReadAttribute(member, source, resource));
  std::vector<Reference> references;  // looked at when all resources are known
  TRY(CheckValue(resource.properties, source, references));
  TRY(RefuseSnapshotByDefault(resource, entry.value, source));
  TRY(CheckProperties(*known, resource.properties, resource.mark, source));
  return resource;
}

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

Result<> LinkResource(const Template& made, Resource& resource, const Source& source) {
  for (const std::string& name : resource.depends_on) {
    if (made.FindResource(name) == nullptr) {
      return source.Refuse(resource.mark,
                           fmt::format("Unresolved resource dependencies [{}] in the Resources "
                                       "block of the template",
                                       name));
    }
  }
  std::vector<Reference> references;
  TRY(CheckValue(resource.properties, source, references));
  TRY(CheckDynamicReferences(resource.properties, source));
  for (const Reference& reference : references) {
    TRY(CheckReference(made, reference, "Resources", source));
    if (made.FindResource(reference.target) != nullptr) {
      resource.depends_on.insert(reference.target);
    }
  }
  return {};
}

}  // namespace

bool IsPseudoParameter(std::string_view name) {
  return std::ranges::find(kPseudoParameters, name) != kPseudoParameters.end();
}

Result<std::vector<Resource>> ReadResources(const Node& section, const Source& source) {
  if (!section.IsMap()) return source.Refuse(section.mark, "Resources must be a map");
  if (section.entries.size() > kMaxResources) {
    return source.Refuse(section.mark, "more than 500 resources");
  }
  std::vector<Resource> resources;
  for (const Entry& entry : section.entries) {
    TRY_ASSIGN(Resource resource, ReadResource(entry, source));
    resources.push_back(std::move(resource));
  }
  return resources;
}

Result<> LinkResources(Template& made, const Source& source) {
  for (const Resource& resource : made.resources) {
    if (made.FindParameter(resource.logical_id) != nullptr) {
      return source.Refuse(
          resource.mark, fmt::format("{} is both a parameter and a resource", resource.logical_id));
    }
  }
  for (Resource& resource : made.resources) TRY(LinkResource(made, resource, source));
  for (const Output& output : made.outputs) {
    std::vector<Reference> references;
    TRY(CheckValue(output.value, source, references));
    for (const Reference& reference : references) {
      TRY(CheckReference(made, reference, "Outputs", source));
      const Parameter* parameter = made.FindParameter(reference.target);
      if (parameter != nullptr && parameter->no_echo) {
        return source.Refuse(reference.mark,
                             fmt::format("output {} would show the NoEcho parameter "
                                         "{}",
                                         output.name, parameter->name));
      }
    }
    // A secret in an output would be shown to whoever may look at the stack.
    if (MentionsSecret(output.value)) {
      return source.Refuse(output.value.mark, "dynamic references are not supported in Outputs");
    }
  }
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
