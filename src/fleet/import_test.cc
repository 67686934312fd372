// A home is lost, the repository is not: a fresh store takes up what is there.
#include "fleet/import.h"

#include <gmock/gmock.h>

#include "fleet/backup_commands.h"
#include "fleet/test_fleet.h"

namespace howdah::fleet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ImportTest : public ::testing::Test {
 protected:
  void SetUp() override {
    NewInstance wish = lost_.Wish(false);
    wish.settings.backup_retention_days = 2;
    ASSERT_TRUE(CreateInstance(*lost_.context, wish));
    ASSERT_TRUE(lost_.RunUntilIdle());
    ASSERT_TRUE(CreateSnapshot(*lost_.context, kTestName, {.identifier = "mine", .tags = {}}));
    ASSERT_TRUE(lost_.RunUntilIdle());
    ASSERT_TRUE(CopySnapshot(*lost_.context, "mine", {.identifier = "copy", .tags = {}}, false));
    lost_.RunFor(30);
    resource_ = lost_.Find()->id;
    fresh_.host.shelf() = lost_.host.shelf();
  }
  std::vector<ImportOutcome> Import(bool dry_run = false) {
    const auto outcomes = ImportBackups(*fresh_.context, dry_run);
    EXPECT_TRUE(outcomes);
    return outcomes.value_or(std::vector<ImportOutcome>());
  }

  TestFleet lost_, fresh_{2};
  InstanceId resource_;
};

TEST_F(ImportTest, SnapshotsCopiesAndTheArchiveComeBack) {
  EXPECT_EQ(Import(true).at(0).snapshots, 3U);
  EXPECT_EQ(fresh_.Snapshots(), "") << "a dry run changes nothing";
  const auto outcomes = Import();
  ASSERT_EQ(outcomes.size(), 1U);
  EXPECT_EQ(outcomes[0].facts.identifier, kTestName);
  EXPECT_FALSE(outcomes[0].known);
  EXPECT_EQ(fresh_.Snapshots(), lost_.Snapshots());
  const auto backup = LoadAutomatedBackup(*fresh_.store, resource_);
  ASSERT_TRUE(backup);
  EXPECT_TRUE(backup->value.retained);
  EXPECT_EQ(backup->value.facts, FactsOf(*lost_.Find()));
  const auto window = RestoreWindowOf(*fresh_.context, backup->value);
  ASSERT_TRUE(window && *window);
  EXPECT_GE((*window)->latest, (*window)->earliest);
  EXPECT_TRUE(Import().at(0).known) << "a second time it is this store's";
  EXPECT_EQ(fresh_.Snapshots(), lost_.Snapshots());
}

TEST_F(ImportTest, WhatWasImportedStaysUntilSomebodyDeletesIt) {
  Import();
  fresh_.store.clock.Advance(std::chrono::days(40));
  fresh_.RunFor(30);
  EXPECT_EQ(fresh_.Snapshots(), lost_.Snapshots());
  EXPECT_EQ(fresh_.host.shelf().backups.size(), 2U);
  ASSERT_TRUE(DeleteAutomatedBackup(*fresh_.context, resource_));
  fresh_.RunFor(30);
  EXPECT_EQ(fresh_.host.shelf().backups.size(), 1U) << "the manual one stays";
}

TEST_F(ImportTest, ATakenNameGetsTheResourceBehindIt) {
  NewInstance wish = fresh_.Wish(false);
  wish.settings.backup_retention_days = 0;
  ASSERT_TRUE(CreateInstance(*fresh_.context, wish));
  ASSERT_TRUE(fresh_.RunUntilIdle());
  ASSERT_TRUE(CreateSnapshot(*fresh_.context, kTestName, {.identifier = "mine", .tags = {}}));
  ASSERT_TRUE(fresh_.RunUntilIdle());
  Import();
  EXPECT_THAT(fresh_.Snapshots(), HasSubstr("mine-db-"));
  ASSERT_TRUE(DeleteSnapshot(*fresh_.context, "copy"));
  fresh_.RunFor(30);
  EXPECT_EQ(fresh_.host.shelf().backups.size(), 3U) << "the renamed one needs it still";
}

TEST_F(ImportTest, WithoutAnyDescriptionTheBackupsSayWhatTheyAre) {
  fresh_.host.shelf().descriptions.clear();
  Import();
  EXPECT_THAT(fresh_.Snapshots(), HasSubstr("mine"));
  EXPECT_THAT(fresh_.Snapshots(), testing::Not(HasSubstr("copy")));
}

TEST_F(ImportTest, WhatNothingDescribesIsNamed) {
  fresh_.host.shelf().descriptions.clear();
  for (auto& [id, backup] : fresh_.host.shelf().backups) backup.description = "{";
  const auto outcomes = Import();
  EXPECT_THAT(outcomes.at(0).problem, HasSubstr(resource_.str()));
  EXPECT_EQ(fresh_.Snapshots(), "");
}

}  // namespace
}  // namespace howdah::fleet
