// Writes what a base backup holds over a directory that is there already: only blocks that differ
// are written, and what the backup does not hold is removed. Until Finish() has returned and the
// tree is synced, the directory is consistent with nothing.
#pragma once

#include <set>
#include <string>

#include "postgres/tar.h"
#include "system/disk.h"

namespace howdah::postgres {

class DeltaSink final : public TarSink {
 public:
  DeltaSink(system::Disk& disk, std::string root) : disk_(disk), root_(std::move(root)) {}

  Result<> OnEntry(const TarEntry& entry) override;
  Result<> OnData(std::string_view bytes) override;
  Result<> OnEntryEnd() override;

  // Removes what was not in the backup.
  Result<> Finish();
  std::uint64_t written_bytes() const { return written_bytes_; }

 private:
  Result<> NoteParents(const std::string& path);
  Result<> MakeRoomFor(const std::string& path, bool directory);
  Result<> Flush();
  Result<> WriteDifferences(std::string_view old);
  Result<> RemoveOthers(const std::string& directory);

  system::Disk& disk_;
  const std::string root_;
  std::set<std::string> files_;        // as in the backup, below root_
  std::set<std::string> directories_;  // the same
  std::string path_;                   // of the file that is being written, absolute; empty: none
  std::uint64_t size_ = 0;             // as it shall be
  std::uint64_t offset_ = 0;           // of the buffer in it
  std::string buffer_;
  std::uint64_t written_bytes_ = 0;
};

}  // namespace howdah::postgres
