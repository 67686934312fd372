// Any bytes as what waits in a client's socket: each look asks for more than there is or comes to
// an end, what is left alone is what PostgreSQL would read, and bytes in the clear never go on
// behind a request for encryption.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "gateway/first_look.h"

using namespace howdah::gateway;
using Kind = FirstLook::Kind;

namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

// Byte by byte until it is clear, as from a client that drips.
FirstLook Drip(std::string_view bytes, const Doors& doors, Asked& asked) {
  FirstLook look;
  for (std::size_t size = 0; size <= bytes.size(); ++size) {
    if (look.kind == Kind::kNeedMore && look.size > size) {
      // Whoever waits for as many bytes as were asked for misses nothing.
      Asked untouched = asked;
      Require(Look(bytes.substr(0, size), doors, untouched).kind == Kind::kNeedMore);
      continue;
    }
    look = Look(bytes.substr(0, size), doors, asked);
    if (look.kind != Kind::kNeedMore) return look;
    Require(look.size > size && look.size <= kMaxStartupBytes + 4);
  }
  return look;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Doors doors{.tls_here = (data[0] & 1) != 0, .tls_in_server = (data[0] & 2) != 0};
  std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  bytes = bytes.substr(0, kFirstLookBytes);
  // Requests in packets of their own, or everything at once.
  const bool apart = (data[0] & 4) != 0;
  Asked asked, dripping;
  for (int answers = 0;; ++answers) {
    Require(answers <= 2);  // one request of each kind, then something else must come
    const std::string_view pending =
        apart && bytes.size() > 8 && bytes[3] == 8 ? bytes.substr(0, 8) : bytes;
    const FirstLook dripped = Drip(pending, doors, dripping);
    const FirstLook look = Look(pending, doors, asked);
    const bool request = look.kind == Kind::kAnswerNo || look.kind == Kind::kTlsHere;
    if (request) Require(look.size == 8 && pending.size() == 8);
    // In pieces a request comes before what is stuffed behind it; otherwise they agree.
    if (look.kind != Kind::kRefused) Require(dripped.kind == look.kind);
    if (look.kind == Kind::kStartup) Require(pending.starts_with(look.event.startup.packet));
    if (look.kind == Kind::kCancel) Require(pending.starts_with(look.event.cancel_packet));
    if (look.kind != Kind::kAnswerNo) return 0;
    bytes.remove_prefix(look.size);
  }
}
