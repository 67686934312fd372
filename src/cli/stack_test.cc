// Protects the name that `up` chooses, and that an error of a template names the caller's file.
#include "cli/stack.h"

#include <gtest/gtest.h>

namespace howdah::cli {
namespace {

TEST(DefaultStackName, IsTheFilesOrItsDirectorys) {
  EXPECT_EQ(DefaultStackName("/x/orders.yaml"), "orders");
  EXPECT_EQ(DefaultStackName("/x/prod-e/stack.yaml"), "prod-e");
  EXPECT_EQ(DefaultStackName("/x/prod-e/template.json"), "prod-e");
  EXPECT_EQ(DefaultStackName("/x/1_my db.yaml"), "my-db");
  EXPECT_EQ(DefaultStackName("/x/123.yaml"), "stack");
}

TEST(TemplateFailure, PutsThePlaceInTheCallersFile) {
  const auto failure = TemplateFailure("a/stack.yaml", "no", "template:12:7: unknown property Foo");
  EXPECT_EQ(failure.where, "a/stack.yaml:12:7");
  EXPECT_EQ(failure.why, "unknown property Foo");
}

TEST(TemplateFailure, KeepsAMessageWithoutAPlace) {
  const auto failure = TemplateFailure("a/stack.yaml", "no", "Parameters: [X] must have values");
  EXPECT_EQ(failure.where, "a/stack.yaml");
  EXPECT_EQ(failure.why, "Parameters: [X] must have values");
}

}  // namespace
}  // namespace howdah::cli
