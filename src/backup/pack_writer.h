// One thread's way into packs: gathers blocks into frames of a megabyte, frames into packs. Blocks
// are never cut.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "backup/pack_store.h"

namespace howdah::backup {

inline constexpr std::size_t kFrameBytes = 1 << 20;
inline constexpr std::size_t kPackBytes = 32 << 20;  // of the object, before the last frame

class PackWriter {
 public:
  explicit PackWriter(PackStore& store) : store_(store) { frame_.reserve(kFrameBytes); }

  // Blocks of a file from `first_block` on, with a hash for each; where they come to stand is added
  // to `extents`.
  Result<> Add(const std::string& path, std::uint64_t first_block, std::string_view bytes,
               std::span<const std::uint64_t> hashes, std::vector<Extent>& extents);
  // What is left, however little.
  Result<> Finish();

 private:
  Result<> EndFrame();
  Result<> EndPack();
  Extent Take(std::string_view bytes);

  PackStore& store_;
  std::optional<OpenPack> pack_;
  std::string frame_;
};

}  // namespace howdah::backup
