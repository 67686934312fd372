#include "base/check.h"

#include <execinfo.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace howdah {

void CheckFailed(std::string_view what, std::source_location where) {
  fmt::print(stderr, "howdah: check failed: {} ({}:{} {})\n", what, where.file_name(), where.line(),
             where.function_name());
  constexpr int kMaxFrames = 64;
  void* frames[kMaxFrames];
  backtrace_symbols_fd(frames, backtrace(frames, kMaxFrames), STDERR_FILENO);
  std::abort();
}

}  // namespace howdah
