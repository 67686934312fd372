// See wal_end.h; how pages and records look is in wal_format.h.
#include "postgres/wal_end.h"

#include <fmt/format.h>

#include <charconv>
#include <limits>

#include "postgres/crc32c.h"
#include "postgres/wal_format.h"

namespace howdah::postgres {
namespace {

using wal::LoadAt;

std::uint64_t HeaderSize(std::uint64_t page) {
  return page % kWalSegment == 0 ? wal::kLongHeader : wal::kShortHeader;
}

// Reads records one after the other; each call of Next() is one step.
class Walker {
 public:
  Walker(const WalPages& pages, Lsn record) : pages_(pages), at_(record.value()) {}

  // The end of the next whole record, or nothing.
  std::optional<Lsn> Next() {
    for (;;) {
      overwritten_ = false;
      const auto end = ReadRecord();
      if (end || !overwritten_) return end;
      previous_.reset();  // the record that was given up has no successor to point to it
    }
  }

 private:
  // Makes `at` the first byte that belongs to a record; false where the page is not of this log.
  bool Enter(std::uint64_t& at, std::uint64_t expected_rest) {
    const std::uint64_t page = at - at % kWalPage;
    if (page != page_at_ || page_.empty()) {
      const auto read = pages_(page);
      if (!read || read->size() != kWalPage) return false;
      page_ = *read;
      page_at_ = page;
    }
    const auto magic = LoadAt<std::uint16_t>(page_, 0);
    if (magic == 0 || (magic_ != 0 && magic != magic_)) return false;
    magic_ = magic;
    if (LoadAt<std::uint64_t>(page_, wal::kAddressOffset) != page) return false;
    if (at != page) return at - page >= HeaderSize(page);
    at += HeaderSize(page);
    const unsigned flags = LoadAt<std::uint16_t>(page_, wal::kFlagsOffset);
    if (expected_rest == 0) return (flags & wal::kContinues) == 0;
    if ((flags & wal::kOverwrites) != 0) {
      overwritten_ = true;
      at_ = page;
      return false;
    }
    return (flags & wal::kContinues) != 0 &&
           LoadAt<std::uint32_t>(page_, wal::kRestOffset) == expected_rest;
  }

  // Appends `size` bytes of the record from `at` on, of which `rest` in all are still to come.
  bool Take(std::uint64_t& at, std::uint64_t size, std::uint64_t rest, std::string& into) {
    while (size > 0) {
      if (at % kWalPage == 0 && !Enter(at, rest)) return false;
      const std::uint64_t part = std::min(size, kWalPage - at % kWalPage);
      into.append(page_, at % kWalPage, part);
      at += part;
      size -= part;
      rest -= part;
    }
    return true;
  }

  std::optional<Lsn> ReadRecord() {
    std::uint64_t at = at_;
    if (at % 8 != 0 || !Enter(at, 0)) return std::nullopt;
    const std::uint64_t begin = at;
    // Aligned to 8, so the length never stands across a page's end.
    const std::uint64_t length = LoadAt<std::uint32_t>(page_, at % kWalPage);
    if (length < wal::kRecordHeader || length > wal::kLargestRecord) return std::nullopt;
    std::string record;
    if (!Take(at, wal::kRecordHeader, length, record)) return std::nullopt;
    if (previous_ && LoadAt<std::uint64_t>(record, wal::kPreviousOffset) != *previous_)
      return std::nullopt;
    if (!Take(at, length - wal::kRecordHeader, length - wal::kRecordHeader, record))
      return std::nullopt;
    std::uint32_t crc =
        Crc32cOver(0xffffffffU, std::string_view(record).substr(wal::kRecordHeader));
    crc = Crc32cOver(crc, std::string_view(record).substr(0, wal::kCrcOffset)) ^ 0xffffffffU;
    if (crc != LoadAt<std::uint32_t>(record, wal::kCrcOffset)) return std::nullopt;
    previous_ = begin;
    at_ = wal::Align(at);
    if (wal::IsSwitch(record)) at_ = (at_ + kWalSegment - 1) / kWalSegment * kWalSegment;
    return Lsn(at_);
  }

  const WalPages& pages_;
  std::uint64_t at_;
  std::string page_;
  std::uint64_t page_at_ = 0;
  std::uint16_t magic_ = 0;
  std::optional<std::uint64_t> previous_;
  bool overwritten_ = false;
};

// Pages of the segments in a directory, read a piece at a time.
class SegmentPages {
 public:
  SegmentPages(system::Disk& disk, std::string directory, Timeline timeline)
      : disk_(disk), directory_(std::move(directory)), timeline_(timeline) {}

  std::optional<std::string> Read(std::uint64_t page) {
    constexpr std::uint64_t kPiece = 128 * kWalPage;
    const std::uint64_t start = page - page % kPiece;
    if (!piece_ || start != piece_at_) {
      const std::string path = directory_ + "/" + WalFileName(timeline_, Lsn(start));
      const auto read = disk_.ReadAt(path, start % kWalSegment, kPiece);
      if (!read) return std::nullopt;
      piece_ = *read;
      piece_at_ = start;
    }
    const std::uint64_t offset = page - piece_at_;
    return offset < piece_->size() ? piece_->substr(offset, kWalPage) : std::string();
  }

 private:
  system::Disk& disk_;
  std::string directory_;
  Timeline timeline_;
  std::optional<std::string> piece_;
  std::uint64_t piece_at_ = 0;
};

Result<Lsn> Follow(system::Disk& disk, const std::string& wal_directory, Timeline timeline,
                   Lsn record, std::uint64_t most) {
  SegmentPages segments(disk, wal_directory, timeline);
  return FollowRecords([&](std::uint64_t page) { return segments.Read(page); }, record, most);
}

}  // namespace

std::string WalFileName(Timeline timeline, Lsn position) {
  constexpr std::uint64_t kPerLog = (1ULL << 32) / kWalSegment;
  const std::uint64_t segment = position.value() / kWalSegment;
  return fmt::format("{:08X}{:08X}{:08X}", ToNumber(timeline), segment / kPerLog,
                     segment % kPerLog);
}

std::optional<WalFile> ParseWalFileName(std::string_view name) {
  constexpr std::uint64_t kPerLog = (1ULL << 32) / kWalSegment;
  if (name.size() != 24) return std::nullopt;
  std::uint32_t parts[3] = {};
  for (std::size_t i = 0; i < 3; ++i) {
    const std::string_view text = name.substr(i * 8, 8);
    const auto [end, error] = std::from_chars(text.data(), text.data() + 8, parts[i], 16);
    if (error != std::errc() || end != text.data() + 8) return std::nullopt;
  }
  return WalFile{.timeline = Timeline{parts[0]},
                 .start = Lsn((parts[1] * kPerLog + parts[2]) * kWalSegment)};
}

Result<Lsn> FollowRecords(const WalPages& pages, Lsn record, std::uint64_t most) {
  Walker walker(pages, record);
  std::optional<Lsn> end;
  for (std::uint64_t i = 0; i < most; ++i) {
    const std::optional<Lsn> next = walker.Next();
    if (!next) break;
    end = next;
  }
  if (end) return *end;
  return Fail(Code::kCorrupt, "no whole WAL record at " + record.Format());
}

Result<Lsn> EndOfWal(system::Disk& disk, const std::string& wal_directory, Timeline timeline,
                     Lsn record) {
  return Follow(disk, wal_directory, timeline, record, std::numeric_limits<std::uint64_t>::max());
}

Result<Lsn> EndOfRecord(system::Disk& disk, const std::string& wal_directory, Timeline timeline,
                        Lsn record) {
  return Follow(disk, wal_directory, timeline, record, 1);
}

}  // namespace howdah::postgres
