// The work of Fn::Split, Fn::Base64 and Fn::Cidr on plain texts. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace howdah::cfn {

std::vector<std::string> SplitText(std::string_view text, std::string_view delimiter);
std::string Base64Of(std::string_view bytes);
// `count` IPv4 blocks of `bits` host bits each, from the start of `block`.
Result<std::vector<std::string>> CidrBlocks(std::string_view block, std::string_view count,
                                            std::string_view bits);

}  // namespace howdah::cfn
