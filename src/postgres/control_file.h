// Reads global/pg_control: what the server last knew about itself, without pg_controldata. Pure.
// Only the head is read, whose layout PostgreSQL 14 to 18 share; the checksum over the whole is
// verified.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "postgres/lsn.h"

namespace howdah::postgres {

enum class ClusterState : std::uint32_t {
  kStartup = 0,
  kShutDown = 1,
  kShutDownInRecovery = 2,
  kShuttingDown = 3,
  kInCrashRecovery = 4,
  kInArchiveRecovery = 5,
  kInProduction = 6,
};
std::string_view ClusterStateName(ClusterState state);

struct ControlData {
  std::uint64_t system_identifier = 0;
  std::uint32_t control_version = 0;
  std::uint32_t catalog_version = 0;
  ClusterState state = ClusterState::kStartup;
  Lsn checkpoint;       // the latest checkpoint record
  Lsn redo;             // where replay from it begins
  Timeline timeline{};  // of the latest checkpoint
  Lsn min_recovery;     // a standby is consistent from here on
  Timeline min_recovery_timeline{};
};

// kCorrupt: too short or a wrong checksum; kUnsupported: another layout.
Result<ControlData> ParseControlFile(std::string_view bytes);

}  // namespace howdah::postgres
