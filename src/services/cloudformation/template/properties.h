// Properties against their table: before anything is created (names, shapes, what is required), and
// when a resource is made (values of their proper types). Pure.
#pragma once

#include "base/json.h"
#include "services/cloudformation/template/node.h"
#include "services/cloudformation/template/resource_types.h"

namespace howdah::cfn {

// Unknown and missing properties and values that cannot be right whatever the parameters are.
// `properties` may be null for a resource without any; `where` marks the resource then.
Result<> CheckProperties(const ResourceType& type, const Node& properties, Mark where,
                         const Source& source);

// Evaluated properties with numbers and booleans as such; a dynamic reference stays a string until
// it has been resolved. The error says which property has which wrong kind; it never repeats a
// value. What is typed already may be given again.
Result<json::object> TypedProperties(const ResourceType& type, const json::object& evaluated);

// For a comparison: numbers and booleans as such wherever they are, and everything else as it is.
json::object CanonicalProperties(const ResourceType& type, const json::object& evaluated);

}  // namespace howdah::cfn
