#include "backup/wal_segments.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "backup/names.h"
#include "postgres/wal_end.h"
#include "system/real/bulk_file.h"

namespace howdah::backup {

namespace {

using postgres::kWalPage;
using postgres::kWalSegment;
using postgres::Lsn;

// A page's header begins with a magic number, flags and the timeline; then its own position.
constexpr std::size_t kPageAddress = 8;

Lsn SegmentStart(const Manifest& manifest, std::size_t i) {
  return Lsn((manifest.start().value() / kWalSegment + i) * kWalSegment);
}

// Beyond the stop nothing is kept, so that a restore of the backup alone ends exactly there.
std::uint64_t SegmentBytes(const Manifest& manifest, std::size_t i) {
  return std::min(kWalSegment, BytesBetween(SegmentStart(manifest, i), manifest.stop()));
}

postgres::Timeline TimelineOf(const Manifest& manifest) {
  return postgres::Timeline{static_cast<std::uint32_t>(manifest.timeline)};
}

std::string NameOfWal(const Manifest& manifest, std::size_t i) {
  return NameOf(
      manifest.instance,
      {.backup = manifest.id, .kind = ObjectKind::kWal, .number = static_cast<std::uint32_t>(i)});
}

std::string HistoryFile(const std::string& directory, const Manifest& manifest) {
  return fmt::format("{}/{:08X}.history", directory, manifest.timeline);
}

Result<std::string> ReadSegmentFile(system::Disk& disk, const std::string& directory,
                                    const Manifest& manifest, std::size_t i) {
  const Lsn start = SegmentStart(manifest, i);
  const std::string path = directory + "/" + postgres::WalFileName(TimelineOf(manifest), start);
  auto bytes = disk.Read(path);
  if (!bytes && bytes.error().code() == Code::kNotFound) {
    return Fail(Code::kNotFound, path +
                                     " is gone before the backup could keep it; a larger "
                                     "max_slot_wal_keep_size keeps it for longer");
  }
  if (!bytes) return bytes;
  if (bytes->size() != kWalSegment) return Fail(Code::kCorrupt, path + " is cut off");
  bytes->resize(SegmentBytes(manifest, i));
  if (auto checked = CheckWalPages(*bytes, start); !checked) {
    return Fail(checked.error().During(path));
  }
  return bytes;
}

}  // namespace

Result<> CheckWalPages(std::string_view bytes, Lsn start) {
  bool ended = false;
  for (std::size_t at = 0; at + kPageAddress + 8 <= bytes.size(); at += kWalPage) {
    std::uint64_t address = 0;
    std::memcpy(&address, bytes.data() + at + kPageAddress, sizeof(address));
    ended = ended || (address == 0 && at > 0 && bytes.size() == kWalSegment);
    if (address == (ended ? 0 : start.value() + at)) continue;
    return Fail(Code::kCorrupt,
                fmt::format("it has no WAL at {}", Lsn(start.value() + at).Format()));
  }
  return {};
}

Result<> StoreWal(const Needs& needs, const repository::DataKey& key,
                  const std::string& data_directory, Manifest& manifest, Job& job) {
  const std::string directory = data_directory + "/pg_wal";
  const std::uint64_t first = manifest.start().value() / kWalSegment;
  const std::uint64_t last = (manifest.stop().value() - 1) / kWalSegment;
  for (std::size_t i = 0; i <= last - first; ++i) {
    TRY(job.GoOn());
    TRY_ASSIGN(const std::string bytes, ReadSegmentFile(needs.disk, directory, manifest, i));
    TRY_ASSIGN(const std::uint64_t size, WriteObject(needs, key, NameOfWal(manifest, i), bytes));
    manifest.wal.push_back(size);
  }
  auto history = needs.disk.Read(HistoryFile(directory, manifest));
  if (!history && history.error().code() != Code::kNotFound) return Fail(history.error());
  manifest.history = history.value_or("");
  return {};
}

Result<std::string> ReadWalSegment(const Needs& needs, const Manifest& manifest, std::size_t i) {
  const std::string name = NameOfWal(manifest, i);
  TRY_ASSIGN(std::string bytes, ReadObject(needs, name));
  if (bytes.size() != SegmentBytes(manifest, i)) {
    return Fail(Code::kCorrupt, name + ": it does not fit its manifest");
  }
  if (auto checked = CheckWalPages(bytes, SegmentStart(manifest, i)); !checked) {
    return Fail(Code::kCorrupt, name + ": " + checked.error().what());
  }
  return bytes;
}

Result<> RestoreWal(const Needs& needs, const Manifest& manifest, const std::string& wal_directory,
                    Job& job) {
  for (std::size_t i = 0; i < manifest.wal.size(); ++i) {
    TRY(job.GoOn());
    TRY_ASSIGN(const std::string bytes, ReadWalSegment(needs, manifest, i));
    const std::string name = postgres::WalFileName(TimelineOf(manifest), SegmentStart(manifest, i));
    TRY_ASSIGN(auto file, system::BulkWriter::Open(wal_directory + "/" + name, 0600));
    TRY(file.WriteAt(0, bytes));
    TRY(file.Resize(kWalSegment));
  }
  if (manifest.history.empty()) return {};
  return needs.disk.WriteDurably(HistoryFile(wal_directory, manifest), manifest.history);
}

}  // namespace howdah::backup
