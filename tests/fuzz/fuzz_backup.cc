// Whatever a repository holds as tables of a backup: an error or a value that is consistent, never
// a crash.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "backup/file_table.h"
#include "backup/frame_plan.h"
#include "backup/known_blocks.h"
#include "backup/manifest.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace howdah::backup;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto table = ParseFileTable(bytes)) {
    (void)PlanEveryFrame(*table);
    (void)WornPacks(*table);
    (void)ParsePageMap(bytes, *table);
  }
  (void)ParsePart(bytes);
  (void)ParseManifest(bytes);
  (void)ParseBegun(bytes);
  return 0;
}
