// Whatever names lie in a repository: nothing or a range, which is written as it was read.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "archive/range.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace howdah::archive;
  const std::string name(reinterpret_cast<const char*>(data), size);
  const howdah::InstanceId instance("db-1");
  const std::string prefix = WalPrefix(instance);
  if (const auto range = ParseRange(name)) {
    if (ObjectName(instance, *range) != prefix + name) std::abort();
  }
  if (const auto history = ParseHistoryRef(name)) {
    if (ObjectName(instance, *history) != prefix + name) std::abort();
  }
  (void)ParseListing(instance, {name, prefix + name});
  return 0;
}
