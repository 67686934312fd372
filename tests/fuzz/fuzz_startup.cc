// Any bytes as the start of a connection: in whole and in pieces they come to the same event.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "gateway/startup.h"

using namespace howdah::gateway;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const bool encrypted = (data[0] & 1) != 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  StartupParser whole(encrypted);
  const StartupEvent event = whole.Feed(bytes);
  StartupParser pieces(encrypted);
  StartupEvent last;
  for (std::size_t i = 0; i < bytes.size() && last.kind == StartupEvent::Kind::kNeedMore; ++i)
    last = pieces.Feed(bytes.substr(i, 1));
  if (event.kind == StartupEvent::Kind::kStartup) {
    if (last.startup.packet != event.startup.packet) std::abort();
    if (event.startup.packet.size() > kMaxStartupBytes + 4) std::abort();
    (void)CheckStartup(event.startup,
                       {.force_tls = encrypted, .encrypted = false, .client_address = ""});
  }
  return 0;
}
