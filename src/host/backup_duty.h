// Takes the base backups that are asked of this host's nodes. A task is a document; each that is
// this host's has a thread, which reports in the task's state. A task that is cut by a crash is
// begun again and goes on from the packs that are in the repository already.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

#include "backup/job.h"
#include "host/needs.h"
#include "nodes/backup.h"
#include "nodes/node.h"

namespace howdah::host {

class BackupDuty {
 public:
  explicit BackupDuty(const Needs& needs) : needs_(needs) {}
  ~BackupDuty() { Stop(); }

  void Start();
  // Gives up what runs; the next one goes on with it.
  void Stop();
  // Tasks have changed: look now.
  void Wake();

 private:
  struct Running {
    backup::Job job;
    nodes::BackupState outcome;  // once it has ended
    std::atomic<bool> ended = false;
    bool told = false;
    std::jthread thread;
  };

  void Run(std::stop_token stop);
  Result<> Look();
  void TakeUp(const nodes::BackupTask& task);
  void TellHowFar(const std::string& backup, Running& running);
  Result<nodes::BackupState> Take(const nodes::BackupTask& task, backup::Job& job);
  Result<nodes::BackupState> TakeOnce(const nodes::BackupTask& task, backup::Job& job);
  Result<nodes::Desired> NodeOf(const nodes::BackupTask& task);
  bool Publish(const std::string& backup, const nodes::BackupState& state);
  nodes::BackupState Published(const std::string& backup);

  const Needs& needs_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool woken_ = false;
  std::map<std::string, std::unique_ptr<Running>> running_;  // the duty's thread only
  std::jthread thread_;
};

}  // namespace howdah::host
