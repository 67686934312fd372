// All backups become one table, as if they were one backup with the files of all.
#include "backup/verify.h"

#include <fmt/format.h>

#include <map>

#include "backup/archive_check.h"
#include "backup/catalogue.h"
#include "backup/frame_reader.h"
#include "backup/names.h"
#include "backup/wal_segments.h"

namespace howdah::backup {

namespace {

// An outage is no damage.
bool IsDamage(const Error& error) {
  return error.code() == Code::kCorrupt || error.code() == Code::kNotFound ||
         error.code() == Code::kUnsupported;
}

class Verifying;

class CheckingSink final : public PieceSink {
 public:
  explicit CheckingSink(Verifying& verifying) : verifying_(verifying) {}
  Result<> OnPiece(const FramePiece& piece, std::string_view bytes) override;
  Result<> OnDamage(const Error& error) override;

 private:
  Verifying& verifying_;
};

class Verifying {
 public:
  Verifying(const VerifyRequest& request, const Needs& needs, Job& job)
      : request_(request), needs_(needs), job_(job) {
    all_.instance = request.instance;
  }

  Result<VerifyOutcome> Run() {
    TRY_ASSIGN(const auto objects, needs_.repository.List(BackupsPrefix(request_.instance)));
    for (const auto& object : objects) sizes_[object.name] = object.size_bytes;
    TRY_ASSIGN(const std::vector<Manifest> backups, Backups());
    for (const Manifest& manifest : backups) {
      if (auto added = Add(manifest); !added) TRY(Note(added.error()));
    }
    for (const FileEntry& file : table_.files) job_.total_bytes += file.size_bytes;
    for (const Manifest& manifest : backups) TRY(CheckWal(manifest));
    const FramePlan plan = PlanEveryFrame(table_);
    const unsigned threads = request_.threads == 0 ? DefaultThreads() : request_.threads;
    TRY(ReadFrames(needs_, {all_, table_, plan}, threads, job_,
                   [this] { return std::make_unique<CheckingSink>(*this); }));
    if (request_.backup.empty()) {
      TRY_ASSIGN(const auto damages, CheckArchive(request_.instance, backups, needs_, job_));
      for (const std::string& what : damages) NoteText(what);
      TRY(FindLostManifests());
    }
    return std::move(outcome_);
  }

  Result<> Note(const Error& error) {
    if (!IsDamage(error)) return Fail(error);
    NoteText(error.what());
    return {};
  }

  void CheckPiece(const FramePiece& piece, std::string_view bytes) {
    for (std::size_t at = 0; at < bytes.size(); at += kBlockBytes) {
      const std::uint64_t block = (piece.file_offset + at) / kBlockBytes;
      if (HashOf(bytes.substr(at, kBlockBytes)) == pages_[piece.file][block]) continue;
      NoteText(fmt::format("{}: block {} of {} is another than the one that was read",
                           PackName(request_.instance, all_.packs[piece.pack]), block,
                           table_.files[piece.file].path));
      return;
    }
  }

 private:
  void NoteText(const std::string& what) {
    const std::lock_guard lock(mutex_);
    ++outcome_.damage_count;
    if (outcome_.damages.size() < kMostDamages) outcome_.damages.push_back(what);
  }

  Result<std::vector<Manifest>> Backups() {
    if (!request_.backup.empty()) {
      auto manifest = ReadManifest(needs_, request_.instance, request_.backup);
      if (manifest) return std::vector{*std::move(manifest)};
      if (manifest.error().code() != Code::kCorrupt) return Fail(manifest.error());
      NoteText(manifest.error().what());
      return std::vector<Manifest>();
    }
    TRY_ASSIGN(Catalogue catalogue, ListBackups(needs_, request_.instance));
    for (const std::string& what : catalogue.unreadable) NoteText(what);
    return std::move(catalogue.backups);
  }

  // `begun` goes when the manifest stands, and when a backup goes the manifest goes first: looked
  // at again, what is being removed is not there any more.
  Result<> FindLostManifests() {
    std::map<std::string, int> kinds;
    TRY_ASSIGN(const auto objects, needs_.repository.List(BackupsPrefix(request_.instance)));
    for (const auto& object : objects) {
      const auto name = ParseBackupObject(request_.instance, object.name);
      if (!name) continue;
      const bool explains = name->kind == ObjectKind::kManifest || name->kind == ObjectKind::kBegun;
      if (explains) kinds[name->backup] = -1;
      const bool was_there = name->kind == ObjectKind::kFiles && sizes_.contains(object.name);
      if (was_there && kinds[name->backup] == 0) kinds[name->backup] = 1;
    }
    for (const auto& [backup, kind] : kinds) {
      if (kind != 1) continue;
      NoteText(NameOf(request_.instance, {.backup = backup, .kind = ObjectKind::kManifest}) +
               " is missing");
    }
    return {};
  }

  void CheckSize(const std::string& name, std::uint64_t size) {
    const auto found = sizes_.find(name);
    if (found == sizes_.end()) {
      NoteText(name + " is missing");
    } else if (found->second != size) {
      NoteText(fmt::format("{} has {} bytes instead of {}", name, found->second, size));
    }
  }

  Result<> Add(const Manifest& manifest) {
    outcome_.backups.push_back(manifest.id);
    CheckSize(Name(manifest, ObjectKind::kFiles, 0), manifest.files_bytes);
    CheckSize(Name(manifest, ObjectKind::kPages, 0), manifest.pages_bytes);
    TRY_ASSIGN(FileTable table, ReadFileTable(needs_, manifest));
    TRY_ASSIGN(PageMap pages, ReadPageMap(needs_, manifest, table));
    std::vector<std::uint32_t> place;
    for (std::size_t i = 0; i < manifest.packs.size(); ++i) {
      TRY_ASSIGN(const std::uint32_t index, AddPack(manifest.packs[i], table.packs[i]));
      place.push_back(index);
    }
    for (std::size_t i = 0; i < table.files.size(); ++i) {
      for (Extent& extent : table.files[i].extents) extent.pack = place[extent.pack];
      table_.files.push_back(std::move(table.files[i]));
      pages_.push_back(std::move(pages[i]));
    }
    return {};
  }

  Result<std::uint32_t> AddPack(const PackUse& pack, std::vector<repository::FrameRef> frames) {
    const std::string name = PackName(request_.instance, pack);
    // The last frame, which is empty, says that there are no more.
    const std::uint64_t end =
        frames.empty() ? repository::kHeadBytes : frames.back().offset + frames.back().stored_bytes;
    frames.push_back({.number = static_cast<std::uint32_t>(frames.size()),
                      .offset = end,
                      .stored_bytes = static_cast<std::uint32_t>(pack.size_bytes - end)});
    const auto [known, added] =
        places_.try_emplace(name, static_cast<std::uint32_t>(table_.packs.size()));
    if (added) {
      CheckSize(name, pack.size_bytes);
      all_.packs.push_back(pack);
      table_.packs.push_back(std::move(frames));
    } else if (table_.packs[known->second] != frames) {
      return Fail(Code::kCorrupt, "two backups say different things of " + name);
    }
    return known->second;
  }

  Result<> CheckWal(const Manifest& manifest) {
    for (std::size_t i = 0; i < manifest.wal.size(); ++i) {
      TRY(job_.GoOn());
      const std::string name = Name(manifest, ObjectKind::kWal, static_cast<std::uint32_t>(i));
      const auto found = sizes_.find(name);
      if (found == sizes_.end() || found->second != manifest.wal[i]) {
        CheckSize(name, manifest.wal[i]);
        continue;
      }
      if (auto bytes = ReadWalSegment(needs_, manifest, i); !bytes) TRY(Note(bytes.error()));
    }
    return {};
  }

  static std::string Name(const Manifest& manifest, ObjectKind kind, std::uint32_t number) {
    return NameOf(manifest.instance, {.backup = manifest.id, .kind = kind, .number = number});
  }

  const VerifyRequest& request_;
  const Needs& needs_;
  Job& job_;
  std::map<std::string, std::uint64_t> sizes_;
  std::map<std::string, std::uint32_t> places_;  // of packs
  Manifest all_;                                 // its packs only
  FileTable table_;
  PageMap pages_;
  std::mutex mutex_;
  VerifyOutcome outcome_;
};

Result<> CheckingSink::OnPiece(const FramePiece& piece, std::string_view bytes) {
  verifying_.CheckPiece(piece, bytes);
  return {};
}

Result<> CheckingSink::OnDamage(const Error& error) {
  return verifying_.Note(error);
}

}  // namespace

Result<VerifyOutcome> VerifyBackups(const VerifyRequest& request, const Needs& needs, Job& job) {
  return Verifying(request, needs, job).Run();
}

}  // namespace howdah::backup
