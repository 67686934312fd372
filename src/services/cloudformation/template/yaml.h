// Reads YAML 1.1 (and JSON, its subset) into nodes with libyaml. What could surprise is refused:
// anchors and aliases (and with them alias bombs), several documents, duplicate keys, depth over
// 64, texts over 1 MiB. CloudFormation's short tags become their long form: `!GetAtt A.B` is read
// as `Fn::GetAtt: A.B`, `!Ref X` as `Ref: X`; which functions exist is decided elsewhere.
#pragma once

#include <string_view>

#include "services/cloudformation/template/node.h"

namespace howdah::cfn {

inline constexpr std::size_t kMaxTemplateBytes = std::size_t{1} << 20;
inline constexpr int kMaxTemplateDepth = 64;
inline constexpr std::size_t kMaxTemplateNodes = 200'000;

Result<Node> ParseYaml(std::string_view text, const Source& source);

}  // namespace howdah::cfn
