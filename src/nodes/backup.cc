#include "nodes/backup.h"

#include "base/document.h"

namespace howdah::nodes {

namespace {

constexpr Words<BackupStateName, 4> kNames = {{{BackupStateName::kWaiting, "waiting"},
                                               {BackupStateName::kRunning, "running"},
                                               {BackupStateName::kDone, "done"},
                                               {BackupStateName::kFailed, "failed"}}};

const DocumentCodec<BackupTask>& TaskCodec() {
  static const auto codec = DocumentCodec<BackupTask>("backup task")
                                .With("id", &BackupTask::id)
                                .With("instance", &BackupTask::instance)
                                .With("node", &BackupTask::node)
                                .With("description", &BackupTask::description)
                                .With("cancelled", &BackupTask::cancelled);
  return codec;
}

const DocumentCodec<BackupState>& StateCodec() {
  static const auto codec = DocumentCodec<BackupState>("backup state")
                                .With("state", &BackupState::state, kNames)
                                .With("detail", &BackupState::detail)
                                .With("done_bytes", &BackupState::done_bytes)
                                .With("total_bytes", &BackupState::total_bytes)
                                .With("start_lsn", &BackupState::start_lsn)
                                .With("stop_lsn", &BackupState::stop_lsn)
                                .With("timeline", &BackupState::timeline)
                                .With("finished", &BackupState::finished)
                                .With("size_bytes", &BackupState::size_bytes)
                                .With("stored_bytes", &BackupState::stored_bytes);
  return codec;
}

}  // namespace

std::string_view BackupStateText(BackupStateName state) {
  return WordFor(kNames, state);
}

std::string Format(const BackupTask& task) {
  return TaskCodec().Format(task);
}
Result<BackupTask> ParseBackupTask(std::string_view text) {
  return TaskCodec().Parse(text);
}
std::string Format(const BackupState& state) {
  return StateCodec().Format(state);
}
Result<BackupState> ParseBackupState(std::string_view text) {
  return StateCodec().Parse(text);
}

std::string BackupTaskKey(const std::string& backup) {
  return std::string(kBackupTasksPrefix) + backup;
}
std::string BackupStateKey(const std::string& backup) {
  return std::string(kBackupStatesPrefix) + backup;
}

}  // namespace howdah::nodes
