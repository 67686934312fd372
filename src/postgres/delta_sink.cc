#include "postgres/delta_sink.h"

#include <algorithm>

namespace howdah::postgres {
namespace {

constexpr std::size_t kBufferBytes = 1 << 20;
constexpr std::size_t kBlock = 8192;

}  // namespace

// Every directory above it, for Finish().
Result<> DeltaSink::NoteParents(const std::string& path) {
  for (std::size_t slash = path.find('/'); slash != std::string::npos;
       slash = path.find('/', slash + 1)) {
    const std::string parent = path.substr(0, slash);
    if (!directories_.insert(parent).second) continue;
    TRY(MakeRoomFor(root_ + "/" + parent, true));
    TRY(disk_.MakeDirectories(root_ + "/" + parent, 0700));
  }
  return {};
}

// What stands there is of the other kind.
Result<> DeltaSink::MakeRoomFor(const std::string& path, bool directory) {
  const auto info = disk_.Inspect(path);
  if (info && info->is_directory != directory) return disk_.RemoveTree(path);
  return {};
}

Result<> DeltaSink::OnEntry(const TarEntry& entry) {
  if (entry.type == TarType::kSymlink) {
    return Fail(Code::kUnsupported, "the server has a tablespace outside its data directory");
  }
  path_.clear();
  if (entry.path.empty()) {
    if (entry.type == TarType::kDirectory) return {};
    return Fail(Code::kCorrupt, "a file without a name");
  }
  TRY(NoteParents(entry.path));
  const std::string path = root_ + "/" + entry.path;
  const bool is_directory = entry.type == TarType::kDirectory;
  TRY(MakeRoomFor(path, is_directory));
  if (is_directory) {
    directories_.insert(entry.path);
    return disk_.MakeDirectories(path, 0700);
  }
  files_.insert(entry.path);
  path_ = path;
  size_ = entry.size_bytes;
  offset_ = 0;
  return disk_.WriteAt(path_, 0, "", 0600);
}

Result<> DeltaSink::OnData(std::string_view bytes) {
  buffer_ += bytes;
  return buffer_.size() >= kBufferBytes ? Flush() : Result<>();
}

Result<> DeltaSink::OnEntryEnd() {
  if (path_.empty()) return {};
  if (!buffer_.empty()) TRY(Flush());
  TRY_ASSIGN(const system::FileInfo info, disk_.Inspect(path_));
  if (info.size_bytes != size_) TRY(disk_.Resize(path_, size_));
  path_.clear();
  return {};
}

Result<> DeltaSink::Flush() {
  TRY_ASSIGN(const std::string old, disk_.ReadAt(path_, offset_, buffer_.size()));
  TRY(WriteDifferences(old));
  offset_ += buffer_.size();
  buffer_.clear();
  return {};
}

// Blocks that differ and stand beside each other are one write.
Result<> DeltaSink::WriteDifferences(std::string_view old) {
  const std::string_view bytes = buffer_;
  const auto differs = [&](std::size_t at) {
    if (at >= bytes.size()) return false;
    return at >= old.size() || bytes.substr(at, kBlock) != old.substr(at, kBlock);
  };
  for (std::size_t at = 0; at < bytes.size(); at += kBlock) {
    if (!differs(at)) continue;
    const std::size_t begin = at;
    while (differs(at + kBlock)) at += kBlock;
    const std::string_view run = bytes.substr(begin, at + kBlock - begin);
    TRY(disk_.WriteAt(path_, offset_ + begin, run, 0600));
    written_bytes_ += run.size();
  }
  return {};
}

Result<> DeltaSink::Finish() {
  return RemoveOthers("");
}

Result<> DeltaSink::RemoveOthers(const std::string& directory) {
  TRY_ASSIGN(const auto names, disk_.List(directory.empty() ? root_ : root_ + "/" + directory));
  for (const std::string& name : names) {
    const std::string path = directory.empty() ? name : directory + "/" + name;
    if (directories_.contains(path)) {
      TRY(RemoveOthers(path));
    } else if (!files_.contains(path)) {
      TRY(disk_.RemoveTree(root_ + "/" + path));
    }
  }
  return {};
}

}  // namespace howdah::postgres
