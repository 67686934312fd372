// The main data of a commit record begin with its time, microseconds since 2000. They follow the
// record's header and the headers of what else it carries: ids 255 (data, a length of one byte) and
// 254 (a length of four), before which may stand 253 (origin, two bytes) and 252 (top-level
// transaction, four). Commits carry no blocks. Source: src/include/access/xlogrecord.h, xact.h.
#include "archive/commit_scan.h"

#include <algorithm>
#include <utility>

#include "postgres/wal_format.h"

namespace howdah::archive {

namespace wal = postgres::wal;
using postgres::kWalPage;
using postgres::kWalSegment;

namespace {

constexpr std::size_t kHeadBytes = 64;                        // header, ids and time
constexpr std::int64_t kPostgresEpoch = 946'684'800'000'000;  // 2000-01-01, in microseconds

bool IsCommit(std::string_view head) {
  const auto manager = wal::LoadAt<std::uint8_t>(head, wal::kManagerOffset);
  const unsigned info = wal::LoadAt<std::uint8_t>(head, wal::kInfoOffset) & wal::kTransactionMask;
  return manager == wal::kTransactionManager &&
         (info == wal::kCommit || info == wal::kCommitPrepared);
}

// How long the header of the part that begins with this id is; 0: not one of a commit.
std::size_t PartHeader(unsigned char id) {
  switch (id) {
    case 255:
      return 2;
    case 254:
      return 5;
    case 253:
      return 3;
    case 252:
      return 5;
    default:
      return 0;
  }
}

std::optional<WallTime> TimeOf(std::string_view head) {
  std::size_t at = wal::kRecordHeader;
  for (;;) {
    if (at >= head.size()) return std::nullopt;
    const auto id = static_cast<unsigned char>(head[at]);
    const std::size_t header = PartHeader(id);
    if (header == 0) return std::nullopt;
    at += header;
    if (id >= 254) break;
  }
  std::int64_t micros = 0;
  if (at + sizeof(micros) > head.size()) return std::nullopt;
  micros = wal::LoadAt<std::int64_t>(head, at);
  constexpr std::int64_t kMost = 1'000'000'000'000'000'000;  // nonsense must not overflow
  if (micros < -kPostgresEpoch || micros > kMost) return std::nullopt;
  return FromMicros(micros + kPostgresEpoch);
}

}  // namespace

std::optional<WallTime> CommitScanner::TakeNewest() {
  return std::exchange(newest_, std::nullopt);
}

void CommitScanner::Feed(postgres::Lsn at, std::string_view bytes) {
  if (at.value() != at_ || at_ == 0) {
    at_ = at.value();
    in_header_ = false;
    Lose();
  }
  while (!bytes.empty()) {
    if (at_ % kWalPage == 0 && !in_header_) {
      in_header_ = true;
      header_.clear();
    }
    const std::size_t used = in_header_ ? FeedHeader(bytes) : FeedBody(bytes);
    at_ += used;
    bytes.remove_prefix(used);
  }
}

std::size_t CommitScanner::FeedHeader(std::string_view bytes) {
  std::size_t size = wal::kShortHeader;
  if (header_.size() >= sizeof(std::uint32_t) &&
      (wal::LoadAt<std::uint16_t>(header_, wal::kFlagsOffset) & wal::kLong) != 0) {
    size = wal::kLongHeader;
  }
  // The flags first, for they say how long the whole is.
  const std::size_t want = header_.size() < sizeof(std::uint32_t) ? sizeof(std::uint32_t) : size;
  const std::size_t part = std::min(bytes.size(), want - header_.size());
  header_.append(bytes.substr(0, part));
  if (header_.size() == size && want == size) {
    in_header_ = false;
    OnPageHeader();
  }
  return part;
}

void CommitScanner::OnPageHeader() {
  const std::uint64_t page = at_ - at_ % kWalPage;
  if (state_ == State::kIdle && page % kWalSegment != 0) return;
  const unsigned flags = wal::LoadAt<std::uint16_t>(header_, wal::kFlagsOffset);
  const std::uint64_t rest = wal::LoadAt<std::uint32_t>(header_, wal::kRestOffset);
  if (wal::LoadAt<std::uint16_t>(header_, 0) == 0 ||
      wal::LoadAt<std::uint64_t>(header_, wal::kAddressOffset) != page) {
    return Lose();
  }
  const bool continues = (flags & wal::kContinues) != 0;
  if (state_ == State::kRecord && continues && rest_ != 0 && rest == rest_) return;
  if (state_ == State::kBetween && !continues && skip_ == 0) return;
  if (state_ == State::kBetween && continues && skip_ != 0 && rest == skip_) return;
  // A new beginning: of the stream, or after a record that was given up.
  state_ = State::kBetween;
  skip_ = continues ? rest : 0;
  previous_ = 0;
  head_.clear();
}

std::size_t CommitScanner::FeedBody(std::string_view bytes) {
  const std::size_t on_page = std::min<std::uint64_t>(bytes.size(), kWalPage - at_ % kWalPage);
  switch (state_) {
    case State::kLost:
    case State::kIdle:
      return on_page;
    case State::kRecord:
      return FeedRecord(bytes.substr(0, on_page));
    case State::kBetween:
      break;
  }
  if (skip_ > 0) {
    const std::size_t part = std::min<std::uint64_t>(on_page, skip_);
    skip_ -= part;
    return part;
  }
  if (at_ % 8 != 0) return std::min<std::uint64_t>(on_page, 8 - at_ % 8);
  state_ = State::kRecord;
  record_at_ = at_;
  rest_ = 0;
  head_.clear();
  return FeedRecord(bytes.substr(0, on_page));
}

// `bytes` are of one page. The length comes first, alone, for it may not be all there.
std::size_t CommitScanner::FeedRecord(std::string_view bytes) {
  constexpr std::size_t kLength = sizeof(std::uint32_t);
  if (head_.size() < kLength) {
    const std::size_t part = std::min(bytes.size(), kLength - head_.size());
    head_.append(bytes.substr(0, part));
    if (head_.size() == kLength && !BeginRecord()) Lose();
    return part;
  }
  const std::size_t part = std::min<std::uint64_t>(bytes.size(), rest_);
  const bool was_short = head_.size() < wal::kRecordHeader;
  if (head_.size() < kHeadBytes) {
    head_.append(bytes.substr(0, std::min(part, kHeadBytes - head_.size())));
  }
  rest_ -= part;
  const bool is_known = was_short && head_.size() >= wal::kRecordHeader;
  if (is_known && previous_ != 0 &&
      wal::LoadAt<std::uint64_t>(head_, wal::kPreviousOffset) != previous_) {
    Lose();
    return part;
  }
  if (rest_ == 0) EndRecord();
  return part;
}

bool CommitScanner::BeginRecord() {
  const std::uint64_t length = wal::LoadAt<std::uint32_t>(head_, 0);
  if (length < wal::kRecordHeader || length > wal::kLargestRecord) return false;
  rest_ = length - head_.size();
  return true;
}

void CommitScanner::EndRecord() {
  state_ = wal::IsSwitch(head_) ? State::kIdle : State::kBetween;
  previous_ = record_at_;
  if (!IsCommit(head_)) return;
  const std::optional<WallTime> time = TimeOf(head_);
  if (time && (!newest_ || *time > *newest_)) newest_ = time;
}

}  // namespace howdah::archive
