#include "host/backup_duty.h"

#include "backup/take.h"

namespace howdah::host {

namespace {

constexpr Duration kPatience = 10min;
constexpr Duration kBetweenTries = 2s;
constexpr Duration kLookAgain = 1s;  // and so often is progress told

bool IsOver(const nodes::BackupState& state) {
  return state.state == nodes::BackupStateName::kDone ||
         state.state == nodes::BackupStateName::kFailed;
}

}  // namespace

void BackupDuty::Stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
  for (const auto& [backup, running] : running_) running->job.Cancel();
  running_.clear();
}

void BackupDuty::Start() {
  if (needs_.backups == nullptr) return;
  thread_ = std::jthread([this](std::stop_token stop) { Run(stop); });
}

void BackupDuty::Wake() {
  const std::lock_guard lock(mutex_);
  woken_ = true;
  changed_.notify_all();
}

void BackupDuty::Run(std::stop_token stop) {
  while (!stop.stop_requested()) {
    if (const Result<> looked = Look(); !looked) {
      needs_.log.Warning("backups: {}; looking again", looked.error().what());
    }
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, stop, running_.empty() ? Duration(60s) : kLookAgain,
                      [this] { return woken_; });
    woken_ = false;
  }
}

Result<> BackupDuty::Look() {
  for (const auto& [backup, running] : running_) TellHowFar(backup, *running);
  std::erase_if(running_, [](const auto& entry) { return entry.second->told; });
  TRY_ASSIGN(const store::Listing listing, needs_.store.List(nodes::kBackupTasksPrefix));
  std::map<std::string, nodes::BackupTask> tasks;
  for (const store::Document& document : listing.documents) {
    TRY_ASSIGN(nodes::BackupTask task, nodes::ParseBackupTask(document.value));
    if (!task.cancelled) tasks.emplace(task.id, std::move(task));
  }
  for (const auto& [backup, running] : running_) {
    if (!tasks.contains(backup)) running->job.Cancel();
  }
  for (const auto& [backup, task] : tasks) {
    if (!running_.contains(backup) && !IsOver(Published(backup))) TakeUp(task);
  }
  return {};
}

// Only this thread writes states, so that a late word about progress never hides the end.
void BackupDuty::TellHowFar(const std::string& backup, Running& running) {
  if (!running.ended) {
    Publish(backup, {.state = nodes::BackupStateName::kRunning,
                     .done_bytes = running.job.done_bytes,
                     .total_bytes = running.job.total_bytes});
    return;
  }
  // One that was cancelled is nobody's any more.
  running.told = running.job.IsCancelled() || Publish(backup, running.outcome);
}

void BackupDuty::TakeUp(const nodes::BackupTask& task) {
  auto running = std::make_unique<Running>();
  Running* raw = running.get();
  needs_.log.Info("backup {} of {}: begun on node {}", task.id, task.instance.str(),
                  task.node.str());
  running->thread = std::jthread([this, raw, task] {
    const Result<nodes::BackupState> taken = Take(task, raw->job);
    if (taken) {
      needs_.log.Info("backup {}: done, {} bytes stored", task.id, taken->stored_bytes);
      raw->outcome = *taken;
    } else {
      needs_.log.Warning("backup {}: {}", task.id, taken.error().what());
      raw->outcome = {.state = nodes::BackupStateName::kFailed, .detail = taken.error().what()};
    }
    raw->ended = true;
    Wake();
  });
  running_.emplace(task.id, std::move(running));
}

nodes::BackupState BackupDuty::Published(const std::string& backup) {
  const Result<store::Document> document = needs_.store.Get(nodes::BackupStateKey(backup));
  if (!document) return {};
  return nodes::ParseBackupState(document->value).value_or(nodes::BackupState{});
}

// False where it has to be tried again. A state without a task is nobody's: it goes with the task.
bool BackupDuty::Publish(const std::string& backup, const nodes::BackupState& state) {
  const Result<store::Document> task = needs_.store.Get(nodes::BackupTaskKey(backup));
  if (!task) return task.error().code() == Code::kNotFound;
  if (state == Published(backup)) return true;
  const auto done =
      needs_.store.Commit({.compares = {{task->key, task->revision}},
                           .puts = {{nodes::BackupStateKey(backup), nodes::Format(state), ""}},
                           .deletes = {}});
  if (!done) needs_.log.Warning("backup {}: cannot report: {}", backup, done.error().what());
  return done.has_value();
}

Result<nodes::Desired> BackupDuty::NodeOf(const nodes::BackupTask& task) {
  TRY_ASSIGN(const store::Document document, needs_.store.Get(nodes::DesiredKey(task.node)));
  return nodes::ParseDesired(document.value);
}

// A server that is away for a moment (a restart, a change of roles) is waited for.
Result<nodes::BackupState> BackupDuty::Take(const nodes::BackupTask& task, backup::Job& job) {
  const MonotonicTime give_up = needs_.clock.Monotonic() + kPatience;
  while (true) {
    Result<nodes::BackupState> taken = TakeOnce(task, job);
    const bool passing = !taken && (taken.error().code() == Code::kUnavailable ||
                                    taken.error().code() == Code::kConflict);
    if (!passing || job.IsCancelled() || needs_.clock.Monotonic() >= give_up) return taken;
    needs_.log.Warning("backup {}: {}; trying again", task.id, taken.error().what());
    job.Pause(kBetweenTries);
  }
}

Result<nodes::BackupState> BackupDuty::TakeOnce(const nodes::BackupTask& task, backup::Job& job) {
  TRY_ASSIGN(const nodes::Desired node, NodeOf(task));
  TRY_ASSIGN(const std::string password,
             needs_.keyring.Open(node.sealed_password, node.instance.str()));
  std::optional<postgres::ConnectOptions> primary;
  if (node.role == nodes::Role::kStandby) {
    primary = postgres::ConnectOptions{
        .socket_dir = needs_.layout.SocketDirectory(node.primary),
        .password = password,
        .application_name = "howdah backup",
    };
  }
  TRY_ASSIGN(const backup::Manifest manifest,
             backup::TakeBackup({.id = task.id,
                                 .instance = task.instance,
                                 .server = {.socket_dir = needs_.layout.SocketDirectory(task.node),
                                            .password = password,
                                            .application_name = "howdah backup"},
                                 .description = task.description,
                                 .primary = primary},
                                *needs_.backups, job));
  return nodes::BackupState{.state = nodes::BackupStateName::kDone,
                            .done_bytes = job.done_bytes,
                            .total_bytes = job.total_bytes,
                            .start_lsn = manifest.start_lsn,
                            .stop_lsn = manifest.stop_lsn,
                            .timeline = manifest.timeline,
                            .finished = manifest.finished,
                            .size_bytes = manifest.size_bytes,
                            .stored_bytes = manifest.stored_bytes};
}

}  // namespace howdah::host
