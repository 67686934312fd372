// The Outputs section.
#include <fmt/format.h>

#include "services/cloudformation/template/functions.h"
#include "services/cloudformation/template/template.h"

namespace howdah::cfn {

namespace {

constexpr std::size_t kMaxOutputs = 200;

// An export's name must be known before anything exists.
Result<Node> ReadExport(const std::string& output, const Node& node, const Source& source) {
  const Node* name = node.IsMap() && node.entries.size() == 1 ? node.Find("Name") : nullptr;
  if (name == nullptr || (!name->IsScalar() && !FunctionOf(*name)) ||
      (name->IsScalar() && name->text.empty())) {
    return source.Refuse(node.mark,
                         fmt::format("Output {} is malformed. The Name field of every Export "
                                     "member must be specified.",
                                     output));
  }
  Uses uses;
  TRY(CheckValue(*name, Place::kValue, source, uses));
  if (uses.imports || uses.zones) {
    return source.Refuse(name->mark,
                         "the Name of an Export must not use Fn::ImportValue or "
                         "Fn::GetAZs");
  }
  return *name;
}

Result<Output> ReadOutput(const Entry& entry, const Source& source) {
  if (!entry.value.IsMap()) return source.Refuse(entry.mark, "an output must be a map");
  if (!IsLogicalName(entry.key)) {
    return source.Refuse(entry.mark, fmt::format("Output name {} is non alphanumeric.", entry.key));
  }
  Output output;
  output.name = entry.key;
  const Node* value = nullptr;
  for (const Entry& member : entry.value.entries) {
    if (member.key == "Value") {
      value = &member.value;
    } else if (member.key == "Description" && member.value.IsScalar()) {
      output.description = member.value.text;
    } else if (member.key == "Condition" && member.value.IsScalar()) {
      output.condition = member.value.text;
    } else if (member.key == "Export") {
      TRY_ASSIGN(output.export_name, ReadExport(entry.key, member.value, source));
    } else {
      return source.Refuse(member.mark,
                           fmt::format("Invalid property {} of output {}", member.key, entry.key));
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

}  // namespace

Result<std::vector<Output>> ReadOutputs(const Node& section, const Source& source) {
  if (!section.IsMap()) return source.Refuse(section.mark, "Outputs must be a map");
  TRY(CheckCount(section, "outputs", kMaxOutputs, source));
  std::vector<Output> outputs;
  for (const Entry& entry : section.entries) {
    TRY_ASSIGN(Output output, ReadOutput(entry, source));
    outputs.push_back(std::move(output));
  }
  return outputs;
}

}  // namespace howdah::cfn
