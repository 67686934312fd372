#include "base/result.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace howdah {
namespace {

Result<int> Half(int n) {
  if (n % 2 != 0) return Fail(Code::kInvalid, "odd");
  return n / 2;
}

Result<int> Quarter(int n) {
  TRY_ASSIGN(const int half, Half(n));
  return Half(half);
}

TEST(Result, TryHandsTheErrorOn) {
  EXPECT_EQ(*Quarter(8), 2);
  EXPECT_EQ(Quarter(6).error().code(), Code::kInvalid);
}

TEST(Result, ContextGathersOnTheWayUp) {
  EXPECT_EQ(Error(Code::kTimeout, "no answer").During("starting n-1").what(),
            "starting n-1: no answer");
}

TEST(Result, ErrnoBecomesACodeAndAText) {
  const Error error = ErrnoError("open /x", ENOENT);
  EXPECT_EQ(error.code(), Code::kNotFound);
  EXPECT_EQ(error.what(), "open /x: No such file or directory");
}

}  // namespace
}  // namespace howdah
