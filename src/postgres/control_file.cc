// Layout (little-endian machines, 8-byte alignment), PostgreSQL 14 to 18,
// src/include/catalog/pg_control.h:
//   0 system_identifier u64 · 8 pg_control_version u32 · 12 catalog_version u32 · 16 state u32 · 24
//   time 32 checkPoint u64 · 40 redo u64 · 48 ThisTimeLineID u32 · … · 136 minRecoveryPoint u64 ·
//   144 its timeline u32 · … · crc u32 over everything before it, at an offset that differs by
//   version.
#include "postgres/control_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "postgres/crc32c.h"

namespace howdah::postgres {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::size_t kMinCrcOffset = 200;  // the checksum stands somewhere from here …
constexpr std::size_t kMaxCrcOffset = 508;  // … to the end of the first sector

template <typename T>
T ReadAt(std::string_view bytes, std::size_t offset) {
  T value{};
  std::memcpy(&value, bytes.data() + offset, sizeof(value));
  return value;
}

// True if the bytes before some 4-aligned offset in the allowed range have the checksum that stands
// there.
bool HasValidChecksum(std::string_view bytes) {
  std::uint32_t crc = 0xffffffffU;
  for (std::size_t i = 0; i + sizeof(crc) <= std::min(bytes.size(), kMaxCrcOffset + 4); ++i) {
    if (i >= kMinCrcOffset && i % 4 == 0 &&
        (crc ^ 0xffffffffU) == ReadAt<std::uint32_t>(bytes, i)) {
      return true;
    }
    crc = Crc32cStep(crc, static_cast<unsigned char>(bytes[i]));
  }
  return false;
}

}  // namespace

std::string_view ClusterStateName(ClusterState state) {
  switch (state) {
    case ClusterState::kStartup:
      return "starting up";
    case ClusterState::kShutDown:
      return "shut down";
    case ClusterState::kShutDownInRecovery:
      return "shut down in recovery";
    case ClusterState::kShuttingDown:
      return "shutting down";
    case ClusterState::kInCrashRecovery:
      return "in crash recovery";
    case ClusterState::kInArchiveRecovery:
      return "in archive recovery";
    case ClusterState::kInProduction:
      return "in production";
  }
  return "unknown";
}

Result<ControlData> ParseControlFile(std::string_view bytes) {
  if (bytes.size() < kMinCrcOffset + 4) return Fail(Code::kCorrupt, "pg_control is too short");
  ControlData data;
  data.control_version = ReadAt<std::uint32_t>(bytes, 8);
  if (data.control_version < 1300 || data.control_version >= 1900) {
    return Fail(Code::kUnsupported,
                fmt::format("pg_control of an unknown layout: {}", data.control_version));
  }
  if (!HasValidChecksum(bytes)) return Fail(Code::kCorrupt, "pg_control has a wrong checksum");
  data.system_identifier = ReadAt<std::uint64_t>(bytes, 0);
  data.catalog_version = ReadAt<std::uint32_t>(bytes, 12);
  const auto state = ReadAt<std::uint32_t>(bytes, 16);
  if (state > static_cast<std::uint32_t>(ClusterState::kInProduction)) {
    return Fail(Code::kCorrupt, fmt::format("pg_control has an unknown state: {}", state));
  }
  data.state = static_cast<ClusterState>(state);
  data.checkpoint = Lsn(ReadAt<std::uint64_t>(bytes, 32));
  data.redo = Lsn(ReadAt<std::uint64_t>(bytes, 40));
  data.timeline = Timeline{ReadAt<std::uint32_t>(bytes, 48)};
  data.min_recovery = Lsn(ReadAt<std::uint64_t>(bytes, 136));
  data.min_recovery_timeline = Timeline{ReadAt<std::uint32_t>(bytes, 144)};
  return data;
}

}  // namespace howdah::postgres
