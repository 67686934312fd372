// The order of events is the order of Taking::Run(). Nothing of it changes an object that is there.
#include "backup/take.h"

#include <array>

#include "backup/base.h"
#include "backup/copy.h"
#include "backup/names.h"
#include "backup/pacer.h"
#include "backup/resume.h"
#include "backup/session.h"
#include "backup/wal_segments.h"
#include "postgres/wal_end.h"

namespace howdah::backup {

namespace {

class Taking {
 public:
  Taking(const TakeRequest& request, const Needs& needs, Job& job)
      : request_(request), needs_(needs), job_(job) {
    manifest_.id = request.id;
    manifest_.instance = request.instance;
    manifest_.description = request.description;
    manifest_.wal_segment_bytes = static_cast<std::int64_t>(postgres::kWalSegment);
  }

  Result<Manifest> Run() {
    auto finished = ReadManifest(needs_, request_.instance, request_.id);
    if (!finished && finished.error().code() != Code::kNotFound) return finished;
    if (!finished) {
      TRY(Prepare());
      TRY(Take());
      finished = manifest_;
    }
    TRY(RemoveScaffold(needs_, request_.instance, request_.id));
    return finished;
  }

 private:
  Result<> Prepare() {
    TRY_ASSIGN(leftovers_, TakeOver(needs_, request_.instance, request_.id));
    if (!request_.full) {
      TRY_ASSIGN(base_, FindBase(needs_, request_.instance));
    }
    TRY_ASSIGN(key_, needs_.keys.Make());
    TRY(WriteBegun());
    // What `begun` protects from being swept was perhaps swept before it was there.
    if (base_ && !ReadManifest(needs_, request_.instance, base_->manifest.id)) base_.reset();
    manifest_.base = base_ ? base_->manifest.id : "";
    return {};
  }

  Result<> WriteBegun() {
    const std::string name = Name(ObjectKind::kBegun);
    TRY(needs_.repository.Delete(name));
    const Begun begun{.started = needs_.clock.Now(), .base = base_ ? base_->manifest.id : ""};
    TRY(WriteObject(needs_, key_, name, FormatBegun(begun)));
    return {};
  }

  Result<> Take() {
    TRY_ASSIGN(BackupSession session, BackupSession::Open(request_.server, needs_.clock));
    const std::unique_ptr<Pacer> pacer = MakePacer(session.facts());
    TRY_ASSIGN(const StartedBackup started, session.Start("howdah " + request_.id));
    if (pacer) pacer->Start();
    const std::array<KnownBlocks, 2> known = KnowBlocks();
    PackStore store(needs_, key_,
                    {.instance = request_.instance,
                     .backup = request_.id,
                     .first_number = leftovers_.next_number},
                    KnowPacks());
    Copy copy(needs_, OptionsOf(session.facts(), started, pacer.get()), known, store, job_);
    TRY_ASSIGN(Scanned scanned, ScanDataDirectory(needs_.disk, session.facts().data_directory));
    TRY(copy.CopyFiles(scanned));
    TRY(copy.CopyControlFile());
    TRY_ASSIGN(const StoppedBackup stopped, session.Stop());
    Note(session.facts(), started, stopped);
    // The session is still open, and so its slot keeps the WAL.
    TRY(StoreWal(needs_, key_, session.facts().data_directory, manifest_, job_));
    TRY(copy.Finish());
    TRY(store.Finish());
    table_.directories = std::move(scanned.directories);
    manifest_.stored_bytes = store.stored_bytes();
    return Conclude(copy.Take(), store.all());
  }

  std::array<KnownBlocks, 2> KnowBlocks() {
    const std::size_t base_packs = base_ ? base_->manifest.packs.size() : 0;
    std::vector<std::uint32_t> places;
    for (std::size_t i = 0; i < leftovers_.packs.size(); ++i) {
      places.push_back(static_cast<std::uint32_t>(base_packs + i));
    }
    return {KnownBlocks::Of(leftovers_.parts, places),
            base_ ? KnownBlocks::Of(base_->table, std::move(base_->pages), base_->avoid)
                  : KnownBlocks()};
  }

  PackStore::Known KnowPacks() const {
    PackStore::Known known;
    if (base_) known = {.packs = base_->manifest.packs, .frames = base_->table.packs};
    for (std::size_t i = 0; i < leftovers_.packs.size(); ++i) {
      known.packs.push_back(leftovers_.packs[i]);
      known.frames.push_back(leftovers_.parts[i].frames);
    }
    return known;
  }

  std::unique_ptr<Pacer> MakePacer(const ServerFacts& facts) const {
    if (facts.in_recovery && !request_.primary) return nullptr;
    auto pacer = std::make_unique<Pacer>(request_.primary.value_or(request_.server), needs_.clock);
    pacer->Learn();
    return pacer;
  }

  CopyOptions OptionsOf(const ServerFacts& facts, const StartedBackup& started,
                        const Pacer* pacer) const {
    std::function<Duration(Duration)> pause;
    if (pacer != nullptr) pause = [pacer](Duration worked) { return pacer->PauseAfter(worked); };
    return {.root = facts.data_directory,
            .threads = request_.threads == 0 ? DefaultThreads() : request_.threads,
            .checksums = facts.checksums,
            .start = started.start,
            .pause = std::move(pause)};
  }

  void Note(const ServerFacts& facts, const StartedBackup& started, const StoppedBackup& stopped) {
    manifest_.server_version = facts.version;
    manifest_.system_identifier = facts.system_identifier;
    manifest_.from_standby = facts.in_recovery;
    manifest_.checksums = facts.checksums;
    manifest_.start_lsn = static_cast<std::int64_t>(started.start.value());
    manifest_.stop_lsn = static_cast<std::int64_t>(stopped.stop.value());
    manifest_.timeline = postgres::ToNumber(stopped.timeline);
    manifest_.started = started.time;
    manifest_.finished = stopped.time;
    manifest_.backup_label = stopped.label;
  }

  Result<> Conclude(CopyOutcome copied, const PackStore::Known& packs) {
    table_.files = std::move(copied.files);
    manifest_.bad_pages = std::move(copied.bad_pages);
    manifest_.bad_page_count = copied.bad_page_count;
    manifest_.file_count = table_.files.size();
    KeepUsedPacks(packs);
    TRY_ASSIGN(manifest_.files_bytes,
               WriteObject(needs_, key_, Name(ObjectKind::kFiles), FormatFileTable(table_)));
    TRY_ASSIGN(manifest_.pages_bytes,
               WriteObject(needs_, key_, Name(ObjectKind::kPages), FormatPageMap(copied.pages)));
    for (const PackUse& pack : leftovers_.packs) manifest_.stored_bytes += pack.size_bytes;
    for (const std::uint64_t bytes : manifest_.wal) manifest_.stored_bytes += bytes;
    manifest_.stored_bytes += manifest_.files_bytes + manifest_.pages_bytes;
    TRY(job_.GoOn());
    TRY(WriteObject(needs_, key_, Name(ObjectKind::kManifest), FormatManifest(manifest_)));
    return {};
  }

  // Of all that were known, only those in which there is something of this backup.
  void KeepUsedPacks(const PackStore::Known& packs) {
    std::vector<std::uint64_t> used(packs.packs.size());
    for (const FileEntry& file : table_.files) {
      manifest_.size_bytes += file.size_bytes;
      for (const Extent& extent : file.extents) used[extent.pack] += extent.length;
    }
    std::vector<std::uint32_t> place(used.size());
    for (std::size_t i = 0; i < used.size(); ++i) {
      if (used[i] == 0) continue;
      place[i] = static_cast<std::uint32_t>(manifest_.packs.size());
      manifest_.packs.push_back(packs.packs[i]);
      manifest_.packs.back().used_bytes = used[i];
      table_.packs.push_back(packs.frames[i]);
    }
    for (FileEntry& file : table_.files) {
      for (Extent& extent : file.extents) extent.pack = place[extent.pack];
    }
  }

  std::string Name(ObjectKind kind) const {
    return NameOf(request_.instance, {.backup = request_.id, .kind = kind});
  }

  const TakeRequest& request_;
  const Needs& needs_;
  Job& job_;
  repository::DataKey key_;
  Leftovers leftovers_;
  std::optional<Base> base_;
  FileTable table_;
  Manifest manifest_;
};

}  // namespace

Result<Manifest> TakeBackup(const TakeRequest& request, const Needs& needs, Job& job) {
  return Taking(request, needs, job).Run();
}

}  // namespace howdah::backup
