// Automated backups over days, and what names share.
#include "fleet/backup.h"

#include <gmock/gmock.h>

#include "fleet/backup_commands.h"
#include "fleet/keys.h"
#include "fleet/workflow_trial.h"

namespace howdah::fleet {
namespace {

using ::testing::Contains;
using ::testing::Not;

TEST(BackupTest, DocumentsKeepEveryField) {
  const DbSnapshot snapshot{.identifier = "s",
                            .automated = true,
                            .instance = InstanceId("db-A"),
                            .backup = "b-1",
                            .facts = {.identifier = "x", .port = 1, .tags = {{"a", "b"}}},
                            .created = FromMicros(1),
                            .original = FromMicros(2),
                            .finished = FromMicros(3),
                            .failure = "why",
                            .size_bytes = 4,
                            .stored_bytes = 5,
                            .tags = {{"k", "v"}}};
  EXPECT_EQ(ParseDbSnapshot(Format(snapshot)), snapshot);
  const AutomatedBackup backup{.instance = InstanceId("db-A"),
                               .arn_id = "ab-1",
                               .retained = true,
                               .doomed = true,
                               .imported = true,
                               .facts = snapshot.facts,
                               .latest = FromMicros(1),
                               .failed = FromMicros(2),
                               .kept_since = "b-1"};
  EXPECT_EQ(ParseAutomatedBackup(Format(backup)), backup);
  const BackupRecord record{.id = "b-1", .instance = InstanceId("db-A"), .users = {"a", "b"}};
  EXPECT_EQ(ParseBackupRecord(Format(record)), record);
  EXPECT_FALSE(ParseDbSnapshot("[]"));
}

class AutomatedBackupTest : public ::testing::Test {
 protected:
  void Create(std::int64_t retention_days) {
    NewInstance wish = fleet.Wish(false);
    wish.settings.backup_retention_days = retention_days;
    wish.settings.backup_window = "06:00-06:30";
    ASSERT_TRUE(CreateInstance(*fleet.context, wish));
    ASSERT_TRUE(fleet.RunUntilIdle());
    ASSERT_EQ(fleet.Status(), "available");
  }
  // A day goes by, hour by hour.
  void PassDays(int days) {
    for (int i = 0; i < days * 48; ++i) {
      fleet.store.clock.Advance(30min);
      fleet.RunFor(12);
      ASSERT_TRUE(fleet.RunUntilIdle());
    }
  }
  Result<Instance> SetRetention(std::int64_t days) {
    TRY_ASSIGN(const Versioned<Instance> instance, FindInstance(*fleet.store, kTestName));
    Change change{.settings = instance.value.settings};
    change.settings.backup_retention_days = days;
    return ModifyInstance(*fleet.context, instance, change);
  }
  std::optional<RestoreWindow> Window() {
    const auto window = RestoreWindowOf(*fleet.context, *fleet.Find());
    return window ? *window : std::nullopt;
  }

  TestFleet fleet;
};

TEST_F(AutomatedBackupTest, ANewInstanceIsBackedUpBeforeItIsAvailable) {
  Create(1);
  EXPECT_EQ(fleet.Snapshots(), " [automated available]");
  EXPECT_THAT(fleet.Messages(), Contains("Finished DB Instance backup"));
  EXPECT_TRUE(fleet.Leftovers().empty()) << fleet.Leftovers().front();
  fleet.RunFor(30);
  ASSERT_TRUE(Window());
  EXPECT_GT(Window()->latest, Window()->earliest);
}

TEST_F(AutomatedBackupTest, ABackupThatFailsDoesNotFailTheCreation) {
  fleet.host.failing_backups = 3;
  Create(1);
  EXPECT_EQ(fleet.Snapshots(), "");
  EXPECT_FALSE(Window());
  fleet.store.clock.Advance(11min);
  fleet.RunFor(5);
  ASSERT_TRUE(fleet.RunUntilIdle());
  EXPECT_EQ(fleet.Snapshots(), " [automated available]");
}

TEST_F(AutomatedBackupTest, EachDayHasItsSnapshotAndOldOnesGo) {
  Create(2);
  PassDays(5);
  const auto snapshots = *ListDbSnapshots(*fleet.store);
  EXPECT_EQ(snapshots.size(), 3) << fleet.Snapshots();
  EXPECT_EQ(fleet.host.shelf().backups.size(), 3);
  EXPECT_LE(Window()->earliest, fleet.store.clock.Now() - std::chrono::days(2));
  const std::string kept = fleet.host.shelf().archives.begin()->second;
  EXPECT_EQ(kept, snapshots.front().value.backup);
  EXPECT_TRUE(fleet.Leftovers().empty()) << fleet.Leftovers().front();
}

TEST_F(AutomatedBackupTest, SwitchedOffBackupsAreGoneAndOnAgainTheyBegin) {
  Create(1);
  ASSERT_TRUE(SetRetention(0));
  EXPECT_EQ(fleet.Status(), "modifying");
  ASSERT_TRUE(fleet.RunUntilIdle());
  fleet.RunFor(20);
  EXPECT_EQ(fleet.Snapshots(), "");
  EXPECT_TRUE(fleet.host.shelf().backups.empty());
  EXPECT_TRUE(fleet.host.shelf().archives.empty());
  EXPECT_THAT(fleet.Messages(), Contains("Disabled automated backups"));
  ASSERT_TRUE(SetRetention(3));
  ASSERT_TRUE(fleet.RunUntilIdle());
  EXPECT_THAT(fleet.Messages(), Contains("Enabled automated backups"));
  EXPECT_EQ(fleet.Snapshots(), " [automated available]");
}

TEST_F(AutomatedBackupTest, OnAgainAtOnceTheOldOnesDoNotTakeTheNewWithThem) {
  Create(1);
  ASSERT_TRUE(SetRetention(0));
  ASSERT_TRUE(fleet.Run(100, [&] { return fleet.Status() == "available"; }));
  ASSERT_TRUE(SetRetention(1));
  ASSERT_TRUE(fleet.RunUntilIdle());
  fleet.RunFor(20);
  EXPECT_EQ(fleet.Snapshots(), " [automated available]");
  EXPECT_EQ(fleet.host.shelf().backups.size(), 1);
  EXPECT_TRUE(fleet.Leftovers().empty()) << fleet.Leftovers().front();
}

TEST_F(AutomatedBackupTest, ADeletionTakesThemWithItOrKeepsThem) {
  Create(1);
  const InstanceId id = fleet.Find()->id;
  ASSERT_TRUE(DeleteInstance(*fleet.context, kTestName, {.keeps_backups = true}));
  ASSERT_TRUE(fleet.RunUntilIdle());
  EXPECT_EQ(fleet.Summary(), "gone [automated available]");
  const auto kept = LoadAutomatedBackup(*fleet.store, id);
  ASSERT_TRUE(kept);
  EXPECT_TRUE(kept->value.retained);
  EXPECT_EQ(kept->value.facts.identifier, kTestName);
  const auto window = *RestoreWindowOf(*fleet.context, kept->value);
  ASSERT_TRUE(window);
  EXPECT_GT(window->latest, window->earliest);
  // They go when their days are over.
  fleet.store.clock.Advance(25h);
  fleet.RunFor(30);
  EXPECT_EQ(fleet.Summary(), "gone");
  EXPECT_FALSE(LoadAutomatedBackup(*fleet.store, id));
  EXPECT_TRUE(fleet.host.shelf().backups.empty());
  EXPECT_TRUE(fleet.host.shelf().archives.empty());
}

TEST_F(AutomatedBackupTest, ADeletionWithoutAWordTakesThemWithIt) {
  Create(1);
  ASSERT_TRUE(DeleteInstance(*fleet.context, kTestName));
  ASSERT_TRUE(fleet.RunUntilIdle());
  fleet.RunFor(20);
  EXPECT_EQ(fleet.Summary(), "gone");
  EXPECT_TRUE(fleet.host.shelf().backups.empty());
  EXPECT_TRUE(fleet.host.shelf().archives.empty());
}

TEST_F(AutomatedBackupTest, RetainedOnesCanBeDeletedAndThoseOfAnInstanceCannot) {
  Create(1);
  const InstanceId id = fleet.Find()->id;
  EXPECT_EQ(DeleteAutomatedBackup(*fleet.context, id).error().code(), Code::kFailedState);
  ASSERT_TRUE(DeleteInstance(*fleet.context, kTestName, {.keeps_backups = true}));
  ASSERT_TRUE(fleet.RunUntilIdle());
  ASSERT_TRUE(DeleteAutomatedBackup(*fleet.context, id));
  fleet.RunFor(20);
  EXPECT_EQ(fleet.Summary(), "gone");
  EXPECT_TRUE(fleet.host.shelf().archives.empty());
}

TEST_F(AutomatedBackupTest, ACopyOutlivesWhatItCopies) {
  Create(1);
  const std::string automated = ListDbSnapshots(*fleet.store)->front().value.identifier;
  EXPECT_EQ(DeleteSnapshot(*fleet.context, automated).error().code(), Code::kFailedState);
  ASSERT_TRUE(CopySnapshot(*fleet.context, automated, {"mine", {{"a", "b"}}}, false));
  EXPECT_EQ(CopySnapshot(*fleet.context, automated, {"mine", {}}, false).error().code(),
            Code::kAlreadyExists);
  ASSERT_TRUE(DeleteInstance(*fleet.context, kTestName));
  ASSERT_TRUE(fleet.RunUntilIdle());
  fleet.RunFor(20);
  EXPECT_EQ(fleet.Summary(), "gone [mine available]");
  EXPECT_EQ(fleet.host.shelf().backups.size(), 1);
  ASSERT_TRUE(DeleteSnapshot(*fleet.context, "mine"));
  fleet.RunFor(20);
  EXPECT_TRUE(fleet.host.shelf().backups.empty());
}

TEST_F(AutomatedBackupTest, AnInstanceThatIsBeingBackedUpIsNotModified) {
  Create(1);
  ASSERT_TRUE(CreateSnapshot(*fleet.context, kTestName, {"s", {}}));
  EXPECT_EQ(CreateSnapshot(*fleet.context, kTestName, {"t", {}}).error().code(),
            Code::kFailedState);
  EXPECT_EQ(DeleteSnapshot(*fleet.context, "s").error().what(), "creating");
  ASSERT_TRUE(fleet.RunUntilIdle());
}

}  // namespace
}  // namespace howdah::fleet
