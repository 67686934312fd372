// The Resources section: types, policies, properties.
#include <fmt/format.h>

#include "services/cloudformation/template/functions.h"
#include "services/cloudformation/template/properties.h"
#include "services/cloudformation/template/resource_types.h"
#include "services/cloudformation/template/template.h"

namespace howdah::cfn {

namespace {

constexpr std::size_t kMaxResources = 500;

Result<DeletionPolicy> ReadPolicy(const Entry& entry, const Source& source) {
  if (!entry.value.IsScalar()) {
    return source.Refuse(entry.value.mark,
                         fmt::format("Every {} member must be a string.", entry.key));
  }
  const std::string& text = entry.value.text;
  if (text == "Delete") return DeletionPolicy::kDelete;
  if (text == "Retain") return DeletionPolicy::kRetain;
  if (text == "RetainExceptOnCreate" && entry.key == "DeletionPolicy") {
    return DeletionPolicy::kRetainExceptOnCreate;
  }
  if (text == "Snapshot") return DeletionPolicy::kSnapshot;
  return source.Refuse(entry.value.mark, fmt::format("Unrecognized {} {}", entry.key, text));
}

Result<> ReadDependsOn(const Node& node, const Source& source, Resource& resource) {
  const auto add = [&](const Node& name) -> Result<> {
    if (!name.IsScalar()) {
      return source.Refuse(name.mark, "DependsOn must be a string or a list of strings");
    }
    resource.explicit_depends_on.insert(name.text);
    return {};
  };
  if (!node.IsList()) return add(node);
  for (const Node& item : node.items) TRY(add(item));
  return {};
}

Result<> ReadAttribute(const Entry& entry, const Source& source, Resource& resource) {
  if (entry.key == "Type") return {};
  if (entry.key == "Metadata") {
    if (!entry.value.IsMap()) return source.Refuse(entry.value.mark, "Metadata must be a map");
    resource.metadata = entry.value;
    return {};
  }
  if (entry.key == "Condition") {
    if (!entry.value.IsScalar()) {
      return source.Refuse(entry.value.mark, "Condition must be the name of a condition");
    }
    resource.condition = entry.value.text;
    return {};
  }
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
  if (entry.key == "UpdateReplacePolicy") {
    TRY_ASSIGN(resource.replace_policy, ReadPolicy(entry, source));
    return {};
  }
  return source.Refuse(entry.mark, fmt::format("{} of resource {} is not supported", entry.key,
                                               resource.logical_id));
}

// A DB instance is the one thing that there are snapshots of; without a policy it leaves one.
Result<> SettlePolicies(const Node& node, const Source& source, Resource& resource) {
  if (resource.type == "AWS::RDS::DBInstance") {
    if (node.Find("DeletionPolicy") == nullptr) {
      resource.deletion_policy = DeletionPolicy::kSnapshot;
    }
    return {};
  }
  const bool wants_one = resource.deletion_policy == DeletionPolicy::kSnapshot ||
                         resource.replace_policy == DeletionPolicy::kSnapshot;
  if (!wants_one) return {};
  return source.Refuse(resource.mark,
                       fmt::format("{}: Snapshot is no policy for {}; use Delete or Retain",
                                   resource.logical_id, resource.type));
}

Result<Resource> ReadResource(const Entry& entry, const Source& source) {
  if (!IsLogicalName(entry.key)) {
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
  Uses uses;  // looked at when all resources are known
  TRY(CheckValue(resource.properties, Place::kValue, source, uses));
  TRY(SettlePolicies(entry.value, source, resource));
  TRY(CheckProperties(*known, resource.properties, resource.mark, source));
  return resource;
}

}  // namespace

Result<std::vector<Resource>> ReadResources(const Node& section, const Source& source) {
  if (!section.IsMap()) return source.Refuse(section.mark, "Resources must be a map");
  TRY(CheckCount(section, "resources", kMaxResources, source));
  std::vector<Resource> resources;
  for (const Entry& entry : section.entries) {
    TRY_ASSIGN(Resource resource, ReadResource(entry, source));
    resources.push_back(std::move(resource));
  }
  return resources;
}

}  // namespace howdah::cfn
