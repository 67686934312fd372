// What every implementation of Store must keep, as one suite that takes a factory. Include it in
// one test file and instantiate it:
//   INSTANTIATE_TEST_SUITE_P(Sqlite, StoreContract, testing::Values(&MakeSqlite));
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "store/store.h"

namespace howdah::store {

// One store under test, empty at first, and what a test may do to it from outside.
class StoreUnderTest {
 public:
  virtual ~StoreUnderTest() = default;
  virtual Store& store() = 0;
  virtual void Restart() = 0;                // as after a crash of the program; watches end before
  virtual void PassTime(Duration time) = 0;  // for leases
  virtual void ForgetHistory() = 0;          // compacts so that revision 1 is gone
};

using StoreFactory = std::unique_ptr<StoreUnderTest> (*)();

class StoreContract : public testing::TestWithParam<StoreFactory> {
 protected:
  StoreContract() : under_test_(GetParam()()) {}

  Store& store() { return under_test_->store(); }

  Revision MustCommit(const Transaction& transaction) {
    const auto revision = store().Commit(transaction);
    EXPECT_TRUE(revision) << revision.error().what();
    return revision.value_or(-1);
  }
  Revision MustPut(const std::string& key, const std::string& value,
                   const std::string& lease = "") {
    return MustCommit({.compares = {}, .puts = {{key, value, lease}}, .deletes = {}});
  }
  Revision MustDelete(const std::string& key) {
    return MustCommit({.compares = {}, .puts = {}, .deletes = {key}});
  }
  bool Has(const std::string& key) { return store().Get(key).has_value(); }

  // Everything that a watch has to say now.
  static std::vector<Change> Drain(Watch& watch) {
    std::vector<Change> all;
    while (true) {
      auto some = watch.Next(Duration(0));
      EXPECT_TRUE(some);
      if (!some || some->empty()) return all;
      all.insert(all.end(), some->begin(), some->end());
    }
  }
  static std::vector<std::string> Texts(const std::vector<Change>& changes) {
    std::vector<std::string> texts;
    for (const Change& change : changes) {
      texts.push_back(change.key + (change.value ? "=" + *change.value : " deleted"));
    }
    return texts;
  }

  std::unique_ptr<StoreUnderTest> under_test_;
};

using Strings = std::vector<std::string>;

TEST_P(StoreContract, AnEmptyStoreHasNothing) {
  const auto missing = store().Get("/a");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code(), Code::kNotFound);
  const auto listing = store().List("/");
  ASSERT_TRUE(listing);
  EXPECT_TRUE(listing->documents.empty());
}

TEST_P(StoreContract, ADocumentCarriesTheRevisionOfItsLastChange) {
  const Revision first = MustPut("/a", "1");
  const Revision second = MustPut("/b", "2");
  EXPECT_GT(second, first);
  EXPECT_EQ(store().Get("/a")->revision, first);
  EXPECT_EQ(store().Get("/b")->revision, second);
  EXPECT_EQ(store().Get("/a")->value, "1");
  const Revision third = MustPut("/a", "3");
  EXPECT_EQ(store().Get("/a")->revision, third);
}

TEST_P(StoreContract, ValuesKeepEveryByte) {
  const std::string bytes("\0x\0\xff\n\"", 6);
  MustPut("/bytes", bytes);
  MustPut("/empty", "");
  EXPECT_EQ(store().Get("/bytes")->value, bytes);
  EXPECT_EQ(store().Get("/empty")->value, "");
}

TEST_P(StoreContract, ListTakesExactlyThePrefixInOrder) {
  for (const char* key : {"/b/2", "/a/x", "/b/10", "/b", "/b/", "/c", "/b/\xc3\xa9", "/B/1"}) {
    MustPut(key, "v");
  }
  MustPut("/b_/1", "v");  // wildcards of a pattern language mean nothing
  const auto listing = store().List("/b/");
  ASSERT_TRUE(listing);
  Strings keys;
  for (const auto& document : listing->documents) keys.push_back(document.key);
  EXPECT_EQ(keys, (Strings{"/b/", "/b/10", "/b/2", "/b/\xc3\xa9"}));
  EXPECT_EQ(listing->revision, store().Get("/b_/1")->revision);
}

TEST_P(StoreContract, RevisionZeroMeansDoesNotExist) {
  const Transaction create{.compares = {{"/a", 0}}, .puts = {{"/a", "1", ""}}, .deletes = {}};
  MustCommit(create);
  const auto again = store().Commit(create);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code(), Code::kConflict);
  MustDelete("/a");
  EXPECT_TRUE(store().Commit(create));
}

TEST_P(StoreContract, ALostCompareChangesNothing) {
  const Revision a = MustPut("/a", "1");
  MustPut("/b", "1");
  const auto lost = store().Commit({.compares = {{"/a", a}, {"/b", a}},
                                    .puts = {{"/a", "2", ""}, {"/c", "2", ""}},
                                    .deletes = {"/b"}});
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code(), Code::kConflict);
  EXPECT_EQ(store().Get("/a")->value, "1");
  EXPECT_TRUE(Has("/b"));
  EXPECT_FALSE(Has("/c"));
}

TEST_P(StoreContract, ManyKeysChangeTogether) {
  const Revision a = MustPut("/a", "1");
  const Revision both = MustCommit(
      {.compares = {{"/a", a}}, .puts = {{"/b", "2", ""}, {"/c", "2", ""}}, .deletes = {"/a"}});
  EXPECT_FALSE(Has("/a"));
  EXPECT_EQ(store().Get("/b")->revision, both);
  EXPECT_EQ(store().Get("/c")->revision, both);
}

TEST_P(StoreContract, DeletingNothingIsNoChange) {
  const Revision a = MustPut("/a", "1");
  EXPECT_EQ(MustDelete("/nothing"), a);
  EXPECT_EQ(MustCommit({.compares = {{"/a", a}}, .puts = {}, .deletes = {}}), a);
  auto watch = *store().WatchFrom("/", a + 1);
  EXPECT_TRUE(Drain(*watch).empty());
}

TEST_P(StoreContract, WhatIsMalformedIsRefused) {
  const std::vector<Transaction> bad = {
      {.compares = {}, .puts = {{"", "v", ""}}, .deletes = {}},
      {.compares = {}, .puts = {{"/a", "1", ""}, {"/a", "2", ""}}, .deletes = {}},
      {.compares = {}, .puts = {{"/a", "1", ""}}, .deletes = {"/a"}},
      {.compares = {}, .puts = {{"/a", std::string(1'600'000, 'x'), ""}}, .deletes = {}}};
  for (const Transaction& transaction : bad) {
    const auto answer = store().Commit(transaction);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code(), Code::kInvalid);
  }
  EXPECT_FALSE(Has("/a"));
  MustPut("/a", std::string(1'500'000, 'x'));
}

TEST_P(StoreContract, NoUpdateIsLostAmongThreads) {
  constexpr int kThreads = 4;
  constexpr int kEach = 50;
  MustPut("/counter", "0");
  const auto increment = [&] {
    const auto is = store().Get("/counter");
    if (!is) return false;
    return store()
        .Commit({.compares = {{"/counter", is->revision}},
                 .puts = {{"/counter", std::to_string(std::stoi(is->value) + 1), ""}},
                 .deletes = {}})
        .has_value();
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int done = 0; done < kEach;) done += increment() ? 1 : 0;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(store().Get("/counter")->value, std::to_string(kThreads * kEach));
}

TEST_P(StoreContract, ConcurrentCommitsHaveOneOrderThatAWatchSees) {
  auto watch = *store().WatchFrom("/n/", 1);
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 60; ++i) {
        MustCommit({.compares = {},
                    .puts = {{fmt::format("/n/{}", t), std::to_string(i), ""},
                             {"/n/all", fmt::format("{}.{}", t, i), ""}},
                    .deletes = {}});
      }
    });
  }
  std::vector<Change> seen;
  for (int i = 0; i < 1'000 && seen.size() < 360; ++i) {
    const auto some = watch->Next(5s);
    ASSERT_TRUE(some);
    seen.insert(seen.end(), some->begin(), some->end());
  }
  for (auto& thread : threads) thread.join();
  ASSERT_EQ(seen.size(), 360U);
  std::map<std::string, int> last;
  for (std::size_t i = 0; i < seen.size(); ++i) {
    if (i > 0) {
      EXPECT_GE(seen[i].revision, seen[i - 1].revision);
    }
    if (seen[i].key == "/n/all") continue;
    EXPECT_EQ(std::stoi(*seen[i].value), last[seen[i].key]++) << "each change once, in order";
  }
}

TEST_P(StoreContract, AReadNeverSeesHalfACommit) {
  std::atomic<bool> done = false;
  MustCommit({.compares = {}, .puts = {{"/h/a", "0", ""}, {"/h/b", "0", ""}}, .deletes = {}});
  std::thread writer([&] {
    for (int i = 1; i < 100; ++i) {
      const std::string n = std::to_string(i);
      MustCommit({.compares = {}, .puts = {{"/h/a", n, ""}, {"/h/b", n, ""}}, .deletes = {}});
    }
    done = true;
  });
  while (!done) {
    const auto listing = store().List("/h/");
    ASSERT_TRUE(listing);
    ASSERT_EQ(listing->documents.size(), 2U);
    EXPECT_EQ(listing->documents[0].value, listing->documents[1].value);
    EXPECT_GE(listing->revision, listing->documents[0].revision);
  }
  writer.join();
}

TEST_P(StoreContract, AWatchSeesThePastThePresentAndDeletions) {
  MustPut("/w/a", "1");
  MustPut("/x", "1");
  auto watch = *store().WatchFrom("/w/", 1);
  MustDelete("/w/a");
  MustCommit({.compares = {}, .puts = {{"/w/b", "2", ""}, {"/w/c", "3", ""}}, .deletes = {}});
  EXPECT_EQ(Texts(Drain(*watch)), (Strings{"/w/a=1", "/w/a deleted", "/w/b=2", "/w/c=3"}));
  EXPECT_TRUE(Drain(*watch).empty());
}

TEST_P(StoreContract, AWatchFromAListingGoesOnWhereTheListingEnds) {
  MustPut("/a", "1");
  const auto listing = store().List("/");
  MustPut("/a", "2");
  auto watch = *store().WatchFrom("/", listing->revision + 1);
  EXPECT_EQ(Texts(Drain(*watch)), (Strings{"/a=2"}));
}

TEST_P(StoreContract, AWaitingWatchIsWokenByACommit) {
  auto watch = *store().WatchFrom("/a", 1);
  std::thread writer([&] { MustPut("/a", "1"); });
  std::vector<Change> seen;
  for (int i = 0; i < 10 && seen.empty(); ++i) seen = watch->Next(10s).value();
  writer.join();
  EXPECT_EQ(Texts(seen), (Strings{"/a=1"}));
}

TEST_P(StoreContract, ARestartLosesNothingAndWatchesMissNothing) {
  const Revision before = MustPut("/a", "1");
  MustPut("/a", "2");
  MustPut("/b", "1");
  const Revision last = MustDelete("/b");
  under_test_->Restart();
  EXPECT_EQ(store().Get("/a")->value, "2");
  EXPECT_EQ(store().List("/")->revision, last);
  auto watch = *store().WatchFrom("/", before + 1);
  EXPECT_GT(MustPut("/c", "1"), last) << "revisions go on";
  EXPECT_EQ(Texts(Drain(*watch)), (Strings{"/a=2", "/b=1", "/b deleted", "/c=1"}));
}

TEST_P(StoreContract, HistoryThatIsGoneIsAnErrorAndNeverASilentGap) {
  MustPut("/a", "1");
  auto old = *store().WatchFrom("/", 1);
  under_test_->ForgetHistory();
  const auto late = old->Next(Duration(0));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code(), Code::kCorrupt);
  EXPECT_EQ(store().Get("/a")->value, "1") << "documents stay";
  auto fresh = *store().WatchFrom("/", store().List("/")->revision + 1);
  MustPut("/a", "2");
  EXPECT_EQ(Texts(Drain(*fresh)), (Strings{"/a=2"}));
}

TEST_P(StoreContract, ALeaseThatIsNotRenewedTakesItsKeysAlong) {
  const std::string lease = *store().GrantLease(10s);
  MustPut("/leased", "1", lease);
  const Revision last = MustPut("/free", "1");
  under_test_->PassTime(6s);
  ASSERT_TRUE(store().RenewLease(lease));
  under_test_->PassTime(6s);
  EXPECT_TRUE(Has("/leased"));
  under_test_->PassTime(6s);
  EXPECT_FALSE(Has("/leased"));
  EXPECT_TRUE(Has("/free"));
  auto watch = *store().WatchFrom("/", last + 1);
  EXPECT_EQ(Texts(Drain(*watch)), (Strings{"/leased deleted"}));
  EXPECT_EQ(store().RenewLease(lease).error().code(), Code::kNotFound);
  const auto put = store().Commit({.compares = {}, .puts = {{"/x", "1", lease}}, .deletes = {}});
  EXPECT_EQ(put.error().code(), Code::kNotFound);
}

TEST_P(StoreContract, AWatchAloneSeesALeaseEnd) {
  const std::string lease = *store().GrantLease(10s);
  const Revision put = MustPut("/leased", "1", lease);
  auto watch = *store().WatchFrom("/", put + 1);
  under_test_->PassTime(11s);
  EXPECT_EQ(Texts(watch->Next(10s).value()), (Strings{"/leased deleted"}));
}

TEST_P(StoreContract, EndingALeaseTakesItsKeysAtOnce) {
  const std::string lease = *store().GrantLease(10s);
  const std::string other = *store().GrantLease(10s);
  MustPut("/a", "1", lease);
  MustPut("/b", "1", lease);
  MustPut("/c", "1", other);
  MustPut("/b", "2");  // taken out of the lease by a put without it
  ASSERT_TRUE(store().EndLease(lease));
  EXPECT_FALSE(Has("/a"));
  EXPECT_TRUE(Has("/b"));
  EXPECT_TRUE(Has("/c"));
  EXPECT_TRUE(store().EndLease(lease)) << "again is no error";
}

TEST_P(StoreContract, ALeaseOutlivesARestartAndThenHasItsWholeTime) {
  const std::string lease = *store().GrantLease(10s);
  MustPut("/leased", "1", lease);
  under_test_->PassTime(9s);
  under_test_->Restart();
  under_test_->PassTime(9s);
  EXPECT_TRUE(Has("/leased"));
  under_test_->PassTime(2s);
  EXPECT_FALSE(Has("/leased"));
}

TEST_P(StoreContract, TenThousandDocuments) {
  for (int i = 0; i < 100; ++i) {
    Transaction transaction;
    for (int j = 0; j < 100; ++j) {
      transaction.puts.push_back({fmt::format("/many/{:03}/{:03}", i, j), "{\"n\":1}", ""});
    }
    MustCommit(transaction);
  }
  EXPECT_EQ(store().List("/many/")->documents.size(), 10'000U);
  EXPECT_EQ(store().List("/many/042/")->documents.size(), 100U);
  auto watch = *store().WatchFrom("/many/", 1);
  EXPECT_EQ(Drain(*watch).size(), 10'000U);
  under_test_->Restart();
  EXPECT_EQ(store().List("/many/")->documents.size(), 10'000U);
}

}  // namespace howdah::store
