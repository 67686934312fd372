// Whatever bytes stand in global/pg_control: an error or a value, never a crash.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "postgres/control_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)howdah::postgres::ParseControlFile({reinterpret_cast<const char*>(data), size});
  return 0;
}
