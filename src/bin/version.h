#pragma once

#include <string_view>

namespace howdah::bin {

inline constexpr std::string_view kVersion = "0.1.0";

}  // namespace howdah::bin
