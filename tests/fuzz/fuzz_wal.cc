// Whatever bytes stand in WAL segments: following records ends, within them, without a crash.
#include <cstddef>
#include <cstdint>
#include <string>

#include "postgres/wal_end.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using howdah::postgres::kWalPage;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const auto pages = [&](std::uint64_t page) -> std::optional<std::string> {
    if (page >= bytes.size()) return std::nullopt;
    std::string text = bytes.substr(page, kWalPage);
    text.resize(kWalPage);
    return text;
  };
  for (const std::uint64_t start : {std::uint64_t{40}, kWalPage, kWalPage + 24}) {
    (void)howdah::postgres::FollowRecords(pages, howdah::postgres::Lsn(start), 1000);
  }
  (void)howdah::postgres::ParseWalFileName(bytes);
  return 0;
}
