// See library_file.h.
#include "postgres/library_file.h"

#include <fmt/format.h>
#include <openssl/sha.h>

#include <array>

namespace howdah::postgres {

std::string ShortDigest(std::string_view bytes) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data());
  std::string text;
  for (std::size_t i = 0; i < 8; ++i) text += fmt::format("{:02x}", digest[i]);
  return text;
}

Result<std::string> InstallLibrary(system::Disk& disk, const std::string& home,
                                   std::string_view stem, std::string_view library) {
  const std::string path = fmt::format("{}/lib/{}-{}.so", home, stem, ShortDigest(library));
  TRY(disk.MakeDirectories(home + "/lib", 0700));
  if (const auto present = disk.Read(path); present && *present == library) return path;
  TRY(disk.WriteDurably(path, library, 0500));
  return path;
}

}  // namespace howdah::postgres
