// Protects the forms of output that people and scripts read.
#include "cli/terminal.h"

#include <gtest/gtest.h>

namespace howdah::cli {
namespace {

TEST(Columns, AlignAndLeaveNoBlanksAtTheEnd) {
  EXPECT_EQ(Columns({{"A", "BB", "C"}, {"long", "b", ""}}, " "), " A     BB  C\n long  b\n");
  EXPECT_EQ(Columns({}), "");
}

TEST(Columns, CountCharactersNotBytes) {
  EXPECT_EQ(Columns({{"é", "x"}, {"ab", "y"}}), "é   x\nab  y\n");
}

TEST(DescribeFailure, SaysWhatWhereWhyAndHelp) {
  EXPECT_EQ(DescribeFailure({.what = "a", .where = "b", .why = "c", .help = "d"}),
            "error: a\n  where: b\n  why:   c\n  help:  d\n");
  EXPECT_EQ(DescribeFailure({.what = "a", .where = "", .why = "", .help = ""}), "error: a\n");
}

TEST(ShellQuote, LetsAShellReadTheSameWord) {
  EXPECT_EQ(ShellQuote("http://127.0.0.1:4566"), "http://127.0.0.1:4566");
  EXPECT_EQ(ShellQuote("a b"), "'a b'");
  EXPECT_EQ(ShellQuote("it's"), "'it'\\''s'");
  EXPECT_EQ(ShellQuote("$x"), "'$x'");
  EXPECT_EQ(ShellQuote(""), "''");
}

}  // namespace
}  // namespace howdah::cli
