#include "backup/pack_writer.h"

#include "backup/known_blocks.h"

namespace howdah::backup {

Result<> PackWriter::Add(const std::string& path, std::uint64_t first_block, std::string_view bytes,
                         std::span<const std::uint64_t> hashes, std::vector<Extent>& extents) {
  while (!bytes.empty()) {
    const std::size_t room = kFrameBytes - frame_.size();
    const std::size_t take = bytes.size() <= room ? bytes.size() : room / kBlockBytes * kBlockBytes;
    if (take == 0) {
      TRY(EndFrame());
      continue;
    }
    const Extent extent = Take(bytes.substr(0, take));
    const std::size_t blocks = BlocksOf(take);
    pack_->part.runs.push_back({.path = path,
                                .first_block = first_block,
                                .extent = extent,
                                .hashes = {hashes.begin(), hashes.begin() + blocks}});
    AppendExtent(extents, extent);
    bytes.remove_prefix(take);
    first_block += blocks;
    hashes = hashes.subspan(blocks);
  }
  return frame_.size() < kFrameBytes ? Result<>() : EndFrame();
}

Extent PackWriter::Take(std::string_view bytes) {
  if (!pack_) pack_.emplace(store_.Open());
  const Extent extent{.pack = pack_->index,
                      .frame = static_cast<std::uint32_t>(pack_->part.frames.size()),
                      .offset = static_cast<std::uint32_t>(frame_.size()),
                      .length = static_cast<std::uint32_t>(bytes.size())};
  frame_ += bytes;
  return extent;
}

Result<> PackWriter::EndFrame() {
  if (frame_.empty()) return {};
  pack_->part.frames.push_back(pack_->object.Add(frame_));
  frame_.clear();
  return pack_->object.size_bytes() < kPackBytes ? Result<>() : EndPack();
}

Result<> PackWriter::EndPack() {
  OpenPack pack = *std::move(pack_);
  pack_.reset();
  return store_.Store(std::move(pack));
}

Result<> PackWriter::Finish() {
  TRY(EndFrame());
  return pack_ ? EndPack() : Result<>();
}

}  // namespace howdah::backup
