#include "backup/file_table.h"

#include <fmt/format.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "backup/binary.h"

namespace howdah::backup {

namespace {

using repository::FrameRef;

constexpr std::uint64_t kVersion = 1;
// The widest that a mode can be.
constexpr std::uint32_t kModeBits = 07777;
constexpr std::uint64_t kMostPackBytes = std::uint64_t{1} << 40;

Result<> CheckVersion(BinaryReader& reader) {
  TRY_ASSIGN(const std::uint64_t version, reader.Number());
  if (version == kVersion) return {};
  return Fail(Code::kUnsupported, fmt::format("version {} of its format", version));
}

// A name that leads out of the data directory would make a restore write anywhere.
bool IsInnerPath(std::string_view path) {
  if (path.empty() || path.find('\0') != std::string_view::npos) return false;
  while (true) {
    const std::size_t slash = path.find('/');
    const std::string_view segment = path.substr(0, slash);
    if (segment.empty() || segment == "." || segment == "..") return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

Result<std::string> ReadPath(BinaryReader& reader) {
  TRY_ASSIGN(const std::string_view path, reader.Text());
  if (!IsInnerPath(path)) return Fail(Code::kCorrupt, "a path leads out of the data directory");
  return std::string(path);
}

Result<std::uint32_t> ReadMode(BinaryReader& reader) {
  TRY_ASSIGN(const std::uint32_t mode, reader.Small());
  if (mode > kModeBits) return Fail(Code::kCorrupt, "a mode has unknown bits");
  return mode;
}

void WriteFrames(BinaryWriter& writer, const std::vector<FrameRef>& frames) {
  writer.Number(frames.size());
  for (const FrameRef& frame : frames) {
    writer.Number(frame.offset);
    writer.Number(frame.stored_bytes);
    writer.Number(frame.raw_bytes);
  }
}

Result<std::vector<FrameRef>> ReadFrames(BinaryReader& reader) {
  TRY_ASSIGN(const std::size_t count, reader.Count());
  std::vector<FrameRef> frames;
  for (std::size_t i = 0; i < count; ++i) {
    FrameRef frame{.number = static_cast<std::uint32_t>(i)};
    TRY_ASSIGN(frame.offset, reader.Number());
    TRY_ASSIGN(frame.stored_bytes, reader.Small());
    TRY_ASSIGN(frame.raw_bytes, reader.Small());
    if (frame.raw_bytes > repository::kMostFrameBytes || frame.offset > kMostPackBytes) {
      return Fail(Code::kCorrupt, "a frame is too large, or too far");
    }
    frames.push_back(frame);
  }
  return frames;
}

// Each follows the one before in most cases: differences are small.
void WriteExtents(BinaryWriter& writer, const std::vector<Extent>& extents, Extent& last) {
  writer.Number(extents.size());
  for (const Extent& extent : extents) {
    writer.Difference(std::int64_t{extent.pack} - last.pack);
    writer.Difference(std::int64_t{extent.frame} - last.frame);
    writer.Number(extent.offset);
    writer.Number(extent.length);
    last = extent;
  }
}

Result<std::uint32_t> Moved(BinaryReader& reader, std::uint32_t from, std::size_t limit) {
  TRY_ASSIGN(const std::int64_t by, reader.Difference());
  const auto most = static_cast<std::int64_t>(limit);
  if (by > most || by < -most || from + by < 0 || from + by >= most) {
    return Fail(Code::kCorrupt, "an extent is in no frame");
  }
  return static_cast<std::uint32_t>(from + by);
}

Result<> CheckWithin(const Extent& extent, const std::vector<FrameRef>& frames) {
  const bool within =
      extent.frame < frames.size() && extent.length > 0 &&
      std::uint64_t{extent.offset} + extent.length <= frames[extent.frame].raw_bytes;
  return within ? Result<>() : Fail(Code::kCorrupt, "an extent goes beyond its frame");
}

Result<> ReadExtents(BinaryReader& reader, const FileTable& table, FileEntry& file, Extent& last) {
  TRY_ASSIGN(const std::size_t count, reader.Count());
  std::uint64_t covered = 0;
  for (std::size_t i = 0; i < count; ++i) {
    Extent extent;
    TRY_ASSIGN(extent.pack, Moved(reader, last.pack, table.packs.size()));
    TRY_ASSIGN(extent.frame, Moved(reader, last.frame, std::size_t{1} << 31));
    TRY_ASSIGN(extent.offset, reader.Small());
    TRY_ASSIGN(extent.length, reader.Small());
    TRY(CheckWithin(extent, table.packs[extent.pack]));
    if (covered % kBlockBytes != 0) return Fail(Code::kCorrupt, "an extent ends within a block");
    covered += extent.length;
    file.extents.push_back(extent);
    last = extent;
  }
  if (covered == file.size_bytes) return {};
  return Fail(Code::kCorrupt, fmt::format("{} has {} bytes and extents of {}", file.path,
                                          file.size_bytes, covered));
}

Result<> ReadDirectories(BinaryReader& reader, FileTable& table) {
  TRY_ASSIGN(const std::size_t count, reader.Count());
  for (std::size_t i = 0; i < count; ++i) {
    DirectoryEntry& directory = table.directories.emplace_back();
    TRY_ASSIGN(directory.path, ReadPath(reader));
    TRY_ASSIGN(directory.mode, ReadMode(reader));
  }
  return {};
}

Result<> ReadFiles(BinaryReader& reader, FileTable& table) {
  TRY_ASSIGN(const std::size_t count, reader.Count());
  Extent last;
  for (std::size_t i = 0; i < count; ++i) {
    FileEntry file;
    TRY_ASSIGN(file.path, ReadPath(reader));
    if (!table.files.empty() && table.files.back().path >= file.path) {
      return Fail(Code::kCorrupt, "its files are not in order");
    }
    TRY_ASSIGN(file.mode, ReadMode(reader));
    TRY_ASSIGN(file.size_bytes, reader.Number());
    TRY(ReadExtents(reader, table, file, last));
    table.files.push_back(std::move(file));
  }
  return {};
}

}  // namespace

std::string FormatFileTable(const FileTable& table) {
  BinaryWriter writer;
  writer.Number(kVersion);
  writer.Number(table.packs.size());
  for (const auto& frames : table.packs) WriteFrames(writer, frames);
  writer.Number(table.directories.size());
  for (const DirectoryEntry& directory : table.directories) {
    writer.Text(directory.path);
    writer.Number(directory.mode);
  }
  writer.Number(table.files.size());
  Extent last;
  for (const FileEntry& file : table.files) {
    writer.Text(file.path);
    writer.Number(file.mode);
    writer.Number(file.size_bytes);
    WriteExtents(writer, file.extents, last);
  }
  return writer.Take();
}

Result<FileTable> ParseFileTable(std::string_view bytes) {
  BinaryReader reader(bytes);
  TRY(CheckVersion(reader));
  FileTable table;
  TRY_ASSIGN(const std::size_t packs, reader.Count());
  for (std::size_t i = 0; i < packs; ++i) {
    TRY_ASSIGN(auto frames, ReadFrames(reader));
    table.packs.push_back(std::move(frames));
  }
  TRY(ReadDirectories(reader, table));
  TRY(ReadFiles(reader, table));
  TRY(reader.AtEnd());
  return table;
}

std::string FormatPageMap(const PageMap& pages) {
  BinaryWriter writer;
  writer.Number(kVersion);
  writer.Number(pages.size());
  for (const auto& hashes : pages) writer.Hashes(hashes);
  return writer.Take();
}

Result<PageMap> ParsePageMap(std::string_view bytes, const FileTable& table) {
  BinaryReader reader(bytes);
  TRY(CheckVersion(reader));
  TRY_ASSIGN(const std::size_t count, reader.Count());
  if (count != table.files.size()) return Fail(Code::kCorrupt, "it is of other files");
  PageMap pages;
  for (const FileEntry& file : table.files) {
    TRY_ASSIGN(auto hashes, reader.Hashes());
    if (hashes.size() != BlocksOf(file.size_bytes)) {
      return Fail(Code::kCorrupt, "it has another number of blocks for " + file.path);
    }
    pages.push_back(std::move(hashes));
  }
  TRY(reader.AtEnd());
  return pages;
}

std::uint64_t HashOf(std::string_view block) {
  return XXH3_64bits(block.data(), block.size());
}

std::string FormatPart(const Part& part) {
  BinaryWriter writer;
  writer.Number(kVersion);
  WriteFrames(writer, part.frames);
  writer.Number(part.runs.size());
  for (const PartRun& run : part.runs) {
    writer.Text(run.path);
    writer.Number(run.first_block);
    writer.Number(run.extent.frame);
    writer.Number(run.extent.offset);
    writer.Number(run.extent.length);
    writer.Hashes(run.hashes);
  }
  return writer.Take();
}

Result<Part> ParsePart(std::string_view bytes) {
  BinaryReader reader(bytes);
  TRY(CheckVersion(reader));
  Part part;
  TRY_ASSIGN(part.frames, ReadFrames(reader));
  TRY_ASSIGN(const std::size_t count, reader.Count());
  for (std::size_t i = 0; i < count; ++i) {
    PartRun run;
    TRY_ASSIGN(run.path, ReadPath(reader));
    TRY_ASSIGN(run.first_block, reader.Number());
    TRY_ASSIGN(run.extent.frame, reader.Small());
    TRY_ASSIGN(run.extent.offset, reader.Small());
    TRY_ASSIGN(run.extent.length, reader.Small());
    TRY_ASSIGN(run.hashes, reader.Hashes());
    TRY(CheckWithin(run.extent, part.frames));
    if (run.hashes.size() != BlocksOf(run.extent.length)) {
      return Fail(Code::kCorrupt, "a run has another number of blocks");
    }
    part.runs.push_back(std::move(run));
  }
  TRY(reader.AtEnd());
  return part;
}

}  // namespace howdah::backup
