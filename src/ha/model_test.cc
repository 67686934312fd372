// Every state that the small world of model_world.h can come to, one fault after another, looked at
// once: breadth first, so that what is found wrong is found by a shortest history.
#include <gtest/gtest.h>

#include <iostream>

#include "ha/model_search.h"

namespace howdah::ha::model {
namespace {

struct Case {
  const char* name;
  Phase begin;
  Budget budget;
  Duration hold_down{0};
};

Policy PolicyOf(const Case& one) {
  Policy policy;
  policy.hold_down = one.hold_down;
  if (one.hold_down == Duration(0)) {  // nothing of the past counts
    policy.window = Duration(0);
    policy.failovers_in_window = 100;
  }
  return policy;
}

class Model : public testing::TestWithParam<Case> {};

TEST_P(Model, EveryStateKeepsEveryPromiseAndLeadsBackToProtected) {
  const Case& one = GetParam();
  const Search search = Explore({.policy = PolicyOf(one)}, Begin(one.begin, one.budget));
  EXPECT_EQ(search.violation, "");
  std::cout << one.name << ": " << search.origins.size() << " states, " << search.steps << " steps"
            << (search.complete ? "" : ", cut") << '\n';
  EXPECT_TRUE(search.complete || kIsSlowBuild);
}

INSTANTIATE_TEST_SUITE_P(
    Worlds, Model,
    testing::Values(
        Case{"Seeding",
             Phase::kSeeding,
             {.commits = 1, .crash = 2, .partition = 1, .faults = 2, .epochs = 3}},
        Case{"Crashes", Phase::kProtected, {.commits = 2, .crash = 2, .faults = 2, .epochs = 3}},
        Case{"CrashesAndFreeze",
             Phase::kProtected,
             {.commits = 2, .crash = 1, .freeze = 1, .faults = 2, .epochs = 3}},
        Case{"CrashAndPartition",
             Phase::kProtected,
             {.commits = 2, .crash = 1, .partition = 1, .faults = 2, .epochs = 3}},
        Case{"FreezeAndPartition",
             Phase::kProtected,
             {.commits = 2, .freeze = 1, .partition = 1, .faults = 2, .epochs = 3}},
        Case{"Broken",
             Phase::kProtected,
             {.commits = 2, .crash = 1, .broken = 1, .faults = 2, .epochs = 4}},
        Case{"SwitchoverAndCrash",
             Phase::kProtected,
             {.commits = 2, .crash = 1, .switchover = 1, .faults = 2, .epochs = 3}},
        Case{"SwitchoverAndFreeze",
             Phase::kProtected,
             {.commits = 2, .freeze = 1, .switchover = 1, .faults = 2, .epochs = 3}},
        Case{"SwitchoverAndPartition",
             Phase::kProtected,
             {.commits = 2, .partition = 1, .switchover = 1, .faults = 2, .epochs = 4}},
        Case{"SwitchoverAndBroken",
             Phase::kProtected,
             {.commits = 2, .broken = 1, .switchover = 1, .faults = 2, .epochs = 4}},
        Case{"OldDocuments",
             Phase::kProtected,
             {.commits = 1, .crash = 1, .freeze = 1, .again = 2, .faults = 2, .epochs = 3}},
        Case{"ThreeCrashes",
             Phase::kProtected,
             {.commits = 1, .crash = 3, .faults = 3, .epochs = 3}},
        Case{"Gateway",
             Phase::kProtected,
             {.commits = 2, .crash = 1, .gateway = 1, .faults = 2, .epochs = 3}},
        Case{"DataLossAccepted",
             Phase::kProtected,
             {.commits = 1, .crash = 1, .partition = 1, .accept = 1, .faults = 3, .epochs = 3}},
        Case{"TwoControlPlanes",
             Phase::kProtected,
             {.commits = 1, .crash = 1, .partition = 1, .late = 1, .faults = 2, .epochs = 3}},
        Case{"Cuts",
             Phase::kProtected,
             {.commits = 2, .crash = 1, .freeze = 1, .cancel = 1, .faults = 2, .epochs = 3}},
        Case{"HeldDown",
             Phase::kProtected,
             {.commits = 1, .crash = 2, .freeze = 1, .faults = 3, .epochs = 4},
             60s}),
    [](const auto& info) { return info.param.name; });

struct Wrong {
  const char* name;
  Mutant mutant;
};

class Mutants : public testing::TestWithParam<Wrong> {};

TEST_P(Mutants, ARuleLeftOutIsNoticed) {
  const Mutant mutant = GetParam().mutant;
  Budget budget{.commits = 2,
                .crash = 1,
                .freeze = 1,
                .partition = 1,
                .switchover = 1,
                .faults = 2,
                .epochs = 3};
  if (mutant == Mutant::kCompareIgnored) budget.late = 1;
  if (mutant == Mutant::kPromiseForgotten)
    budget = {.commits = 1, .crash = 1, .again = 1, .faults = 1, .epochs = 2};
  if (mutant == Mutant::kOpensUnproven)
    budget = {.commits = 1, .crash = 3, .faults = 3, .epochs = 2};
  if (mutant == Mutant::kNoCommitGuard)
    budget = {.commits = 1, .crash = 1, .cancel = 1, .faults = 2, .epochs = 2};
  Case one{};
  if (mutant == Mutant::kForgetsFailovers) {
    one.hold_down = 60s;
    budget = {.commits = 1, .crash = 1, .freeze = 1, .faults = 2, .epochs = 3};
  }
  const Search search =
      Explore({.policy = PolicyOf(one), .mutant = mutant}, Begin(Phase::kProtected, budget), true);
  // What needs many states to show is shown by the quick build.
  if (search.violation.empty() && !search.complete && kIsSlowBuild) GTEST_SKIP();
  ASSERT_NE(search.violation, "") << search.origins.size() << " states";
  std::cout << GetParam().name << ": " << search.origins.size() << " states, "
            << search.violation.substr(search.violation.rfind("violates")) << '\n';
}

INSTANTIATE_TEST_SUITE_P(
    Left, Mutants,
    testing::Values(Wrong{"DegradeKeepsProtected", Mutant::kDegradeKeepsProtected},
                    Wrong{"TokenReused", Mutant::kTokenReused},
                    Wrong{"EpochNotRaised", Mutant::kEpochNotRaised},
                    Wrong{"PromotesBeforeFence", Mutant::kPromotesBeforeFence},
                    Wrong{"PromotesBeforeRecruit", Mutant::kPromotesBeforeRecruit},
                    Wrong{"ProvesWithoutProbe", Mutant::kProvesWithoutProbe},
                    Wrong{"WaitsForNobodyFirst", Mutant::kWaitsForNobodyFirst},
                    Wrong{"CompareIgnored", Mutant::kCompareIgnored},
                    Wrong{"PromiseForgotten", Mutant::kPromiseForgotten},
                    Wrong{"StartsInPlace", Mutant::kStartsInPlace},
                    Wrong{"RejoinsWithoutRewind", Mutant::kRejoinsWithoutRewind},
                    Wrong{"FailsOverWhileDegraded", Mutant::kFailsOverWhileDegraded},
                    Wrong{"OpensUnproven", Mutant::kOpensUnproven},
                    Wrong{"IgnoresTheEndOfWal", Mutant::kIgnoresTheEndOfWal},
                    Wrong{"NoCommitGuard", Mutant::kNoCommitGuard},
                    Wrong{"ForgetsFailovers", Mutant::kForgetsFailovers},
                    Wrong{"StartsHalfMade", Mutant::kStartsHalfMade},
                    Wrong{"CopiesAnew", Mutant::kCopiesAnew},
                    Wrong{"EndsWhatItFinds", Mutant::kEndsWhatItFinds},
                    Wrong{"BelievesInTheStream", Mutant::kBelievesInTheStream}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace howdah::ha::model
