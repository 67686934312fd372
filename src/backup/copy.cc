#include "backup/copy.h"

#include <fmt/format.h>

#include <algorithm>

#include "backup/page_checksum.h"
#include "backup/selection.h"
#include "postgres/control_file.h"
#include "system/real/bulk_file.h"

namespace howdah::backup {

namespace {

constexpr std::uint64_t kUnitBytes = 64 << 20;  // what one thread takes at a time
constexpr std::size_t kReadBytes = 1 << 20;
// A page that is torn is whole a moment later: writing it takes microseconds, unless its writer has
// to wait for a processor. Where many are bad, they are not torn, and nothing is waited for.
constexpr int kRereads = 20;
constexpr int kRereadsAtOnce = 3;
constexpr Duration kRereadPause = 1ms;
constexpr std::uint64_t kManyBadPages = 100;
constexpr int kControlRereads = 100;

}  // namespace

// One thread on one unit of a file.
class Copy::Worker {
 public:
  Worker(Copy& copy, PackWriter& writer) : copy_(copy), writer_(writer) {}

  Result<> Do(const Task& task, const std::atomic<bool>& stop) {
    file_ = task.file;
    unit_ = &file_->units[task.unit];
    const std::uint64_t begin = task.unit * kUnitBytes;
    auto reader = system::BulkReader::Open(copy_.options_.root + "/" + file_->scanned.path);
    if (!reader && reader.error().code() == Code::kNotFound) {
      file_->gone = true;
      copy_.job_.done_bytes += unit_->expected;
      return {};
    }
    if (!reader) return Fail(reader.error());
    std::vector<KnownCursor> cursors;
    for (const KnownFile* known : file_->known) cursors.emplace_back(known);
    for (std::uint64_t done = 0; done < unit_->expected && !stop; done += kReadBytes) {
      TRY(copy_.job_.GoOn());
      const MonotonicTime before = copy_.needs_.clock.Monotonic();
      const auto wanted =
          static_cast<std::size_t>(std::min<std::uint64_t>(kReadBytes, unit_->expected - done));
      TRY_ASSIGN(const std::size_t got, Piece(*reader, begin + done, wanted, cursors));
      copy_.job_.done_bytes += wanted;
      if (got < wanted) break;  // it was truncated
      if (copy_.options_.pause) {
        copy_.job_.Pause(copy_.options_.pause(copy_.needs_.clock.Monotonic() - before));
      }
    }
    return {};
  }

 private:
  // Reads, checks, hashes and stores up to a megabyte; how much there was.
  Result<std::size_t> Piece(system::BulkReader& reader, std::uint64_t offset, std::size_t wanted,
                            std::vector<KnownCursor>& cursors) {
    TRY_ASSIGN(std::size_t got, reader.ReadAt(offset, {buffer_.data(), wanted}));
    if (ParseRelationFile(file_->scanned.path)) got -= got % kBlockBytes;
    if (file_->checked) TRY(CheckPages(reader, offset, got));
    const std::uint64_t first = offset / kBlockBytes;
    for (std::size_t at = 0; at < got; at += kBlockBytes) {
      file_->hashes[first + at / kBlockBytes] = HashOf(Block(at, got));
    }
    TRY(Place(first, got, cursors));
    unit_->got += got;
    return got;
  }

  std::string_view Block(std::size_t at, std::size_t end) const {
    return {buffer_.data() + at, std::min(kBlockBytes, end - at)};
  }

  Result<> CheckPages(system::BulkReader& reader, std::uint64_t offset, std::size_t size) {
    for (std::size_t at = 0; at < size; at += kBlockBytes) {
      const std::uint64_t block = (offset + at) / kBlockBytes;
      char* page = buffer_.data() + at;
      const auto number = file_->first_block + static_cast<std::uint32_t>(block);
      for (int i = 0; CheckPage(page, number) == PageState::kBad; ++i) {
        const bool many = copy_.bad_page_count_ >= kManyBadPages;
        // Changed since the backup's start, and caught again and again: WAL has it whole.
        const bool healed = PageLsn(page) >= copy_.options_.start.value();
        if (i >= (many || healed ? kRereadsAtOnce : kRereads)) {
          if (!healed) copy_.NoteBad(*file_, block);
          break;
        }
        if (i >= kRereadsAtOnce) copy_.job_.Pause(kRereadPause);
        TRY_ASSIGN(const std::size_t got, reader.ReadAt(offset + at, {page, kBlockBytes}));
        if (got < kBlockBytes) break;  // truncated meanwhile: WAL says so too
      }
    }
    return {};
  }

  // Runs of blocks that are new are stored, others referred to, in their order.
  Result<> Place(std::uint64_t first, std::size_t size, std::vector<KnownCursor>& cursors) {
    std::size_t fresh = 0;  // where the run of new blocks begins
    for (std::size_t at = 0; at < size; at += kBlockBytes) {
      const std::uint64_t block = first + at / kBlockBytes;
      const auto length = static_cast<std::uint32_t>(Block(at, size).size());
      std::optional<Extent> known;
      for (KnownCursor& cursor : cursors) {
        if (!known) known = cursor.At(block, length, file_->hashes[block]);
      }
      if (!known) continue;
      TRY(Store(first, fresh, at));
      AppendExtent(unit_->extents, *known);
      fresh = at + length;
    }
    return Store(first, fresh, size);
  }

  Result<> Store(std::uint64_t first, std::size_t from, std::size_t to) {
    if (from >= to) return {};
    const std::uint64_t block = first + from / kBlockBytes;
    return writer_.Add(file_->scanned.path, block, {buffer_.data() + from, to - from},
                       std::span(file_->hashes).subspan(block, BlocksOf(to - from)),
                       unit_->extents);
  }

  Copy& copy_;
  PackWriter& writer_;
  std::vector<char> buffer_ = std::vector<char>(kReadBytes);
  File* file_ = nullptr;
  Unit* unit_ = nullptr;
};

Copy::Copy(const Needs& needs, CopyOptions options, std::span<const KnownBlocks> known,
           PackStore& store, Job& job)
    : needs_(needs), options_(std::move(options)), known_(known), job_(job) {
  for (unsigned i = 0; i < options_.threads; ++i) writers_.emplace_back(store);
}

Copy::File& Copy::AddFile(const ScannedFile& scanned) {
  std::vector<const KnownFile*> known;
  for (const KnownBlocks& blocks : known_) {
    if (const KnownFile* file = blocks.Find(scanned.path)) known.push_back(file);
  }
  const auto relation = ParseRelationFile(scanned.path);
  File& file = files_.emplace_back(scanned, options_.checksums && relation.has_value(),
                                   relation ? relation->FirstBlock() : 0, std::move(known));
  file.hashes.resize(BlocksOf(scanned.size_bytes));
  for (std::uint64_t begin = 0; begin < scanned.size_bytes; begin += kUnitBytes) {
    file.units.push_back({.expected = std::min(kUnitBytes, scanned.size_bytes - begin)});
  }
  return file;
}

Result<> Copy::CopyFiles(const Scanned& scanned) {
  job_.total_bytes = scanned.size_bytes;
  for (const ScannedFile& one : scanned.files) {
    File& file = AddFile(one);
    for (std::size_t unit = 0; unit < file.units.size(); ++unit) tasks_.push_back({&file, unit});
  }
  // The large ones first, so that all threads end at about the same time.
  const auto size = [](const Task& task) { return task.file->units[task.unit].expected; };
  std::sort(tasks_.begin(), tasks_.end(), [&](const Task& left, const Task& right) {
    if (size(left) != size(right)) return size(left) > size(right);
    if (left.file != right.file) return left.file->scanned.path < right.file->scanned.path;
    return left.unit < right.unit;
  });
  return RunCrew(options_.threads, [this](unsigned index, const std::atomic<bool>& stop) {
    return Work(writers_[index], stop);
  });
}

Result<> Copy::Work(PackWriter& writer, const std::atomic<bool>& stop) {
  system::YieldToOthers();
  Worker worker(*this, writer);
  while (!stop) {
    const std::size_t task = next_task_++;
    if (task >= tasks_.size()) return {};
    TRY(job_.GoOn());
    TRY(worker.Do(tasks_[task], stop));
  }
  return {};
}

void Copy::NoteBad(const File& file, std::uint64_t block) {
  needs_.log.Error("backup: page {} of {} has a wrong checksum", block, file.scanned.path);
  const std::lock_guard lock(mutex_);
  ++bad_page_count_;
  if (bad_pages_.size() < kMostBadPages) {
    bad_pages_.push_back({.path = file.scanned.path, .block = block});
  }
}

Result<std::string> Copy::ReadControlFile() const {
  const std::string path = options_.root + "/" + std::string(kControlFile);
  for (int i = 0;; ++i) {
    TRY_ASSIGN(std::string bytes, needs_.disk.Read(path));
    const auto parsed = postgres::ParseControlFile(bytes);
    if (parsed) return bytes;
    if (i == kControlRereads) return Fail(parsed.error().During(path));
  }
}

Result<> Copy::CopyControlFile() {
  TRY_ASSIGN(const std::string bytes, ReadControlFile());
  File& file = AddFile({.path = std::string(kControlFile), .size_bytes = bytes.size()});
  for (std::size_t at = 0; at < bytes.size(); at += kBlockBytes) {
    file.hashes[at / kBlockBytes] = HashOf(std::string_view(bytes).substr(at, kBlockBytes));
  }
  Unit& unit = file.units.front();
  unit.got = bytes.size();
  return writers_.front().Add(file.scanned.path, 0, bytes, file.hashes, unit.extents);
}

Result<> Copy::Finish() {
  for (PackWriter& writer : writers_) TRY(writer.Finish());
  return {};
}

// A file that was truncated meanwhile is what was there up to its first short read.
CopyOutcome Copy::Take() {
  std::vector<File*> sorted;
  for (File& file : files_) {
    if (!file.gone) sorted.push_back(&file);
  }
  std::sort(sorted.begin(), sorted.end(), [](const File* left, const File* right) {
    return left->scanned.path < right->scanned.path;
  });
  CopyOutcome outcome{.bad_pages = std::move(bad_pages_), .bad_page_count = bad_page_count_};
  for (File* file : sorted) {
    FileEntry entry{.path = file->scanned.path, .mode = file->scanned.mode};
    for (const Unit& unit : file->units) {
      for (const Extent& extent : unit.extents) AppendExtent(entry.extents, extent);
      entry.size_bytes += unit.got;
      if (unit.got < unit.expected) break;
    }
    file->hashes.resize(BlocksOf(entry.size_bytes));
    outcome.pages.push_back(std::move(file->hashes));
    outcome.files.push_back(std::move(entry));
  }
  return outcome;
}

}  // namespace howdah::backup
