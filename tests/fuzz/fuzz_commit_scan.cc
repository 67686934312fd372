// Whatever bytes a server sends as WAL: the scanner comes through them, and how they are cut does
// not matter. The first bytes say where they begin and how they are cut.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string_view>

#include "archive/commit_scan.h"

namespace {

std::optional<howdah::WallTime> Scan(std::uint64_t at, std::string_view bytes, std::size_t piece) {
  howdah::archive::CommitScanner scanner;
  while (!bytes.empty()) {
    const std::string_view part = bytes.substr(0, piece);
    scanner.Feed(howdah::postgres::Lsn(at), part);
    at += part.size();
    bytes.remove_prefix(part.size());
  }
  return scanner.TakeNewest();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::uint64_t at = 0x1000000 + data[0] * 64ULL;
  const std::size_t piece = data[1] + 1U;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  if (Scan(at, bytes, piece) != Scan(at, bytes, bytes.size() + 1)) std::abort();
  return 0;
}
