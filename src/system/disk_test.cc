// The contract of Disk, on the real file system and on the fake.
#include "system/disk.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>

#include "system/fake/memory_disk.h"
#include "system/real/posix_disk.h"

namespace howdah::system {
namespace {

using Names = std::vector<std::string>;

class DiskContract : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (GetParam()) {
      std::string directory = testing::TempDir() + "howdah-disk-XXXXXX";
      ASSERT_NE(mkdtemp(directory.data()), nullptr);
      root_ = directory;
      disk_ = std::make_unique<PosixDisk>();
    } else {
      disk_ = std::make_unique<MemoryDisk>();
      root_ = "/root";
      ASSERT_TRUE(disk_->MakeDirectories(root_));
    }
  }
  void TearDown() override {
    if (GetParam()) std::filesystem::remove_all(root_);
  }
  std::string At(const std::string& name) const { return root_ + "/" + name; }

  std::string root_;
  std::unique_ptr<Disk> disk_;
};

TEST_P(DiskContract, WhatIsWrittenIsRead) {
  const std::string contents("a\0b\n", 4);
  ASSERT_TRUE(disk_->WriteDurably(At("file"), contents));
  EXPECT_EQ(*disk_->Read(At("file")), contents);
  ASSERT_TRUE(disk_->WriteDurably(At("file"), "new"));
  EXPECT_EQ(*disk_->Read(At("file")), "new");
  EXPECT_EQ(*disk_->List(root_), Names{"file"});  // nothing is left beside it
}

TEST_P(DiskContract, PartsOfAFileAreReadWrittenAndCut) {
  EXPECT_EQ(disk_->ReadAt(At("no"), 0, 1).error().code(), Code::kNotFound);
  EXPECT_EQ(disk_->Resize(At("no"), 1).error().code(), Code::kNotFound);
  ASSERT_TRUE(disk_->WriteAt(At("file"), 0, "0123456789"));
  ASSERT_TRUE(disk_->WriteAt(At("file"), 3, "xy"));
  EXPECT_EQ(*disk_->ReadAt(At("file"), 2, 4), "2xy5");
  EXPECT_EQ(*disk_->ReadAt(At("file"), 8, 100), "89");
  EXPECT_EQ(*disk_->ReadAt(At("file"), 100, 1), "");
  ASSERT_TRUE(disk_->Resize(At("file"), 4));
  ASSERT_TRUE(disk_->WriteAt(At("file"), 6, "z"));
  EXPECT_EQ(*disk_->Read(At("file")), std::string("012x\0\0z", 7));
}

TEST_P(DiskContract, AWrittenFileHasExactlyTheModeAskedFor) {
  ASSERT_TRUE(disk_->WriteDurably(At("secret"), "x"));
  ASSERT_TRUE(disk_->WriteDurably(At("open"), "xy", 0666));
  EXPECT_EQ(disk_->Inspect(At("secret"))->mode, 0600U);
  EXPECT_EQ(disk_->Inspect(At("open"))->mode, 0666U);
  EXPECT_EQ(disk_->Inspect(At("open"))->size_bytes, 2U);
  EXPECT_TRUE(disk_->Inspect(root_)->is_directory);
}

TEST_P(DiskContract, WhatIsAbsentIsNotFound) {
  EXPECT_EQ(disk_->Read(At("no")).error().code(), Code::kNotFound);
  EXPECT_EQ(disk_->List(At("no")).error().code(), Code::kNotFound);
  EXPECT_EQ(disk_->Inspect(At("no")).error().code(), Code::kNotFound);
  EXPECT_EQ(disk_->Rename(At("no"), At("x")).error().code(), Code::kNotFound);
  EXPECT_EQ(disk_->WriteDurably(At("no/file"), "x").error().code(), Code::kNotFound);
  EXPECT_EQ(disk_->SyncTree(At("no")).error().code(), Code::kNotFound);
  EXPECT_EQ(disk_->Space(At("no")).error().code(), Code::kNotFound);
  EXPECT_FALSE(*disk_->Exists(At("no")));
}

TEST_P(DiskContract, DirectoriesAreMadeWithTheirParentsAndKept) {
  ASSERT_TRUE(disk_->MakeDirectories(At("a/b/c")));
  ASSERT_TRUE(disk_->MakeDirectories(At("a/b"), 0755));
  EXPECT_EQ(disk_->Inspect(At("a/b"))->mode, 0700U);
  ASSERT_TRUE(disk_->WriteDurably(At("a/file"), "x"));
  EXPECT_FALSE(disk_->MakeDirectories(At("a/file")));
  EXPECT_FALSE(disk_->MakeDirectories(At("a/file/deeper")));
}

TEST_P(DiskContract, AListingIsSortedAndNotDeep) {
  ASSERT_TRUE(disk_->MakeDirectories(At("d/deep")));
  ASSERT_TRUE(disk_->WriteDurably(At("d/b"), "x"));
  ASSERT_TRUE(disk_->WriteDurably(At("d/a"), "x"));
  ASSERT_TRUE(disk_->WriteDurably(At("d/deep/file"), "x"));
  EXPECT_EQ(*disk_->List(At("d")), (Names{"a", "b", "deep"}));
  EXPECT_FALSE(disk_->List(At("d/a")));
}

TEST_P(DiskContract, ARenameReplacesAFileAndMovesATree) {
  ASSERT_TRUE(disk_->WriteDurably(At("one"), "1"));
  ASSERT_TRUE(disk_->WriteDurably(At("two"), "2"));
  ASSERT_TRUE(disk_->Rename(At("one"), At("two")));
  EXPECT_EQ(*disk_->Read(At("two")), "1");
  ASSERT_TRUE(disk_->MakeDirectories(At("tree/deep")));
  ASSERT_TRUE(disk_->WriteDurably(At("tree/deep/file"), "x"));
  ASSERT_TRUE(disk_->MakeDirectories(At("elsewhere")));
  ASSERT_TRUE(disk_->Rename(At("tree"), At("elsewhere/tree")));
  EXPECT_EQ(*disk_->Read(At("elsewhere/tree/deep/file")), "x");
  EXPECT_FALSE(*disk_->Exists(At("tree")));
  ASSERT_TRUE(disk_->MakeDirectories(At("other")));
  EXPECT_FALSE(disk_->Rename(At("other"), At("elsewhere")));  // not empty
}

TEST_P(DiskContract, RemovingATreeRemovesAllOfItAndNothingElse) {
  ASSERT_TRUE(disk_->MakeDirectories(At("tree/deep")));
  ASSERT_TRUE(disk_->WriteDurably(At("tree/deep/file"), "x"));
  ASSERT_TRUE(disk_->WriteDurably(At("tree-too"), "x"));
  ASSERT_TRUE(disk_->SyncTree(At("tree")));
  ASSERT_TRUE(disk_->RemoveTree(At("tree")));
  EXPECT_EQ(*disk_->List(root_), Names{"tree-too"});
  EXPECT_TRUE(disk_->RemoveTree(At("tree")));  // absent is no error
  ASSERT_TRUE(disk_->RemoveTree(At("tree-too")));
  EXPECT_TRUE(disk_->List(root_)->empty());
}

TEST_P(DiskContract, SpaceIsToldAndFreeIsAtMostTotal) {
  const Result<SpaceInfo> space = disk_->Space(root_);
  ASSERT_TRUE(space);
  EXPECT_GT(space->total_bytes, 0U);
  EXPECT_LE(space->free_bytes, space->total_bytes);
}

TEST_P(DiskContract, ATreeIsMeasuredWithAllThatIsInIt) {
  ASSERT_TRUE(disk_->MakeDirectories(At("tree/deep")));
  ASSERT_TRUE(disk_->WriteDurably(At("tree/deep/file"), std::string(100'000, 'x')));
  ASSERT_TRUE(disk_->WriteDurably(At("beside"), std::string(1'000'000, 'x')));
  const Result<std::uint64_t> bytes = disk_->TreeBytes(At("tree"));
  ASSERT_TRUE(bytes);
  EXPECT_GE(*bytes, 100'000U);
  EXPECT_LT(*bytes, 200'000U);
  EXPECT_EQ(disk_->TreeBytes(At("no")).error().code(), Code::kNotFound);
}

INSTANTIATE_TEST_SUITE_P(RealAndFake, DiskContract, testing::Bool(),
                         [](const auto& info) { return info.param ? "Posix" : "Memory"; });

// What is not on the disk is not used, and what is not followed is not counted.
TEST(PosixDisk, HolesAndLinksCountNothing) {
  std::string directory = testing::TempDir() + "howdah-disk-XXXXXX";
  ASSERT_NE(mkdtemp(directory.data()), nullptr);
  PosixDisk disk;
  ASSERT_TRUE(disk.WriteDurably(directory + "/sparse", "x"));
  std::filesystem::resize_file(directory + "/sparse", 1ULL << 30U);
  std::filesystem::create_directory_symlink("/usr", directory + "/link");
  const Result<std::uint64_t> bytes = disk.TreeBytes(directory);
  ASSERT_TRUE(bytes);
  EXPECT_LT(*bytes, 1'000'000U);
  std::filesystem::remove_all(directory);
}

TEST(MemoryDisk, FailsTheCallAskedForOnceAndDoesNothing) {
  MemoryDisk disk;
  disk.FailAfter(1, Error(Code::kExhausted, "full"));
  EXPECT_TRUE(disk.WriteDurably("/a", "x"));
  EXPECT_EQ(disk.WriteDurably("/b", "x").error().code(), Code::kExhausted);
  EXPECT_FALSE(*disk.Exists("/b"));
}

}  // namespace
}  // namespace howdah::system
