#include "host/restorer.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "archive/plan.h"
#include "backup/holdings.h"
#include "backup/plan.h"
#include "backup/restore.h"
#include "base/document.h"

namespace howdah::host {

namespace {

const DocumentCodec<RestoreOrder>& OrderCodec() {
  static const auto codec = DocumentCodec<RestoreOrder>("restore order")
                                .With("source", &RestoreOrder::source)
                                .With("backup", &RestoreOrder::backup)
                                .With("before", &RestoreOrder::before)
                                .With("timeline", &RestoreOrder::timeline)
                                .With("begin_lsn", &RestoreOrder::begin_lsn)
                                .With("end_lsn", &RestoreOrder::end_lsn)
                                .With("size_bytes", &RestoreOrder::size_bytes);
  return codec;
}

postgres::RecoveryGoal GoalOf(const RestoreOrder& order, std::string command) {
  return {.restore_command = std::move(command),
          .before = order.before == WallTime{} ? std::nullopt : std::optional(order.before),
          .timeline = postgres::Timeline{static_cast<std::uint32_t>(order.timeline)}};
}

backup::RestoreWish WishOf(const nodes::Restore& restore) {
  using Target = backup::RestoreWish::Target;
  Target target = Target::kBackup;
  if (restore.target == nodes::Restore::Target::kTime) target = Target::kTime;
  if (restore.target == nodes::Restore::Target::kLatest) target = Target::kLatest;
  return {.target = target,
          .backup = restore.backup,
          .time = restore.time,
          .archived = {.lsn = postgres::Lsn(static_cast<std::uint64_t>(restore.archived_lsn)),
                       .until = restore.archived_until}};
}

// For the shell, inside of restore_command: %p and %f stay PostgreSQL's.
std::string ShellQuoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else if (c == '%') {
      out += "%%";
    } else {
      out += c;
    }
  }
  return out + "'";
}

}  // namespace

std::string Format(const RestoreOrder& order) {
  return OrderCodec().Format(order);
}
Result<RestoreOrder> ParseRestoreOrder(std::string_view text) {
  return OrderCodec().Parse(text);
}

void Restorer::GiveUp() {
  if (!job_) return;
  job_->Cancel();
  thread_.join();
  job_.reset();
  put_ = {};
}

Result<bool> Restorer::Prepare(const nodes::Desired& want, postgres::Node& node) {
  if (needs_.backups == nullptr) {
    return Fail(Code::kFailedState, "this host has no repository of backups to restore from");
  }
  TRY_ASSIGN(const RestoreOrder order, Order(want, node));
  TRY_ASSIGN(const Stage stage, StageOf(node));
  switch (stage) {
    case Stage::kRecovered:
      return true;
    case Stage::kToRecover:
      TRY(node.ConfigureRecovery(GoalOf(order, Command(node.paths()))));
      return true;
    case Stage::kBroken:
      TRY(needs_.disk.RemoveTree(node.paths().Data()));
      return false;
    case Stage::kEmpty:
      break;
  }
  TRY(PutFiles(order, node));
  return false;
}

// The server removes recovery.signal before its recovery has ended for good; cut between the two,
// it would take its data for a crashed primary's of the old timeline.
Result<Restorer::Stage> Restorer::StageOf(postgres::Node& node) {
  TRY_ASSIGN(const bool initialized, node.IsInitialized());
  if (!initialized) return Stage::kEmpty;
  TRY_ASSIGN(const bool fresh, needs_.disk.Exists(node.paths().Data() + "/backup_label"));
  TRY_ASSIGN(const bool recovers, needs_.disk.Exists(node.paths().RecoverySignal()));
  if (fresh || recovers) return Stage::kToRecover;
  TRY_ASSIGN(const postgres::ControlData control, node.ReadControl());
  const bool in_recovery = control.state == postgres::ClusterState::kInArchiveRecovery ||
                           control.state == postgres::ClusterState::kShutDownInRecovery;
  return in_recovery ? Stage::kBroken : Stage::kRecovered;
}

Result<RestoreOrder> Restorer::Order(const nodes::Desired& want, const postgres::Node& node) {
  if (order_) return *order_;
  const Result<std::string> text = needs_.disk.Read(OrderFile(node.paths()));
  if (text) {
    TRY_ASSIGN(order_, ParseRestoreOrder(*text));
    return *order_;
  }
  if (text.error().code() != Code::kNotFound) return Fail(text.error());
  TRY_ASSIGN(order_, Decide(want, node));
  return *order_;
}

// The plan is written first and the order last: with the order there, all of it is.
Result<RestoreOrder> Restorer::Decide(const nodes::Desired& want, const postgres::Node& node) {
  const InstanceId& source = want.restore.source;
  TRY_ASSIGN(const backup::Holdings held,
             backup::ReadHoldings(*needs_.backups, source, want.restore.backup));
  TRY_ASSIGN(const backup::RestorePlan plan,
             backup::PlanRestore(WishOf(want.restore), source, held.backups, held.contents));
  const RestoreOrder order{.source = want.restore.source,
                           .backup = plan.backup,
                           .before = plan.before.value_or(WallTime{}),
                           .timeline = postgres::ToNumber(plan.timeline),
                           .begin_lsn = plan.begin_lsn,
                           .end_lsn = plan.end_lsn,
                           .size_bytes = plan.size_bytes};
  TRY(needs_.disk.MakeDirectories(Directory(node.paths()), 0700));
  TRY(needs_.disk.WriteDurably(PlanFile(node.paths()), archive::WalPlanCodec().Format(plan.wal)));
  TRY(needs_.disk.WriteDurably(OrderFile(node.paths()), Format(order)));
  needs_.log.Info("node {}: restoring backup {} of {}, WAL up to {}", want.id.str(), order.backup,
                  order.source.str(),
                  postgres::Lsn(static_cast<std::uint64_t>(order.end_lsn)).Format());
  return order;
}

// Begins, or looks how it went.
Result<bool> Restorer::PutFiles(const RestoreOrder& order, const postgres::Node& node) {
  if (!job_) {
    job_ = std::make_unique<backup::Job>();
    ended_ = false;
    thread_ = std::jthread([this, order, data = node.paths().Data()] {
      const auto done = backup::RestoreBackup(
          {.instance = order.source, .backup = order.backup, .directory = data}, *needs_.backups,
          *job_);
      put_ = done ? Result<>() : Fail(done.error());
      ended_ = true;
    });
    return false;
  }
  if (!ended_) return false;
  thread_.join();
  job_.reset();
  TRY(std::exchange(put_, {}));
  return true;
}

nodes::Restored Restorer::Progress(postgres::Node& node) {
  if (!order_) return {.stage = "plan"};
  if (job_) {
    return {.stage = "files", .done_bytes = job_->done_bytes, .total_bytes = job_->total_bytes};
  }
  const Result<postgres::ControlData> control = node.ReadControl();
  const auto begin = static_cast<std::uint64_t>(order_->begin_lsn);
  const auto end = static_cast<std::uint64_t>(order_->end_lsn);
  nodes::Restored progress{.stage = "replay", .total_bytes = end > begin ? end - begin : 0};
  if (control) {
    const std::uint64_t at = std::clamp(control->min_recovery.value(), begin, std::max(begin, end));
    progress.done_bytes = at - begin;
  }
  return progress;
}

Result<> Restorer::Forget(const postgres::Node& node) {
  TRY(needs_.disk.RemoveTree(Directory(node.paths())));
  order_.reset();
  return {};
}

std::string Restorer::Command(const postgres::NodePaths& paths) const {
  return fmt::format("{} restore-wal --home {} --repository {} --plan {} '%f' '%p'",
                     ShellQuoted(needs_.own_path), ShellQuoted(needs_.layout.home()),
                     ShellQuoted(needs_.repository), ShellQuoted(PlanFile(paths)));
}

}  // namespace howdah::host
