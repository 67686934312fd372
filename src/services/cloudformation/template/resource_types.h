// What each resource type is made of: its properties, what may change in place, its attributes.
// A property that is not in these tables is refused, never passed over. The names are AWS's.
// Constant data; pure.
#pragma once

#include <span>
#include <string_view>

namespace howdah::cfn {

enum class PropertyKind {
  kString,
  kInteger,
  kBoolean,
  kStrings,  // a list of strings
  kObject,   // a map with `members`
  kObjects,  // a list of such maps
};

// What a change of the property's value asks for. kConditional: the provider's Update says whether
// the thing can be changed or must be replaced, when it is known from what to what.
enum class OnChange { kInPlace, kConditional, kReplace };

struct Property {
  std::string_view name;
  PropertyKind kind = PropertyKind::kString;
  bool required = false;
  OnChange on_change = OnChange::kReplace;
  std::span<const Property> members = {};
};

struct ResourceType {
  std::string_view name;
  std::span<const Property> properties;
  std::span<const std::string_view> attributes;  // for Fn::GetAtt
  // The property that is the physical id, where the template may choose it: two things cannot have
  // it at once, so a replacement needs another value.
  std::string_view identity = {};

  const Property* Find(std::string_view property) const;
  bool HasAttribute(std::string_view attribute) const;
};

std::span<const ResourceType> ResourceTypes();
const ResourceType* FindResourceType(std::string_view name);
const Property* FindProperty(std::span<const Property> properties, std::string_view name);

}  // namespace howdah::cfn
