// What every repository must do, whatever it is made of: for repository_test.cc only. A
// RepositoryMaker makes an empty repository; the suite never looks behind the interface.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "repository/repository.h"

namespace howdah::repository {

using RepositoryMaker = std::function<std::unique_ptr<Repository>()>;

class RepositoryContract : public testing::TestWithParam<RepositoryMaker> {
 protected:
  void SetUp() override {
    repository_ = GetParam()();
    if (!repository_) GTEST_SKIP();
  }
  void Put(const std::string& name, std::string_view bytes = "x") {
    const Result<> put = repository_->Put(name, bytes);
    ASSERT_TRUE(put) << put.error().what();
  }
  std::vector<std::string> Names(const std::string& prefix) {
    std::vector<std::string> names;
    const auto listed = repository_->List(prefix);
    EXPECT_TRUE(listed) << listed.error().what();
    for (const ObjectInfo& object : *listed) names.push_back(object.name);
    return names;
  }

  std::unique_ptr<Repository> repository_;
};

TEST_P(RepositoryContract, WhatIsPutIsThere) {
  const std::string every_byte = [] {
    std::string bytes;
    for (int i = 0; i < 100'000; ++i) bytes += static_cast<char>(i % 256);
    return bytes;
  }();
  for (const std::string& bytes : {std::string(), std::string("x"), every_byte}) {
    const std::string name = "instances/db-A_B.c/wal/" + std::to_string(bytes.size());
    Put(name, bytes);
    EXPECT_EQ(repository_->Get(name).value_or("nothing"), bytes);
  }
}

TEST_P(RepositoryContract, AnObjectNeverChanges) {
  Put("a/one", "first");
  Put("a/one", "first");
  for (const char* other : {"other", "firs", "first2", ""}) {
    const Result<> again = repository_->Put("a/one", other);
    ASSERT_FALSE(again) << other;
    EXPECT_EQ(again.error().code(), Code::kAlreadyExists);
  }
  EXPECT_EQ(*repository_->Get("a/one"), "first");
}

TEST_P(RepositoryContract, WhatIsNotThereIsNotFound) {
  Put("a/one");
  for (const char* name : {"a/two", "b/one", "a/one2", "nothing"}) {
    EXPECT_EQ(repository_->Get(name).error().code(), Code::kNotFound) << name;
    EXPECT_EQ(repository_->GetRange(name, 0, 1).error().code(), Code::kNotFound) << name;
    EXPECT_TRUE(repository_->Delete(name)) << name;
  }
}

TEST_P(RepositoryContract, ARangeIsExactOrAnError) {
  Put("a/digits", "0123456789");
  EXPECT_EQ(*repository_->GetRange("a/digits", 0, 10), "0123456789");
  EXPECT_EQ(*repository_->GetRange("a/digits", 3, 4), "3456");
  EXPECT_EQ(*repository_->GetRange("a/digits", 9, 1), "9");
  EXPECT_EQ(*repository_->GetRange("a/digits", 10, 0), "");
  for (const auto& [offset, size] : {std::pair{0, 11}, {9, 2}, {10, 1}, {1000, 5}}) {
    const auto range = repository_->GetRange("a/digits", offset, size);
    ASSERT_FALSE(range) << offset << " " << size;
    EXPECT_EQ(range.error().code(), Code::kCorrupt);
  }
}

TEST_P(RepositoryContract, AListIsSortedByTheWholeName) {
  for (const char* name : {"i/b/1", "i/a/2", "i/a.b/1", "i/a-b/1", "i/a/1", "j/1", "i/a/10/x"}) {
    Put(name);
  }
  EXPECT_THAT(Names("i/"),
              testing::ElementsAre("i/a-b/1", "i/a.b/1", "i/a/1", "i/a/10/x", "i/a/2", "i/b/1"));
  EXPECT_THAT(Names("i/a/"), testing::ElementsAre("i/a/1", "i/a/10/x", "i/a/2"));
  EXPECT_THAT(Names("i/a/1"), testing::ElementsAre("i/a/1", "i/a/10/x"));
  EXPECT_THAT(Names("i/a"), testing::SizeIs(5));
  EXPECT_THAT(Names(""), testing::SizeIs(7));
  EXPECT_THAT(Names("k/"), testing::IsEmpty());
  EXPECT_THAT(Names("i/a/1/"), testing::IsEmpty());
}

TEST_P(RepositoryContract, AListSaysSizes) {
  Put("a/three", "123");
  Put("a/none", "");
  const auto listed = repository_->List("a/");
  ASSERT_TRUE(listed);
  ASSERT_EQ(listed->size(), 2U);
  EXPECT_EQ((*listed)[0].size_bytes, 0U);
  EXPECT_EQ((*listed)[1].size_bytes, 3U);
}

TEST_P(RepositoryContract, SegmentsAreLikeTheNamesInADirectory) {
  for (const char* name : {"i/db-2/x", "i/db-1/a/b/c", "i/db-1/a/d", "i/note", "j/db-3/x"}) {
    Put(name);
  }
  EXPECT_THAT(*repository_->ListSegments("i/"), testing::ElementsAre("db-1", "db-2", "note"));
  EXPECT_THAT(*repository_->ListSegments("i/db-1/"), testing::ElementsAre("a"));
  EXPECT_THAT(*repository_->ListSegments("nothing/"), testing::IsEmpty());
}

TEST_P(RepositoryContract, WhatIsDeletedIsGoneAndLeavesNoSegment) {
  Put("i/db-1/a/b");
  Put("i/db-2/a");
  EXPECT_TRUE(repository_->Delete("i/db-1/a/b"));
  EXPECT_EQ(repository_->Get("i/db-1/a/b").error().code(), Code::kNotFound);
  EXPECT_THAT(*repository_->ListSegments("i/"), testing::ElementsAre("db-2"));
  Put("i/db-1/a/b", "anew");
  EXPECT_EQ(*repository_->Get("i/db-1/a/b"), "anew");
}

TEST_P(RepositoryContract, WhatIsNoNameIsRefused) {
  const std::string long_name = [] {
    std::string name = "a";
    while (name.size() <= 900) name += "/aaaaaaaaa";
    return name;
  }();
  for (const std::string& name :
       {std::string(), std::string("/a"), std::string("a/"), std::string("a//b"), std::string("."),
        std::string(".."), std::string("a/../b"), std::string("a/./b"), std::string(".a"),
        std::string("a/.b"), std::string("a b"), std::string("a\nb"), std::string("a\0b", 3),
        std::string("a%2fb"), std::string("a\\b"), std::string("\xc3\xa4"), long_name}) {
    EXPECT_EQ(repository_->Put(name, "x").error().code(), Code::kInvalid) << name;
    EXPECT_EQ(repository_->Get(name).error().code(), Code::kInvalid) << name;
    EXPECT_EQ(repository_->GetRange(name, 0, 1).error().code(), Code::kInvalid) << name;
    EXPECT_EQ(repository_->Delete(name).error().code(), Code::kInvalid) << name;
    EXPECT_EQ(repository_->ListSegments(name).has_value(), name == "a/") << name;
  }
  EXPECT_EQ(repository_->List("../").error().code(), Code::kInvalid);
  EXPECT_EQ(repository_->List("/").error().code(), Code::kInvalid);
  EXPECT_THAT(Names(""), testing::IsEmpty());
}

TEST_P(RepositoryContract, TheLongestNameIsTaken) {
  std::string name = std::string(99, 'a');
  while (name.size() < 899) name += "/" + std::string(99, 'b');
  ASSERT_EQ(name.size(), 899U);
  Put(name, "deep");
  EXPECT_EQ(*repository_->Get(name), "deep");
  EXPECT_THAT(Names("aaa"), testing::ElementsAre(name));
}

TEST_P(RepositoryContract, OfManyThatPutOneNameAtOnceOneWins) {
  constexpr int kThreads = 8;
  std::vector<Code> codes(kThreads, Code::kInternal);
  std::vector<std::jthread> threads;
  threads.reserve(kThreads);
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([this, i, &codes] {
      const Result<> put =
          repository_->Put("race/one", std::string(1000, static_cast<char>('a' + i)));
      codes[static_cast<std::size_t>(i)] = put ? Code::kNotFound : put.error().code();  // "won"
    });
  }
  threads.clear();
  EXPECT_EQ(std::ranges::count(codes, Code::kNotFound), 1);
  EXPECT_EQ(std::ranges::count(codes, Code::kAlreadyExists), kThreads - 1);
  const auto got = repository_->Get("race/one");
  ASSERT_TRUE(got);
  EXPECT_EQ(codes[static_cast<std::size_t>(got->front() - 'a')], Code::kNotFound);
}

TEST_P(RepositoryContract, PuttingAndDeletingBesideEachOtherLosesNothing) {
  constexpr int kThreads = 4;
  std::vector<std::jthread> threads;
  threads.reserve(kThreads);
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([this, i] {
      for (int round = 0; round < 20; ++round) {
        const std::string name = "one/way/" + std::to_string(i) + "-" + std::to_string(round);
        const Result<> put = repository_->Put(name, name);
        EXPECT_TRUE(put) << put.error().what();
        const Result<std::string> got = repository_->Get(name);
        EXPECT_EQ(got ? *got : got.error().what(), name);
        EXPECT_TRUE(repository_->Delete(name));
      }
    });
  }
  threads.clear();
  EXPECT_THAT(Names("one/"), testing::IsEmpty());
}

}  // namespace howdah::repository
