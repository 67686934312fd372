// Whatever a primary sends as a timeline's history: an error or a value, never a crash.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "postgres/timeline.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)howdah::postgres::ParseTimelineHistory({reinterpret_cast<const char*>(data), size});
  return 0;
}
