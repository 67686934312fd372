// The files of a data directory into packs, by several threads, while the server runs. Each page is
// checked and hashed; what the repository has already is only referred to. What a page looks like
// in the middle of being written does not matter: WAL from the backup's start on makes it whole.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "backup/job.h"
#include "backup/known_blocks.h"
#include "backup/manifest.h"
#include "backup/pack_writer.h"
#include "backup/scan.h"

namespace howdah::backup {

struct CopyOptions {
  std::string root;  // the data directory
  unsigned threads = 2;
  bool checksums = false;  // relations' pages carry them
  postgres::Lsn start;     // of the backup: pages with later changes are healed by WAL
  // How long to wait after having worked for so long; empty: never. Called on any thread.
  std::function<Duration(Duration)> pause;
};

struct CopyOutcome {
  std::vector<FileEntry> files;  // sorted by path
  PageMap pages;
  std::vector<BadPage> bad_pages;
  std::uint64_t bad_page_count = 0;
};

class Copy {
 public:
  // `known`: where contents are looked for, first those of the first. All outlive it.
  Copy(const Needs& needs, CopyOptions options, std::span<const KnownBlocks> known,
       PackStore& store, Job& job);

  // All that was scanned; a file that is gone is left out.
  Result<> CopyFiles(const Scanned& scanned);
  // After all others, and whole.
  Result<> CopyControlFile();
  // What remains in memory goes to the store.
  Result<> Finish();
  CopyOutcome Take();

 private:
  struct Unit {
    std::uint64_t expected = 0, got = 0;  // bytes
    std::vector<Extent> extents;
  };
  struct File {
    ScannedFile scanned;
    bool checked = false;  // its pages carry checksums
    std::uint32_t first_block = 0;
    const std::vector<const KnownFile*> known;
    std::vector<std::uint64_t> hashes;
    std::vector<Unit> units;
    std::atomic<bool> gone = false;
  };
  struct Task {
    File* file = nullptr;
    std::size_t unit = 0;
  };
  class Worker;

  File& AddFile(const ScannedFile& scanned);
  Result<> Work(PackWriter& writer, const std::atomic<bool>& stop);
  void NoteBad(const File& file, std::uint64_t block);
  Result<std::string> ReadControlFile() const;

  const Needs& needs_;
  const CopyOptions options_;
  const std::span<const KnownBlocks> known_;
  Job& job_;
  std::vector<PackWriter> writers_;  // one a thread
  std::deque<File> files_;
  std::vector<Task> tasks_;
  std::atomic<std::size_t> next_task_ = 0;
  std::mutex mutex_;
  std::vector<BadPage> bad_pages_;
  std::atomic<std::uint64_t> bad_page_count_ = 0;
};

}  // namespace howdah::backup
