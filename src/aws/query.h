// The query protocol's requests, and ec2's variant of them: a form of dotted names that the model
// unfolds into structures and lists. Answers are XML: shape_xml.h.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "aws/fault.h"
#include "aws/shape.h"

namespace howdah::aws {

// "Filters.Filter.1.Name=x" as a tree of its dotted parts.
struct QueryNode {
  std::optional<std::string> value;
  std::map<std::string, QueryNode, std::less<>> children;

  const QueryNode* Child(std::string_view name) const;
};

inline constexpr std::size_t kMaxQueryParameters = 20'000;
inline constexpr std::size_t kMaxQueryDepth = 16;

// Reads a form (a body, or the query of a target). A name given twice is an error.
Result<QueryNode> ParseQuery(std::string_view form);
// The value of a top-level name ("Action"), or "".
std::string_view QueryValue(const QueryNode& root, std::string_view name);

// Fills a generated struct. At the top level an empty scalar counts as absent, as on AWS. What the
// model does not know is skipped, but by ec2, which refuses it.
Outcome<void> DecodeQuery(const ServiceDesc& service, const ShapeDesc& shape, const QueryNode& root,
                          void* value);

// The form a client sends: Action, Version and the input.
std::string EncodeQuery(const ServiceDesc& service, const OperationDesc& operation,
                        const void* input);

}  // namespace howdah::aws
