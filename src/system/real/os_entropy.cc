// See os_entropy.h. getrandom() blocks only before the kernel's pool is first filled.
#include "system/real/os_entropy.h"

#include <sys/random.h>

#include <cerrno>

#include "base/check.h"

namespace howdah::system {

void OsEntropy::Fill(std::span<std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t got = getrandom(bytes.data(), bytes.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    Check(got > 0, "the kernel gives random bytes");
    bytes = bytes.subspan(static_cast<std::size_t>(got));
  }
}

}  // namespace howdah::system
