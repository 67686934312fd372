// In which order the frames of a backup are read: pack by pack, neighbours in one go. Pure. For
// restoring, and for verifying.
#pragma once

#include <cstdint>
#include <vector>

#include "backup/file_table.h"

namespace howdah::backup {

// Bytes of a frame that belong into a file.
struct FramePiece {
  std::uint32_t pack = 0;
  std::uint32_t frame = 0;
  std::uint32_t offset = 0;  // in the frame
  std::uint32_t length = 0;
  std::uint32_t file = 0;  // in the table
  std::uint64_t file_offset = 0;
};

// Neighbouring frames of one pack, read with one request.
struct FrameBatch {
  std::uint32_t pack = 0;
  std::uint64_t offset = 0;  // in the object
  std::size_t size_bytes = 0;
  std::size_t first_piece = 0, end_piece = 0;  // in the plan
};

struct FramePlan {
  std::vector<FramePiece> pieces;  // by pack, frame, offset
  std::vector<FrameBatch> batches;
};

// Which blocks of which files: of a file, consecutive blocks.
struct WantedBlocks {
  std::uint32_t file = 0;
  std::uint64_t first = 0, count = 0;
};

// Everything.
FramePlan PlanFrames(const FileTable& table);
// And frames too in which there is nothing of these files, each as a piece of no bytes.
FramePlan PlanEveryFrame(const FileTable& table);
// Only what is wanted; sorted by file and block, without overlap.
FramePlan PlanFrames(const FileTable& table, const std::vector<WantedBlocks>& wanted);

}  // namespace howdah::backup
