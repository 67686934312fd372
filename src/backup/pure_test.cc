// The parts that decide and the parts that are written down, without server and repository.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "backup/expiry.h"
#include "backup/file_table.h"
#include "backup/frame_plan.h"
#include "backup/known_blocks.h"
#include "backup/manifest.h"
#include "backup/names.h"
#include "backup/selection.h"
#include "backup/throttle.h"

namespace howdah::backup {
namespace {

using testing::ElementsAre;

const InstanceId kInstance("db-ABC");

// --- names ---

TEST(Names, AreReadAsTheyAreFormed) {
  for (const BackupObject& object :
       {BackupObject{.backup = "b-1", .kind = ObjectKind::kManifest},
        BackupObject{.backup = "b-1", .kind = ObjectKind::kFiles},
        BackupObject{.backup = "b-1", .kind = ObjectKind::kPack, .number = 7},
        BackupObject{.backup = "b-1", .kind = ObjectKind::kPart, .number = 4'000'000'000},
        BackupObject{.backup = "b-1", .kind = ObjectKind::kWal, .number = 0}}) {
    EXPECT_EQ(ParseBackupObject(kInstance, NameOf(kInstance, object)), object);
  }
  EXPECT_EQ(NameOf(kInstance, {.backup = "b-1", .kind = ObjectKind::kPack, .number = 7}),
            "instances/db-ABC/backups/b-1/pack-000007");
  EXPECT_EQ(ParseDescriptionName(kInstance, DescriptionName(kInstance, 12)), 12U);
}

TEST(Names, OfOtherInstancesAndFormsAreNone) {
  for (const char* name :
       {"instances/db-X/backups/b-1/manifest", "instances/db-ABC/backups/b-1/pack-7",
        "instances/db-ABC/backups/b-1/pack-", "instances/db-ABC/backups/b-1/manifest2",
        "instances/db-ABC/backups//manifest", "instances/db-ABC/backups/b-1", "keys/x"}) {
    EXPECT_FALSE(ParseBackupObject(kInstance, name)) << name;
  }
  EXPECT_FALSE(ParseDescriptionName(kInstance, "instances/db-ABC/instance/1"));
}

// --- what is in a backup ---

TEST(Selection, LeavesOutWhatBelongsToTheRunningServer) {
  for (const char* path :
       {"postmaster.pid", "postmaster.opts", "standby.signal", "recovery.signal", "backup_label",
        "tablespace_map", "base/5/t3_16384", "base/5/t3_16384_fsm", "base/5/t3_16384.1",
        "base/5/pg_internal.init", "global/pg_internal.init.123", "base/pgsql_tmp/x",
        "pgsql_tmp12.0", "current_logfiles"}) {
    const bool inside = std::string_view(path) == "base/pgsql_tmp/x";
    EXPECT_EQ(InclusionOf(inside ? "base/pgsql_tmp" : path, inside), Inclusion::kNot) << path;
  }
}

TEST(Selection, KeepsDirectoriesThatTheServerExpectsEmpty) {
  for (const char* path : {"pg_wal", "pg_replslot", "pg_stat_tmp", "pg_notify", "pg_serial",
                           "pg_snapshots", "pg_subtrans", "pg_dynshmem", "pg_tblspc"}) {
    EXPECT_EQ(InclusionOf(path, true), Inclusion::kEmpty) << path;
  }
}

TEST(Selection, KeepsTheRest) {
  for (const char* path :
       {"PG_VERSION", "postgresql.auto.conf", "base/5/16384", "base/5/16384_init",
        "global/pg_filenode.map", "pg_xact/0000", "pg_twophase/00000295",
        "pg_multixact/offsets/0000", "pg_logical/mappings/x", "base/5/t"}) {
    EXPECT_EQ(InclusionOf(path, false), Inclusion::kWhole) << path;
  }
  EXPECT_EQ(InclusionOf("base/5", true), Inclusion::kWhole);
}

TEST(Selection, KnowsFilesOfRelations) {
  const auto plain = ParseRelationFile("base/5/16384");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->relation, "base/5/16384");
  EXPECT_EQ(plain->FirstBlock(), 0U);
  const auto second = ParseRelationFile("base/5/16384_vm.2");
  ASSERT_TRUE(second);
  EXPECT_EQ(second->fork, "vm");
  EXPECT_EQ(second->FirstBlock(), 262144U);
  EXPECT_EQ(ParseRelationFile("global/1262_init")->fork, "init");
  for (const char* path : {"pg_xact/0000", "base/5/PG_VERSION", "base/5/16384x", "base/5/16384.x",
                           "base/5/16384.", "base/5/16384_foo", "base/5/16384.99999"}) {
    EXPECT_FALSE(ParseRelationFile(path)) << path;
  }
}

TEST(Selection, LeavesOutContentsOfUnloggedRelations) {
  const std::set<std::string, std::less<>> initialized = {"base/5/16384"};
  EXPECT_TRUE(IsReset(*ParseRelationFile("base/5/16384"), initialized));
  EXPECT_TRUE(IsReset(*ParseRelationFile("base/5/16384_fsm.1"), initialized));
  EXPECT_FALSE(IsReset(*ParseRelationFile("base/5/16384_init"), initialized));
  EXPECT_FALSE(IsReset(*ParseRelationFile("base/5/16385"), initialized));
}

// --- tables ---

FileTable SomeTable() {
  FileTable table;
  table.packs = {{{.number = 0, .offset = 64, .stored_bytes = 100, .raw_bytes = 40000},
                  {.number = 1, .offset = 164, .stored_bytes = 9, .raw_bytes = 8192}},
                 {{.number = 0, .offset = 64, .stored_bytes = 5, .raw_bytes = 20000}}};
  table.directories = {{.path = "base"}, {.path = "base/1", .mode = 0750}};
  table.files = {{.path = "base/1/1",
                  .size_bytes = 8192 * 3,
                  .extents = {{.pack = 1, .frame = 0, .offset = 100, .length = 8192},
                              {.pack = 0, .frame = 0, .offset = 0, .length = 16384}}},
                 {.path = "base/1/2",
                  .mode = 0640,
                  .size_bytes = 8292,
                  .extents = {{.pack = 0, .frame = 1, .offset = 0, .length = 8192},
                              {.pack = 0, .frame = 0, .offset = 39900, .length = 100}}},
                 {.path = "empty"}};
  return table;
}

TEST(FileTable, IsReadAsItWasWritten) {
  const auto read = ParseFileTable(FormatFileTable(SomeTable()));
  ASSERT_TRUE(read) << read.error().what();
  EXPECT_EQ(*read, SomeTable());
}

TEST(FileTable, CutOffAnywhereIsCorrupt) {
  const std::string bytes = FormatFileTable(SomeTable());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(ParseFileTable(bytes.substr(0, size))) << size;
  }
  EXPECT_FALSE(ParseFileTable(bytes + "x"));
}

TEST(FileTable, ThatContradictsItselfIsCorrupt) {
  const auto with = [](auto change) {
    FileTable table = SomeTable();
    change(table);
    return ParseFileTable(FormatFileTable(table)).has_value();
  };
  EXPECT_FALSE(with([](FileTable& t) { t.files[0].extents[0].offset = 19000; }));
  EXPECT_FALSE(with([](FileTable& t) { t.files[0].extents[0].pack = 2; }));
  EXPECT_FALSE(with([](FileTable& t) { t.files[0].extents[0].frame = 1; }));
  EXPECT_FALSE(with([](FileTable& t) { t.files[0].size_bytes = 1; }));
  EXPECT_FALSE(with([](FileTable& t) { t.files[0].extents[0].length = 8191; }));
  EXPECT_FALSE(with([](FileTable& t) { std::swap(t.files[0], t.files[1]); }));
  for (const char* path : {"../x", "/etc/passwd", "a//b", "a/../b", "", "a/", "."}) {
    EXPECT_FALSE(with([&](FileTable& t) { t.files.back().path = path; })) << path;
    EXPECT_FALSE(with([&](FileTable& t) { t.directories[0].path = path; })) << path;
  }
}

TEST(PageMap, MustFitItsTable) {
  const FileTable table = SomeTable();
  const PageMap pages = {{1, 2, 3}, {4, ~std::uint64_t{0}}, {}};
  const std::string bytes = FormatPageMap(pages);
  EXPECT_EQ(*ParsePageMap(bytes, table), pages);
  FileTable other = table;
  other.files.pop_back();
  EXPECT_FALSE(ParsePageMap(bytes, other));
  EXPECT_FALSE(ParsePageMap(FormatPageMap({{1, 2}, {4, 5}, {}}), table));
  EXPECT_FALSE(ParsePageMap(bytes.substr(0, bytes.size() - 1), table));
}

TEST(Part, IsReadAsItWasWritten) {
  const Part part{.frames = SomeTable().packs[0],
                  .runs = {{.path = "base/1/1",
                            .first_block = 7,
                            .extent = {.frame = 0, .offset = 8192, .length = 8292},
                            .hashes = {1, 2}}}};
  EXPECT_EQ(*ParsePart(FormatPart(part)), part);
  Part wrong = part;
  wrong.runs[0].hashes.pop_back();
  EXPECT_FALSE(ParsePart(FormatPart(wrong)));
}

Manifest SomeManifest() {
  return {.id = "b-1",
          .instance = kInstance,
          .base = "b-0",
          .description = R"({"x":1})",
          .server_version = "14.17",
          .system_identifier = "7303030303030303030",
          .checksums = true,
          .start_lsn = 0x3000028,
          .stop_lsn = 0x4000100,
          .timeline = 2,
          .started = FromMicros(1),
          .finished = FromMicros(2'000'000),
          .backup_label = "START WAL LOCATION: 0/3000028\n",
          .wal_segment_bytes = 16 << 20,
          .wal = {10, 20},
          .packs = {{.backup = "b-0", .number = 3, .size_bytes = 100, .used_bytes = 50}},
          .bad_pages = {{.path = "base/1/1", .block = 2}},
          .bad_page_count = 1};
}

TEST(Manifest, IsReadAsItWasWritten) {
  const auto read = ParseManifest(FormatManifest(SomeManifest()));
  ASSERT_TRUE(read) << read.error().what();
  EXPECT_EQ(*read, SomeManifest());
  EXPECT_EQ(read->major(), 14);
}

TEST(Manifest, OfALaterFormatIsRefused) {
  Manifest manifest = SomeManifest();
  manifest.version = 2;
  EXPECT_EQ(ParseManifest(FormatManifest(manifest)).error().code(), Code::kUnsupported);
}

TEST(Manifest, WithoutAllItsWalIsCorrupt) {
  Manifest manifest = SomeManifest();
  manifest.wal.pop_back();
  EXPECT_EQ(ParseManifest(FormatManifest(manifest)).error().code(), Code::kCorrupt);
  manifest = SomeManifest();
  manifest.stop_lsn = manifest.start_lsn;
  EXPECT_FALSE(ParseManifest(FormatManifest(manifest)));
}

// --- what is known already ---

TEST(KnownBlocks, AreFoundByPlaceAndHash) {
  const FileTable table = SomeTable();
  const auto known = KnownBlocks::Of(table, {{1, 2, 3}, {4, 5}, {}}, {false, false});
  KnownCursor cursor(known.Find("base/1/1"));
  EXPECT_EQ(cursor.At(0, 8192, 1), (Extent{.pack = 1, .frame = 0, .offset = 100, .length = 8192}));
  EXPECT_EQ(cursor.At(1, 8192, 9), std::nullopt);
  EXPECT_EQ(cursor.At(2, 8192, 3), (Extent{.pack = 0, .offset = 8192, .length = 8192}));
  EXPECT_EQ(cursor.At(3, 8192, 3), std::nullopt);
  KnownCursor last(known.Find("base/1/2"));
  EXPECT_EQ(last.At(1, 8192, 5), std::nullopt) << "it was shorter";
  EXPECT_TRUE(last.At(1, 100, 5));
  EXPECT_EQ(KnownCursor(known.Find("other")).At(0, 1, 1), std::nullopt);
}

TEST(KnownBlocks, OfWornPacksAreNot) {
  const auto known = KnownBlocks::Of(SomeTable(), {{1, 2, 3}, {4, 5}, {}}, {false, true});
  KnownCursor cursor(known.Find("base/1/1"));
  EXPECT_EQ(cursor.At(0, 8192, 1), std::nullopt);
  EXPECT_TRUE(cursor.At(1, 8192, 2));
}

TEST(KnownBlocks, OfPartsMayOverlap) {
  const auto run = [](std::uint64_t first, std::vector<std::uint64_t> hashes) {
    const auto length = static_cast<std::uint32_t>(hashes.size() * kBlockBytes);
    return PartRun{.path = "f",
                   .first_block = first,
                   .extent = {.length = length},
                   .hashes = std::move(hashes)};
  };
  const auto known = KnownBlocks::Of(
      {Part{.runs = {run(2, {3, 4})}}, Part{.runs = {run(3, {5, 6}), run(9, {7})}}}, {10, 11});
  KnownCursor cursor(known.Find("f"));
  EXPECT_EQ(cursor.At(2, 8192, 3)->pack, 10U);
  EXPECT_TRUE(cursor.At(3, 8192, 4));
  EXPECT_EQ(cursor.At(9, 8192, 7)->pack, 11U);
}

TEST(KnownBlocks, PackOfWhichLittleIsUsedIsWorn) {
  EXPECT_THAT(WornPacks(SomeTable()), ElementsAre(false, false));
  FileTable table = SomeTable();
  table.packs[1][0].raw_bytes = 40000;  // a fifth of it is used
  EXPECT_THAT(WornPacks(table), ElementsAre(false, true));
}

// --- the order of reading ---

TEST(FramePlan, ReadsEachFrameOnceInOrder) {
  const FramePlan plan = PlanFrames(SomeTable());
  ASSERT_EQ(plan.batches.size(), 2U);
  EXPECT_EQ(plan.batches[0].offset, 64U);
  EXPECT_EQ(plan.batches[0].size_bytes, 109U);
  EXPECT_EQ(plan.batches[0].end_piece, 3U);
  EXPECT_EQ(plan.pieces[1].file, 1U);
  EXPECT_EQ(plan.pieces[1].file_offset, 8192U);
  EXPECT_EQ(plan.batches[1].pack, 1U);
}

TEST(FramePlan, OfSomeBlocksHasThemOnly) {
  const FramePlan plan = PlanFrames(
      SomeTable(), {{.file = 0, .first = 0, .count = 2}, {.file = 1, .first = 1, .count = 1}});
  ASSERT_EQ(plan.pieces.size(), 3U);
  EXPECT_EQ(plan.pieces[0].offset, 0U);
  EXPECT_EQ(plan.pieces[0].length, 8192U);
  EXPECT_EQ(plan.pieces[0].file_offset, 8192U);
  EXPECT_EQ(plan.pieces[1].length, 100U);
  EXPECT_EQ(plan.pieces[2].pack, 1U);
}

// --- throttle ---

TEST(Throttle, PausesMoreWhileCommitsAreSlowAndLessWhenTheyAreNot) {
  Throttle throttle;
  throttle.SetUsual({.time = 2ms});
  EXPECT_EQ(throttle.PauseAfter(10ms), 0us);
  throttle.Observe(Commits{.time = 10ms});
  const Duration first = throttle.PauseAfter(10ms);
  EXPECT_GT(first, 0us);
  throttle.Observe(Commits{.time = 10ms});
  EXPECT_GT(throttle.PauseAfter(10ms), first);
  for (int i = 0; i < 30; ++i) throttle.Observe(Commits{.time = 2ms});
  EXPECT_EQ(throttle.PauseAfter(10ms), 0us);
}

TEST(Throttle, NeverStopsABackup) {
  Throttle throttle({.least_share = 0.05, .longest_pause = 1s, .patience = 20});
  throttle.SetUsual({.time = 1ms});
  for (int i = 0; i < 10; ++i) throttle.Observe(Commits{.time = 1s});
  EXPECT_EQ(throttle.share(), 0.05);
  EXPECT_EQ(throttle.PauseAfter(10s), 1s);
}

TEST(Throttle, TakesForUsualWhatIsSlowWithoutIt) {
  Throttle throttle({.patience = 5});
  throttle.SetUsual({.time = 1ms});
  for (int i = 0; i < 20; ++i) throttle.Observe(Commits{.time = 50ms});
  for (int i = 0; i < 30; ++i) throttle.Observe(Commits{.time = 50ms});
  EXPECT_EQ(throttle.share(), 1);
}

TEST(Throttle, GoesAtFullSpeedWhereNobodyCommits) {
  Throttle throttle;
  for (int i = 0; i < 5; ++i) throttle.Observe(std::nullopt);
  EXPECT_EQ(throttle.share(), 1);
}

TEST(Throttle, BeginsGentlyWhereOthersCommitAndKeepsTheirNumber) {
  Throttle throttle;
  throttle.SetUsual({.time = 1ms, .per_second = 1000});
  EXPECT_GT(throttle.PauseAfter(10ms), 0us) << "nobody is hit before the first look";
  const double first = throttle.share();
  throttle.Observe(Commits{.time = 1ms, .per_second = 990});
  EXPECT_GT(throttle.share(), first);
  throttle.Observe(Commits{.time = 1ms, .per_second = 900});
  const double less = throttle.share();
  EXPECT_LT(less, first) << "as quick as ever, but fewer";
  throttle.Observe(Commits{.time = 1ms});
  EXPECT_GT(throttle.share(), less) << "too few to tell are not fewer";
}

TEST(Throttle, AWorkloadThatGrowsIsTheUsual) {
  Throttle throttle;
  throttle.SetUsual({.time = 1ms, .per_second = 100});
  for (int i = 0; i < 60; ++i) throttle.Observe(Commits{.time = 1ms, .per_second = 1000});
  EXPECT_EQ(throttle.share(), 1);
  throttle.Observe(Commits{.time = 1ms, .per_second = 800});
  EXPECT_LT(throttle.share(), 1);
}

// --- expiry ---

Kept At(const std::string& id, int day, bool automated = true) {
  return {.id = id,
          .automated = automated,
          .timeline = 1,
          .start_lsn = 1000 * (day + 1),
          .finished = FromMicros(0) + std::chrono::days(day)};
}
WallTime Day(int day) {
  return FromMicros(0) + std::chrono::days(day);
}

TEST(Expiry, KeepsTheBackupBeforeTheWindow) {
  const std::vector<Kept> backups = {At("a", 1), At("b", 2), At("c", 3), At("d", 4)};
  const ExpiryPlan plan = PlanExpiry(backups, 48h, Day(5) - 1h);
  EXPECT_THAT(plan.remove, ElementsAre("a"));
  EXPECT_EQ(plan.oldest->id, "b") << "a restore to the window's first moment begins there";
}

TEST(Expiry, KeepsAllWhileTheWindowIsNotFull) {
  const std::vector<Kept> backups = {At("a", 3), At("b", 4)};
  const ExpiryPlan plan = PlanExpiry(backups, 24h * 7, Day(5));
  EXPECT_TRUE(plan.remove.empty());
  EXPECT_EQ(plan.oldest->id, "a");
}

TEST(Expiry, CountsBackFromWhatCanBeRestored) {
  const std::vector<Kept> backups = {At("a", 1), At("b", 2), At("c", 3)};
  EXPECT_TRUE(PlanExpiry(backups, 48h, Day(3)).remove.empty())
      << "an instance that has been stopped for a year keeps its last days";
}

TEST(Expiry, NeverTakesManualOnesNorThoseInUse) {
  std::vector<Kept> backups = {At("a", 1), At("m", 1, false), At("b", 2), At("c", 30)};
  backups[0].in_use = true;
  const ExpiryPlan plan = PlanExpiry(backups, 24h, Day(40));
  EXPECT_THAT(plan.remove, ElementsAre("b"));
  EXPECT_EQ(plan.oldest->id, "a") << "the restore that uses it may need its WAL";
}

TEST(Expiry, WithoutRetentionTakesAllAutomatedOnes) {
  const std::vector<Kept> backups = {At("a", 1), At("m", 2, false)};
  const ExpiryPlan plan = PlanExpiry(backups, 0s, Day(3));
  EXPECT_THAT(plan.remove, ElementsAre("a"));
  EXPECT_FALSE(plan.oldest);
}

TEST(Expiry, OrdersByHistoryNotByClocks) {
  Kept after = At("after failover", 2);
  after.timeline = 2;
  after.start_lsn = 1;
  const std::vector<Kept> backups = {after, At("a", 3), At("b", 9)};
  const ExpiryPlan plan = PlanExpiry(backups, 24h, Day(10));
  EXPECT_EQ(plan.oldest->id, "after failover");
}

}  // namespace
}  // namespace howdah::backup
