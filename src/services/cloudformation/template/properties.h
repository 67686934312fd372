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

// Evaluated properties, in which every scalar is a string, with numbers and booleans as such.
// The error says which property has which wrong kind; it never repeats a value.
Result<json::object> TypedProperties(const ResourceType& type, const json::object& evaluated);

}  // namespace howdah::cfn
