#include "backup/frame_plan.h"

#include <algorithm>
#include <tuple>

namespace howdah::backup {

namespace {

constexpr std::size_t kBatchBytes = 4 << 20;
// Rather read than asked again.
constexpr std::uint64_t kGapBytes = 256 << 10;

FramePiece PieceOf(const Extent& extent, std::uint32_t file, std::uint64_t file_offset) {
  return {.pack = extent.pack,
          .frame = extent.frame,
          .offset = extent.offset,
          .length = extent.length,
          .file = file,
          .file_offset = file_offset};
}

// What of an extent at `begin` of its file is within the wanted bytes.
void AddPart(FramePlan& plan, const Extent& extent, std::uint64_t begin, std::uint32_t file,
             std::uint64_t from, std::uint64_t to) {
  const std::uint64_t first = std::max(begin, from);
  const std::uint64_t end = std::min(begin + extent.length, to);
  if (first >= end) return;
  FramePiece piece = PieceOf(extent, file, first);
  piece.offset += static_cast<std::uint32_t>(first - begin);
  piece.length = static_cast<std::uint32_t>(end - first);
  plan.pieces.push_back(piece);
}

// Walks through a file's extents and its wanted runs side by side.
template <typename Iterator>
Iterator AddWanted(FramePlan& plan, const FileEntry& file, std::uint32_t index, Iterator wanted,
                   Iterator end) {
  std::uint64_t begin = 0;
  for (const Extent& extent : file.extents) {
    while (wanted != end && wanted->file == index) {
      const std::uint64_t from = wanted->first * kBlockBytes;
      const std::uint64_t to = from + wanted->count * kBlockBytes;
      AddPart(plan, extent, begin, index, from, to);
      if (to > begin + extent.length) break;  // it goes on in the next extent
      ++wanted;
    }
    begin += extent.length;
  }
  while (wanted != end && wanted->file == index) ++wanted;
  return wanted;
}

void AddAll(FramePlan& plan, const FileTable& table) {
  for (std::size_t i = 0; i < table.files.size(); ++i) {
    std::uint64_t offset = 0;
    for (const Extent& extent : table.files[i].extents) {
      plan.pieces.push_back(PieceOf(extent, static_cast<std::uint32_t>(i), offset));
      offset += extent.length;
    }
  }
}

void SortAndBatch(FramePlan& plan, const FileTable& table) {
  std::sort(plan.pieces.begin(), plan.pieces.end(),
            [](const FramePiece& left, const FramePiece& right) {
              return std::tie(left.pack, left.frame, left.offset) <
                     std::tie(right.pack, right.frame, right.offset);
            });
  for (std::size_t i = 0; i < plan.pieces.size(); ++i) {
    const FramePiece& piece = plan.pieces[i];
    const repository::FrameRef& frame = table.packs[piece.pack][piece.frame];
    const std::uint64_t end = frame.offset + frame.stored_bytes;
    if (!plan.batches.empty()) {
      FrameBatch& last = plan.batches.back();
      const bool near = last.pack == piece.pack && frame.offset >= last.offset &&
                        frame.offset <= last.offset + last.size_bytes + kGapBytes &&
                        end - last.offset <= kBatchBytes;
      const bool same = last.pack == piece.pack && plan.pieces[i - 1].frame == piece.frame;
      if (near || same) {
        last.size_bytes = std::max(last.size_bytes, static_cast<std::size_t>(end - last.offset));
        last.end_piece = i + 1;
        continue;
      }
    }
    plan.batches.push_back({.pack = piece.pack,
                            .offset = frame.offset,
                            .size_bytes = frame.stored_bytes,
                            .first_piece = i,
                            .end_piece = i + 1});
  }
}

}  // namespace

FramePlan PlanFrames(const FileTable& table) {
  FramePlan plan;
  AddAll(plan, table);
  SortAndBatch(plan, table);
  return plan;
}

FramePlan PlanEveryFrame(const FileTable& table) {
  FramePlan plan;
  AddAll(plan, table);
  for (std::size_t pack = 0; pack < table.packs.size(); ++pack) {
    for (const repository::FrameRef& frame : table.packs[pack]) {
      plan.pieces.push_back({.pack = static_cast<std::uint32_t>(pack), .frame = frame.number});
    }
  }
  SortAndBatch(plan, table);
  return plan;
}

FramePlan PlanFrames(const FileTable& table, const std::vector<WantedBlocks>& wanted) {
  FramePlan plan;
  auto next = wanted.begin();
  for (std::size_t i = 0; i < table.files.size() && next != wanted.end(); ++i) {
    next = AddWanted(plan, table.files[i], static_cast<std::uint32_t>(i), next, wanted.end());
  }
  SortAndBatch(plan, table);
  return plan;
}

}  // namespace howdah::backup
