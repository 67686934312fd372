#include "backup/restore.h"

#include <optional>

#include "backup/catalogue.h"
#include "backup/delta.h"
#include "backup/frame_reader.h"
#include "backup/selection.h"
#include "backup/wal_segments.h"
#include "system/real/bulk_file.h"

namespace howdah::backup {

namespace {

constexpr unsigned kDirectoryMode = 0700;

// Writes pieces into files; keeps the last one open, because the next piece is mostly its.
class FileSink final : public PieceSink {
 public:
  FileSink(const std::string& root, const FileTable& table) : root_(root), table_(table) {}

  Result<> OnPiece(const FramePiece& piece, std::string_view bytes) override {
    if (!writer_ || file_ != piece.file) {
      const FileEntry& file = table_.files[piece.file];
      writer_.reset();
      TRY_ASSIGN(writer_, system::BulkWriter::Open(root_ + "/" + file.path, file.mode));
      file_ = piece.file;
    }
    return writer_->WriteAt(piece.file_offset, bytes);
  }

 private:
  const std::string& root_;
  const FileTable& table_;
  std::optional<system::BulkWriter> writer_;
  std::uint32_t file_ = 0;
};

class Restoring {
 public:
  Restoring(const RestoreRequest& request, const Needs& needs, Job& job)
      : request_(request),
        needs_(needs),
        job_(job),
        threads_(request.threads == 0 ? DefaultThreads() : request.threads) {}

  Result<RestoreOutcome> Run() {
    TRY_ASSIGN(const bool there, needs_.disk.Exists(request_.directory));
    if (there && !request_.delta) {
      return Fail(Code::kAlreadyExists, request_.directory + " is there already");
    }
    TRY_ASSIGN(outcome_.manifest, ReadManifest(needs_, request_.instance, request_.backup));
    TRY_ASSIGN(table_, ReadFileTable(needs_, outcome_.manifest));
    job_.total_bytes = outcome_.manifest.size_bytes;
    if (there) {
      TRY(OverOld());
    } else {
      TRY(Anew());
    }
    return std::move(outcome_);
  }

 private:
  Result<> Anew() {
    const std::string beside = request_.directory + ".new";
    TRY(needs_.disk.RemoveTree(beside));
    TRY(needs_.disk.MakeDirectories(beside, kDirectoryMode));
    TRY(MakeTree(beside));
    TRY(Write(beside, PlanFrames(table_)));
    TRY(AddRest(beside));
    TRY(needs_.disk.SyncTree(beside));
    return needs_.disk.Rename(beside, request_.directory);
  }

  // The control file, without which no server starts, is put back when everything else is durable.
  Result<> OverOld() {
    const std::string& root = request_.directory;
    TRY_ASSIGN(const PageMap pages, ReadPageMap(needs_, outcome_.manifest, table_));
    TRY(needs_.disk.RemoveTree(root + "/" + std::string(kControlFile)));
    TRY(needs_.disk.SyncTree(root));
    TRY(RemoveOthers(needs_.disk, root, table_));
    TRY(MakeTree(root));
    TRY_ASSIGN(auto wanted, FindDifferences(root, table_, pages, threads_, job_));
    const std::optional<std::uint32_t> control = ControlFile();
    if (!control) return Fail(Code::kCorrupt, request_.backup + " has no control file");
    const WantedBlocks last{.file = *control, .count = pages[*control].size()};
    std::erase_if(wanted, [&](const WantedBlocks& run) { return run.file == *control; });
    TRY(Write(root, PlanFrames(table_, wanted)));
    TRY(FitSizes(root));
    TRY(AddRest(root));
    TRY(needs_.disk.SyncTree(root));
    TRY(Write(root, PlanFrames(table_, {last})));
    return needs_.disk.SyncTree(root);
  }

  Result<> MakeTree(const std::string& root) {
    for (const DirectoryEntry& directory : table_.directories) {
      TRY(needs_.disk.MakeDirectories(root + "/" + directory.path, directory.mode));
    }
    for (const FileEntry& file : table_.files) {
      if (file.size_bytes > 0) continue;
      TRY(system::BulkWriter::Open(root + "/" + file.path, file.mode));
    }
    return {};
  }

  Result<> Write(const std::string& root, const FramePlan& plan) {
    for (const FramePiece& piece : plan.pieces) outcome_.written_bytes += piece.length;
    return ReadFrames(needs_, {outcome_.manifest, table_, plan}, threads_, job_,
                      [&] { return std::make_unique<FileSink>(root, table_); });
  }

  // Files that are longer there than they shall be.
  Result<> FitSizes(const std::string& root) {
    for (const FileEntry& file : table_.files) {
      if (file.path == kControlFile) continue;
      const std::string path = root + "/" + file.path;
      TRY_ASSIGN(const system::FileInfo info, needs_.disk.Inspect(path));
      if (info.size_bytes != file.size_bytes) TRY(needs_.disk.Resize(path, file.size_bytes));
    }
    return {};
  }

  Result<> AddRest(const std::string& root) {
    TRY(RestoreWal(needs_, outcome_.manifest, root + "/pg_wal", job_));
    return needs_.disk.WriteDurably(root + "/backup_label", outcome_.manifest.backup_label);
  }

  std::optional<std::uint32_t> ControlFile() const {
    for (std::size_t i = 0; i < table_.files.size(); ++i) {
      if (table_.files[i].path == kControlFile) return static_cast<std::uint32_t>(i);
    }
    return std::nullopt;
  }

  const RestoreRequest& request_;
  const Needs& needs_;
  Job& job_;
  const unsigned threads_;
  FileTable table_;
  RestoreOutcome outcome_;
};

}  // namespace

Result<RestoreOutcome> RestoreBackup(const RestoreRequest& request, const Needs& needs, Job& job) {
  return Restoring(request, needs, job).Run();
}

}  // namespace howdah::backup
