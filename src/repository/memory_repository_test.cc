// The fake fails when it is told to; that it keeps the contract is repository_test.cc's.
#include "repository/memory_repository.h"

#include <gtest/gtest.h>

namespace howdah::repository {
namespace {

TEST(MemoryRepository, FailsWhenItIsToldTo) {
  MemoryRepository repository;
  repository.FailAfter(1, Error(Code::kUnavailable, "full"));
  EXPECT_TRUE(repository.Put("a", "x"));
  EXPECT_EQ(repository.Put("b", "x").error().code(), Code::kUnavailable);
  repository.FailAfter(0, std::nullopt);
  EXPECT_TRUE(repository.Put("b", "x"));
}

}  // namespace
}  // namespace howdah::repository
