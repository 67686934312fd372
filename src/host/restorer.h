// Puts a backup into a node that has no data yet, and leads its server through the recovery from
// it. What was decided once (which backup, which WAL, where it ends) stands in the directory
// restore/ of the node until the recovery has ended, so that a crash at any moment goes on with the
// same. While that directory is there, what is in data/ is nobody's.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "backup/job.h"
#include "host/needs.h"
#include "nodes/node.h"
#include "postgres/config.h"
#include "postgres/node.h"

namespace howdah::host {

// What was decided, as kept in restore/order.json.
struct RestoreOrder {
  InstanceId source;
  std::string backup;
  WallTime before{};  // {}: all that the plan's WAL holds
  std::int64_t timeline = 0;
  std::int64_t begin_lsn = 0, end_lsn = 0;  // of what is replayed
  std::uint64_t size_bytes = 0;             // of the files
  bool operator==(const RestoreOrder&) const = default;
};
std::string Format(const RestoreOrder& order);
Result<RestoreOrder> ParseRestoreOrder(std::string_view text);

// Used on the keeper's thread; the files are put in place on one of its own.
class Restorer {
 public:
  explicit Restorer(const Needs& needs) : needs_(needs) {}
  ~Restorer() { GiveUp(); }

  static std::string Directory(const postgres::NodePaths& paths) { return paths.root + "/restore"; }
  static std::string OrderFile(const postgres::NodePaths& paths) {
    return Directory(paths) + "/order.json";
  }
  static std::string PlanFile(const postgres::NodePaths& paths) {
    return Directory(paths) + "/wal.json";
  }

  // One look and what follows from it. True once the server may be started.
  Result<bool> Prepare(const nodes::Desired& want, postgres::Node& node);
  // Something else is wanted: nothing is written any more when this returns.
  void GiveUp();
  // For the node's report.
  nodes::Restored Progress(postgres::Node& node);
  // The node is an instance's own from now on.
  Result<> Forget(const postgres::Node& node);

 private:
  Result<RestoreOrder> Order(const nodes::Desired& want, const postgres::Node& node);
  Result<RestoreOrder> Decide(const nodes::Desired& want, const postgres::Node& node);
  Result<bool> PutFiles(const RestoreOrder& order, const postgres::Node& node);
  enum class Stage { kEmpty, kToRecover, kRecovered, kBroken };
  Result<Stage> StageOf(postgres::Node& node);
  std::string Command(const postgres::NodePaths& paths) const;

  const Needs& needs_;
  std::optional<RestoreOrder> order_;
  std::unique_ptr<backup::Job> job_;
  Result<> put_;  // once ended_
  std::atomic<bool> ended_ = false;
  std::jthread thread_;
};

}  // namespace howdah::host
