// A directory as a repository: what a crash at any step leaves, a full disk, and
// names that must not lead anywhere else.
#include "repository/directory.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "repository/temporary_directory.h"
#include "system/real/os_entropy.h"

namespace howdah::repository {
namespace {

namespace fs = std::filesystem;

class DirectoryTest : public testing::Test {
 protected:
  std::unique_ptr<Repository> Open(BeforeStep before = {}) {
    auto repository = DirectoryRepository::Open(directory_.Root(), entropy_, std::move(before));
    EXPECT_TRUE(repository) << repository.error().what();
    return repository ? *std::move(repository) : nullptr;
  }
  Error OpenError(const std::string& path) {
    return DirectoryRepository::Open(path, entropy_).error();
  }

  TemporaryDirectory directory_;
  system::OsEntropy entropy_;
};

TEST_F(DirectoryTest, NobodyElseMayReadIt) {
  const auto repository = Open();
  ASSERT_TRUE(repository->Put("a/b/c", "x"));
  const auto mode = [&](const std::string& name) {
    return static_cast<unsigned>(fs::status(directory_.Root() + name).permissions());
  };
  EXPECT_EQ(mode(""), 0700U);
  EXPECT_EQ(mode("/a"), 0700U);
  EXPECT_EQ(mode("/a/b/c"), 0600U);
  EXPECT_EQ(mode("/.howdah"), 0600U);
}

TEST_F(DirectoryTest, OnlyAnEmptyDirectoryBecomesARepository) {
  EXPECT_EQ(OpenError("relative/path").code(), Code::kInvalid);
  EXPECT_EQ(OpenError(directory_.path() + "/no/such/parent").code(), Code::kUnavailable);
  std::ofstream(directory_.path() + "/file") << "x";
  EXPECT_EQ(OpenError(directory_.path() + "/file").code(), Code::kInvalid);
  EXPECT_EQ(OpenError(directory_.path()).code(), Code::kInvalid);  // it holds that file
  fs::create_directories(directory_.Root() + "/lost+found");
  EXPECT_TRUE(Open()->Put("a", "x"));
  EXPECT_EQ(*Open()->Get("a"), "x");
  std::ofstream(directory_.Root() + "/.howdah") << "howdah repository 2\n";
  EXPECT_EQ(OpenError(directory_.Root()).code(), Code::kCorrupt);
}

TEST_F(DirectoryTest, WhereItsDiskIsNotMountedNothingIsMissedAndNothingIsWritten) {
  const auto repository = Open();
  ASSERT_TRUE(repository->Put("a", "x"));
  fs::rename(directory_.Root(), directory_.Root() + "-gone");
  EXPECT_EQ(repository->Get("a").error().code(), Code::kUnavailable);
  fs::create_directory(directory_.Root());
  EXPECT_EQ(repository->Get("a").error().code(), Code::kUnavailable);
  EXPECT_EQ(repository->List("").error().code(), Code::kUnavailable);
  EXPECT_EQ(repository->Put("b", "x").error().code(), Code::kUnavailable);
  EXPECT_TRUE(fs::is_empty(directory_.Root()));
  fs::remove(directory_.Root());
  fs::rename(directory_.Root() + "-gone", directory_.Root());
  EXPECT_EQ(*repository->Get("a"), "x");
}

TEST_F(DirectoryTest, NothingLeadsOutOfIt) {
  const auto repository = Open();
  ASSERT_TRUE(repository->Put("a/b", "x"));
  fs::create_directory(directory_.path() + "/elsewhere");
  std::ofstream(directory_.path() + "/elsewhere/secret") << "secret";
  fs::create_symlink(directory_.path() + "/elsewhere", directory_.Root() + "/link");
  fs::create_symlink(directory_.path() + "/elsewhere/secret", directory_.Root() + "/a/leaf");
  EXPECT_EQ(repository->Get("link/secret").error().code(), Code::kPermission);
  EXPECT_EQ(repository->Get("a/leaf").error().code(), Code::kPermission);
  EXPECT_FALSE(repository->Put("link/new", "x"));
  EXPECT_FALSE(repository->Put("a/leaf", "x"));
  EXPECT_FALSE(repository->Delete("link/secret"));
  EXPECT_EQ(repository->List("")->size(), 1U);
  EXPECT_EQ(repository->ListSegments("a/")->size(), 1U);
  EXPECT_TRUE(fs::exists(directory_.path() + "/elsewhere/secret"));
  EXPECT_FALSE(fs::exists(directory_.path() + "/elsewhere/new"));
}

TEST_F(DirectoryTest, WhatIsNoPlainFileIsNoObject) {
  const auto repository = Open();
  ASSERT_EQ(::mkfifo((directory_.Root() + "/fifo").c_str(), 0600), 0);
  EXPECT_EQ(repository->Get("fifo").error().code(), Code::kCorrupt);
  EXPECT_TRUE(repository->List("")->empty());
}

TEST_F(DirectoryTest, AnObjectIsNoDirectory) {
  const auto repository = Open();
  ASSERT_TRUE(repository->Put("a", "x"));
  EXPECT_EQ(repository->Put("a/b", "x").error().code(), Code::kInvalid);
  EXPECT_EQ(repository->Get("a/b").error().code(), Code::kNotFound);
  EXPECT_EQ(*repository->Get("a"), "x");
}

TEST_F(DirectoryTest, ItSaysHowMuchSpaceThereIs) {
  const auto space = Open()->Space();
  ASSERT_TRUE(space && *space);
  EXPECT_GT((*space)->total_bytes, (*space)->free_bytes);
}

TEST_F(DirectoryTest, WhatADeadWriterLeftIsSweptAndWhatALivingOneWritesIsNot) {
  int step = 0;
  const auto first = Open([&](std::string_view name) {
    if (name != "fsync" || ++step != 2) return 0;  // the first is the marker's
    std::ofstream(directory_.Root() + "/.tmp/dead") << "left";
    Open();
    EXPECT_FALSE(fs::exists(directory_.Root() + "/.tmp/dead"));
    return 0;
  });
  EXPECT_TRUE(first->Put("a", "x"));
  EXPECT_EQ(step, 2);
  EXPECT_EQ(*first->Get("a"), "x");
}

// Every step fails once, as when the disk is full: nothing is left, and what is tried again works.
TEST_F(DirectoryTest, AFullDiskLeavesNothingBehind) {
  const std::string bytes(2'500'000, 'x');
  int fail_at = -1;
  int steps = 0;
  const auto repository = Open([&](std::string_view) { return steps++ == fail_at ? ENOSPC : 0; });
  for (int at = 0;; ++at) {
    steps = 0;
    fail_at = at;
    const Result<> put = repository->Put("i/one/two", bytes);
    if (put) {
      ASSERT_GT(at, 8);
      break;
    }
    EXPECT_EQ(put.error().code(), Code::kUnavailable) << put.error().what();
    fail_at = -1;
    const auto got = repository->Get("i/one/two");
    EXPECT_TRUE(!got || *got == bytes);
    EXPECT_EQ(directory_.Files().size(), got ? 1U : 0U) << at;
    EXPECT_EQ(repository->ListSegments("i/")->size(), got ? 1U : 0U);
    EXPECT_TRUE(repository->Put("i/one/two", bytes));
    EXPECT_TRUE(repository->Delete("i/one/two"));
    EXPECT_TRUE(directory_.Files().empty());
  }
}

// A process that dies before step `at` of putting, or of deleting. False: it came through. Where
// `rename` is an errno, the file system cannot rename without replacing.
bool DiesAt(int at, const std::string& root, system::Entropy& entropy, bool deleting,
            int rename = 0) {
  const pid_t child = ::fork();
  if (child == 0) {
    int steps = 0;
    bool armed = false;
    auto repository = DirectoryRepository::Open(root, entropy, [&](std::string_view step) {
      if (armed && steps++ == at) ::_exit(1);
      return step == "rename" ? rename : 0;
    });
    armed = true;
    const std::string bytes(2'500'000, 'x');
    const Result<> done =
        deleting ? (*repository)->Delete("i/one/two") : (*repository)->Put("i/one/two", bytes);
    ::_exit(done ? 0 : 2);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) != 2);
  return WEXITSTATUS(status) == 1;
}

TEST_F(DirectoryTest, AWriterThatDiesAtAnyStepLeavesAWholeObjectOrNone) {
  const std::string bytes(2'500'000, 'x');
  for (const int rename : {0, EINVAL}) {
    for (int at = 0; DiesAt(at, directory_.Root(), entropy_, false, rename); ++at) {
      const auto repository = Open();
      const auto got = repository->Get("i/one/two");
      EXPECT_TRUE(got ? *got == bytes : got.error().code() == Code::kNotFound) << at;
      EXPECT_EQ(directory_.Files().size(), got ? 1U : 0U) << at;
      EXPECT_EQ(repository->List("")->size(), got ? 1U : 0U) << at;
      EXPECT_EQ(repository->ListSegments("i/")->size(), got ? 1U : 0U) << at;
      EXPECT_TRUE(repository->Put("i/one/two", bytes));
      EXPECT_TRUE(repository->Delete("i/one/two"));
      ASSERT_LT(at, 100);
    }
    EXPECT_EQ(*Open()->Get("i/one/two"), bytes);
    EXPECT_TRUE(Open()->Delete("i/one/two"));
  }
}

TEST_F(DirectoryTest, WhereNothingCanBeRenamedSoNothingIsReplacedEither) {
  const auto repository = Open([](std::string_view step) { return step == "rename" ? EINVAL : 0; });
  EXPECT_TRUE(repository->Put("a/b", "first"));
  EXPECT_EQ(repository->Put("a/b", "other").error().code(), Code::kAlreadyExists);
  EXPECT_EQ(*repository->Get("a/b"), "first");
  EXPECT_EQ(directory_.Files(), std::vector<std::string>{"a/b"});
}

TEST_F(DirectoryTest, ADeleterThatDiesAtAnyStepLeavesAWholeObjectOrNone) {
  for (int at = 0;; ++at) {
    ASSERT_TRUE(Open()->Put("i/one/two", "x"));
    const bool died = DiesAt(at, directory_.Root(), entropy_, true);
    const auto got = Open()->Get("i/one/two");
    EXPECT_TRUE(got ? died : got.error().code() == Code::kNotFound) << at;
    EXPECT_EQ(Open()->ListSegments("i/")->size(), got ? 1U : 0U) << at;
    if (!died) break;
    ASSERT_LT(at, 100);
  }
}

}  // namespace
}  // namespace howdah::repository
