// Check() is for what cannot be: a broken invariant, the impossible. It prints where and why with a
// backtrace and aborts. A restart is cheap, because every run is durable. Never use it on input.
#pragma once

#include <source_location>
#include <string_view>

namespace howdah {

[[noreturn]] void CheckFailed(std::string_view what, std::source_location where);

inline void Check(bool condition, std::string_view what,
                  std::source_location where = std::source_location::current()) {
  if (!condition) [[unlikely]]
    CheckFailed(what, where);
}

}  // namespace howdah
