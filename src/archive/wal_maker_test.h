// WAL for tests: records on pages, as PostgreSQL lays them out, without a server.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/time.h"
#include "postgres/lsn.h"
#include "postgres/wal_format.h"

namespace howdah::archive {

class WalMaker {
 public:
  // Begins at a page's start.
  explicit WalMaker(std::uint64_t start) : start_(start) {}

  std::uint64_t start() const { return start_; }
  std::uint64_t at() const { return start_ + bytes_.size(); }
  const std::string& bytes() const { return bytes_; }

  // The record's end.
  std::uint64_t Commit(WallTime time, unsigned info = postgres::wal::kCommit,
                       std::size_t more = 8) {
    std::string data;
    Put<std::int64_t>(data, ToMicros(time) - 946'684'800'000'000);
    data.append(more, 'x');
    std::string parts;
    if (data.size() < 256) {
      parts = {'\xff', static_cast<char>(data.size())};
    } else {
      parts = "\xfe";
      Put<std::uint32_t>(parts, static_cast<std::uint32_t>(data.size()));
    }
    return Record(postgres::wal::kTransactionManager, info | 0x80U, parts + data);
  }

  std::uint64_t Record(unsigned manager, unsigned info, const std::string& data) {
    bytes_.resize((bytes_.size() + 7) / 8 * 8);
    std::string record;
    Put<std::uint32_t>(record,
                       static_cast<std::uint32_t>(postgres::wal::kRecordHeader + data.size()));
    Put<std::uint32_t>(record, 700);
    Put<std::uint64_t>(record, previous_);
    Put<std::uint8_t>(record, static_cast<std::uint8_t>(info));
    Put<std::uint8_t>(record, static_cast<std::uint8_t>(manager));
    Put<std::uint16_t>(record, 0);
    Put<std::uint32_t>(record, 0);  // nobody looks at the checksum
    record += data;
    if (at() % postgres::kWalPage == 0) Header(0);
    previous_ = at();
    Write(record);
    return at();
  }

  void Switch() {
    Record(postgres::wal::kXlogManager, postgres::wal::kSwitchInfo, "");
    while (at() % postgres::kWalSegment != 0) {
      if (at() % postgres::kWalPage == 0) Header(0);
      bytes_.append(postgres::kWalPage - at() % postgres::kWalPage, '\0');
    }
  }

  // As a crash leaves it: the record's rest is given up, the next page says so.
  void BrokenRecord(std::size_t size) {
    Record(10, 0, std::string(size, 'b'));
    const std::uint64_t page = (previous_ / postgres::kWalPage + 1) * postgres::kWalPage;
    bytes_.resize(page - start_);
    Header(0, postgres::wal::kOverwrites);
  }

 private:
  template <typename T>
  static void Put(std::string& into, T value) {
    into.append(reinterpret_cast<const char*>(&value), sizeof(value));
  }

  void Header(std::uint64_t rest, unsigned flags = 0) {
    const bool is_long = at() % postgres::kWalSegment == 0;
    if (rest > 0) flags |= postgres::wal::kContinues;
    if (is_long) flags |= postgres::wal::kLong;
    std::string header;
    Put<std::uint16_t>(header, 0xd10d);
    Put<std::uint16_t>(header, static_cast<std::uint16_t>(flags));
    Put<std::uint32_t>(header, 1);
    Put<std::uint64_t>(header, at());
    Put<std::uint32_t>(header, static_cast<std::uint32_t>(rest));
    header.resize(is_long ? postgres::wal::kLongHeader : postgres::wal::kShortHeader);
    bytes_ += header;
  }

  void Write(std::string_view record) {
    while (!record.empty()) {
      if (at() % postgres::kWalPage == 0) Header(record.size());
      const std::uint64_t room = postgres::kWalPage - at() % postgres::kWalPage;
      const std::size_t part = std::min<std::uint64_t>(room, record.size());
      bytes_.append(record.substr(0, part));
      record.remove_prefix(part);
    }
  }

  std::uint64_t start_;
  std::string bytes_;
  std::uint64_t previous_ = 0;
};

}  // namespace howdah::archive
