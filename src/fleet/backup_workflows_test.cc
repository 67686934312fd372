// Snapshots and restores, tried hard: each step failed and repeated, a crash at every call of a
// seam. Whatever happens, every backup of the repository is known and needed, or is going.
#include "fleet/backup_commands.h"
#include "fleet/keys.h"
#include "fleet/workflow_trial.h"

namespace howdah::fleet {
namespace {

using workflow::HarnessReport;

Result<Instance> Named(TestFleet& fleet, const Result<DbSnapshot>& made) {
  if (!made) return Fail(made.error());
  return *fleet.Find();
}

// An instance that is available, and its manual snapshot "s".
Snapshot WithSnapshot(bool multi_az, std::int64_t retention_days = 0) {
  TestFleet fleet;
  NewInstance wish = fleet.Wish(multi_az);
  wish.settings.backup_retention_days = retention_days;
  EXPECT_TRUE(CreateInstance(*fleet.context, wish));
  EXPECT_TRUE(fleet.RunUntilIdle());
  EXPECT_TRUE(CreateSnapshot(*fleet.context, kTestName, {.identifier = "s", .tags = {}}));
  EXPECT_TRUE(fleet.RunUntilIdle());
  EXPECT_EQ(fleet.Status(), "available");
  EXPECT_TRUE(fleet.Leftovers().empty()) << fleet.Leftovers().front();
  Snapshot snapshot = fleet.Keep();
  std::erase_if(snapshot.documents,
                [](const store::Put& put) { return put.key.starts_with("/runs/"); });
  return snapshot;
}

// What is left of its source is "s".
Snapshot OnlyTheSnapshot() {
  TestFleet fleet(WithSnapshot(false), kSecondSeed);
  EXPECT_TRUE(DeleteInstance(*fleet.context, kTestName));
  EXPECT_TRUE(fleet.RunUntilIdle());
  EXPECT_EQ(fleet.Summary(), "gone [s available]");
  Snapshot snapshot = fleet.Keep();
  std::erase_if(snapshot.documents,
                [](const store::Put& put) { return put.key.starts_with("/runs/"); });
  return snapshot;
}

Result<Instance> RestoreIt(TestFleet& fleet, bool multi_az) {
  TRY_ASSIGN(const Versioned<DbSnapshot> snapshot, LoadDbSnapshot(*fleet.store, "s"));
  NewInstance wish = fleet.Wish(multi_az);
  wish.settings.master_verifier.clear();
  wish.settings.password_stamp = 0;
  wish.restore = {.source = snapshot.value.instance, .backup = snapshot.value.backup};
  TRY(fleet.context->shelf->Plan(wish.restore));
  wish.restored_from = "Restored from snapshot s";
  return CreateInstance(*fleet.context, wish);
}

TEST(BackupWorkflowTest, CreateASnapshot) {
  const Snapshot from = Available(true);
  const HarnessReport report =
      Try({.workflow = std::string(kCreateSnapshot),
           .from = from,
           .command =
               [](TestFleet& fleet) {
                 return Named(fleet, CreateSnapshot(*fleet.context, kTestName, {"s", {}}));
               },
           .judge_failed =
               [](TestFleet& fleet) {
                 std::vector<std::string> found = fleet.Leftovers();
                 const bool told =
                     fleet.Snapshots() == " [s failed]" || fleet.Snapshots() == " [s available]";
                 if (!told) found.push_back("the snapshots" + fleet.Snapshots());
                 if (fleet.Status() != "available") found.push_back("the status");
                 return found;
               }});
  EXPECT_TRUE(report.problems.empty()) << report.Text();
}

TEST(BackupWorkflowTest, DeleteWithAFinalSnapshot) {
  const Snapshot from = Available(false);
  const auto command = [](TestFleet& fleet) {
    return DeleteInstance(*fleet.context, kTestName, {.final_snapshot = "last"});
  };
  const HarnessReport report =
      Try({.workflow = std::string(kDeleteInstance),
           .from = from,
           .command = command,
           .judge_failed = [](TestFleet& fleet) {
             fleet.RunFor(30);
             std::vector<std::string> found;
             const bool has_data = fleet.Status() == "available";
             const bool has_snapshot = fleet.Snapshots() == " [last available]";
             if (!has_data && !has_snapshot) found.push_back("data lost: " + fleet.Summary());
             // It can be deleted, or deleted again.
             EXPECT_TRUE(DeleteInstance(*fleet.context, kTestName));
             EXPECT_TRUE(fleet.RunUntilIdle());
             if (fleet.Status() != "gone") found.push_back("the instance");
             fleet.RunFor(30);
             std::ranges::copy(fleet.Leftovers(), std::back_inserter(found));
             return found;
           }});
  EXPECT_TRUE(report.problems.empty()) << report.Text();
}

TEST(BackupWorkflowTest, RestoreFromASnapshot) {
  const HarnessReport report =
      Try({.workflow = std::string(kCreateInstance),
           .from = OnlyTheSnapshot(),
           .command = [](TestFleet& fleet) { return RestoreIt(fleet, true); },
           .judge_failed =
               [](TestFleet& fleet) {
                 std::vector<std::string> found = fleet.Leftovers();
                 const std::string status = fleet.Status();
                 if (status != "incompatible-restore" && status != "failed") {
                   found.push_back("the status " + status);
                 }
                 return found;
               }});
  EXPECT_TRUE(report.problems.empty()) << report.Text();
}

TEST(BackupWorkflowTest, ARestoreHasTheDataAndThePasswordOfItsSource) {
  TestFleet fleet(OnlyTheSnapshot(), 3);
  const auto restored = RestoreIt(fleet, false);
  ASSERT_TRUE(restored);
  // The snapshot may go meanwhile: its backup does not.
  ASSERT_TRUE(DeleteSnapshot(*fleet.context, "s"));
  ASSERT_TRUE(fleet.RunUntilIdle());
  EXPECT_EQ(fleet.Status(), "available");
  EXPECT_EQ(fleet.host.state().machines.at(restored->first_node).verifier, "SCRAM-SHA-256$1");
  EXPECT_TRUE(fleet.Find()->restore.source.empty());
  fleet.RunFor(20);
  EXPECT_TRUE(fleet.host.shelf().backups.empty());
  EXPECT_TRUE(fleet.Leftovers().empty()) << fleet.Leftovers().front();
}

TEST(BackupWorkflowTest, AnAttemptThatFailsIsMadeAgain) {
  TestFleet fleet(Available(false), kSecondSeed);
  fleet.host.failing_backups = 2;
  ASSERT_TRUE(CreateSnapshot(*fleet.context, kTestName, {"s", {}}));
  EXPECT_EQ(fleet.Status(), "backing-up");
  ASSERT_TRUE(fleet.RunUntilIdle());
  EXPECT_EQ(fleet.Snapshots(), " [s available]");
  EXPECT_TRUE(fleet.Leftovers().empty()) << fleet.Leftovers().front();
}

TEST(BackupWorkflowTest, ABackupThatGetsNowhereIsGivenUp) {
  TestFleet fleet(Available(false), kSecondSeed);
  fleet.host.stalls_backups = true;
  ASSERT_TRUE(CreateSnapshot(*fleet.context, kTestName, {"s", {}}));
  fleet.RunFor(10);
  fleet.store.clock.Advance(2min);
  fleet.RunFor(10);
  EXPECT_EQ(fleet.Status(), "backing-up");
  fleet.store.clock.Advance(11min);
  ASSERT_TRUE(fleet.RunUntilIdle());
  EXPECT_EQ(fleet.Snapshots(), " [s failed]");
  EXPECT_EQ(fleet.Status(), "available");
  EXPECT_TRUE(fleet.Leftovers().empty()) << fleet.Leftovers().front();
  EXPECT_TRUE(DeleteSnapshot(*fleet.context, "s"));
}

TEST(BackupWorkflowTest, ADeletionDuringASnapshotLeavesNothing) {
  for (int ticks = 0; ticks < 8; ++ticks) {
    TestFleet fleet(Available(false), kSecondSeed);
    ASSERT_TRUE(CreateSnapshot(*fleet.context, kTestName, {"s", {}}));
    fleet.RunFor(ticks);
    ASSERT_TRUE(DeleteInstance(*fleet.context, kTestName));
    ASSERT_TRUE(fleet.RunUntilIdle()) << ticks;
    fleet.RunFor(20);
    EXPECT_EQ(fleet.Status(), "gone") << ticks;
    EXPECT_TRUE(fleet.Leftovers().empty()) << ticks << ": " << fleet.Leftovers().front();
  }
}

TEST(BackupWorkflowTest, AFinalSnapshotThatFailsLeavesTheInstanceAsItWas) {
  for (const bool stopped : {false, true}) {
    TestFleet fleet(Available(false, stopped), kSecondSeed);
    fleet.host.failing_backups = 9;
    ASSERT_TRUE(DeleteInstance(*fleet.context, kTestName, {.final_snapshot = "last"}));
    EXPECT_EQ(fleet.Status(), "deleting");
    ASSERT_TRUE(fleet.RunUntilIdle(600));
    EXPECT_EQ(fleet.Status(), stopped ? "stopped" : "available");
    EXPECT_EQ(fleet.Snapshots(), "");
    fleet.RunFor(30);
    EXPECT_TRUE(fleet.Leftovers().empty()) << fleet.Leftovers().front();
  }
}

TEST(BackupWorkflowTest, AStoppedInstanceHasAFinalSnapshotToo) {
  TestFleet fleet(Available(false, true), kSecondSeed);
  ASSERT_TRUE(DeleteInstance(*fleet.context, kTestName, {.final_snapshot = "last"}));
  ASSERT_TRUE(fleet.RunUntilIdle());
  EXPECT_EQ(fleet.Summary(), "gone [last available]");
}

TEST(BackupWorkflowTest, AStopCanTakeASnapshotFirst) {
  TestFleet fleet(Available(false), kSecondSeed);
  ASSERT_TRUE(StopInstance(*fleet.context, kTestName, "before"));
  ASSERT_TRUE(fleet.RunUntilIdle());
  EXPECT_EQ(fleet.Status(), "stopped");
  EXPECT_EQ(fleet.Snapshots(), " [before available]");
}

}  // namespace
}  // namespace howdah::fleet
