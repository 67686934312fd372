// Base backups as the control plane asks for them and as the agent that takes one reports it. As
// with nodes: the control plane writes only tasks, the agent only their states.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"

namespace howdah::nodes {

// One backup to take. Its document goes when the backup is in the repository or is given up: what
// the repository holds is said by the repository.
struct BackupTask {
  std::string id;  // "b-…": names it in the repository, never used twice
  InstanceId instance;
  NodeId node;  // whose agent takes it, from that node
  // What a restore must know of the instance, when nothing but the repository is left: a JSON text
  // of the fleet's, kept sealed beside the backup.
  std::string description;
  bool cancelled = false;
};

enum class BackupStateName { kWaiting, kRunning, kDone, kFailed };

struct BackupState {
  BackupStateName state = BackupStateName::kWaiting;
  std::string detail;                             // why it waits or failed; for people
  std::uint64_t done_bytes = 0, total_bytes = 0;  // of the data directory
  // Of a finished one.
  std::int64_t start_lsn = 0, stop_lsn = 0, timeline = 0;
  WallTime finished{};             // of the server's clock: the time that it restores to
  std::uint64_t size_bytes = 0;    // what it restores to
  std::uint64_t stored_bytes = 0;  // what it added to the repository
  bool operator==(const BackupState&) const = default;
};

std::string_view BackupStateText(BackupStateName state);

std::string Format(const BackupTask& task);
Result<BackupTask> ParseBackupTask(std::string_view text);
std::string Format(const BackupState& state);
Result<BackupState> ParseBackupState(std::string_view text);

// Keys.
inline constexpr std::string_view kBackupTasksPrefix = "/backup-tasks/";
std::string BackupTaskKey(const std::string& backup);
inline constexpr std::string_view kBackupStatesPrefix = "/backup-states/";
std::string BackupStateKey(const std::string& backup);

}  // namespace howdah::nodes
