// Every state that the small world of model_world.h can come to, one fault after another, looked at
// once: breadth first, so that what is found wrong is found by a shortest history.
#include <gtest/gtest.h>

#include <cstring>
#include <iostream>
#include <map>
#include <set>
#include <type_traits>

#include "ha/model_rules.h"

namespace howdah::ha::model {
namespace {

static_assert(std::has_unique_object_representations_v<World>);

constexpr std::size_t kMostStates = kIsSlowBuild ? 20'000 : 20'000'000;

std::uint64_t HashOf(const World& world) {
  std::array<std::uint64_t, (sizeof(World) + 7) / 8> words{};
  std::memcpy(words.data(), &world, sizeof(World));
  std::uint64_t hash = 0x9e3779b97f4a7c15;
  for (const std::uint64_t word : words) {
    hash = (hash ^ word) * 0xff51afd7ed558ccd;
    hash ^= hash >> 32;
  }
  return hash;
}

// The states that were met, by their hashes alone: two of so many million having the same is less
// likely than one in a hundred thousand.
class Hashes {
 public:
  bool Contains(std::uint64_t hash) const { return slots_[Find(hash)] != 0; }
  bool Insert(std::uint64_t hash) {
    const std::size_t slot = Find(hash);
    if (slots_[slot] != 0) return false;
    slots_[slot] = hash | kUsed;
    if (++count_ * 2 > slots_.size()) Grow();
    return true;
  }

 private:
  static constexpr std::uint64_t kUsed = 1;

  std::size_t Find(std::uint64_t hash) const {
    std::size_t slot = (hash >> 20) & (slots_.size() - 1);
    while (slots_[slot] != 0 && slots_[slot] != (hash | kUsed))
      slot = (slot + 1) & (slots_.size() - 1);
    return slot;
  }
  void Grow() {
    std::vector<std::uint64_t> old(slots_.size() * 2);
    old.swap(slots_);
    for (const std::uint64_t hash : old) {
      if (hash != 0) slots_[Find(hash)] = hash;
    }
  }

  std::vector<std::uint64_t> slots_ = std::vector<std::uint64_t>(1U << 16);
  std::size_t count_ = 0;
};

// How a state was come to first.
struct Origin {
  std::uint32_t from;
  std::uint32_t step;  // the how-manieth successor
};

struct Search {
  Rules rules;
  std::vector<Origin> origins;
  Hashes visited;
  Hashes leads_to_protected;
  Hashes healthy;  // pairs that were walked from
  std::set<std::pair<Phase, Phase>> edges;
  std::uint64_t steps = 0;
  bool complete = true;
  std::string violation;  // with its history
};

std::string HistoryOf(const Search& search, const World& begin, std::uint32_t state) {
  std::vector<std::uint32_t> steps;
  for (; state != 0; state = search.origins[state].from)
    steps.push_back(search.origins[state].step);
  std::string text;
  World world = begin;
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    std::uint32_t count = 0;
    World next = world;
    EachSuccessor(search.rules, world, [&](const char* event, int node, const World& after) {
      if (count++ != *step) return;
      next = after;
      text += std::string(event) + ' ' + std::to_string(node) + '\n';
    });
    world = next;
    text += Describe(world);
  }
  return text;
}

bool IsHealthyPair(const World& world) {
  const Node& primary = world.node[world.record.primary];
  const Node& standby = world.node[1 - world.record.primary];
  return world.record.phase == Phase::kProtected && primary.server == Server::kPrimary &&
         primary.frozen == 0 && standby.server == Server::kRecovery && standby.frozen == 0 &&
         standby.streams != 0 && standby.connects == primary.ssn && world.partition == 0 &&
         primary.mail == world.desired[world.record.primary] &&
         standby.mail == world.desired[1 - world.record.primary] &&
         primary.promise == world.record.epoch;
}

// What may still go wrong is nothing to a walk in which nothing does.
World WithoutBudget(World world) {
  world.left = Budget{};
  return world;
}

// The walks from one state; what is wrong, or nothing.
std::string Walk(Search& search, const World& world) {
  if (IsHealthyPair(world) && search.healthy.Insert(HashOf(WithoutBudget(world)))) {
    if (!AcknowledgesAlone(search.rules, world)) return "I13";
    std::string where;
    for (const int lost : {0, 1}) {
      if (!GoesOnWithout(search.rules, world, lost, &where))
        return (lost == world.record.primary ? "I21, ends at\n" : "I14, I21, ends at\n") + where;
    }
  }
  std::vector<std::uint64_t> passed;
  std::string where;
  const auto known = [&](const World& passing) {
    const std::uint64_t hash = HashOf(passing);
    if (search.leads_to_protected.Contains(hash)) return true;
    passed.push_back(hash);
    return false;
  };
  if (!ComesToProtected(search.rules, world, known, &where)) return "I16, ends at\n" + where;
  for (const std::uint64_t hash : passed) search.leads_to_protected.Insert(hash);
  return "";
}

std::string JudgeStep(const Rules& rules, const World& before, const World& after) {
  if (!I19FailoversAreLimited(rules, before, after)) return "I19";
  for (const Invariant& invariant : Invariants()) {
    if (!invariant.holds(before, after)) return invariant.name;
  }
  return "";
}

using Level = std::vector<std::pair<std::uint32_t, World>>;

// All that follows from one state; false when something was wrong.
bool Expand(Search& search, const World& begin, std::uint32_t id, const World& world, Level& next,
            bool walks) {
  std::uint32_t step = 0;
  EachSuccessor(search.rules, world, [&](const char* event, int node, const World& after) {
    const std::uint32_t mine = step++;
    if (!search.violation.empty()) return;
    ++search.steps;
    if (world.record.phase != after.record.phase)
      search.edges.emplace(world.record.phase, after.record.phase);
    std::string wrong = JudgeStep(search.rules, world, after);
    const bool is_new = wrong.empty() && search.visited.Insert(HashOf(after));
    if (is_new && walks) wrong = Walk(search, after);
    if (!wrong.empty()) {
      search.violation = HistoryOf(search, begin, id) + event + ' ' + std::to_string(node) + '\n' +
                         Describe(after) + "violates " + wrong;
      return;
    }
    if (!is_new) return;
    next.emplace_back(static_cast<std::uint32_t>(search.origins.size()), after);
    search.origins.push_back({id, mine});
  });
  return search.violation.empty();
}

Search Explore(const Rules& rules, const World& begin, bool walks = true) {
  Search search{.rules = rules};
  search.origins.push_back({0, 0});
  search.visited.Insert(HashOf(begin));
  Level level = {{0, begin}};
  while (!level.empty()) {
    Level next;
    for (const auto& [id, world] : level) {
      if (!Expand(search, begin, id, world, next, walks)) return search;
    }
    level = std::move(next);
    if (search.origins.size() > kMostStates) {
      search.complete = false;
      break;
    }
  }
  return search;
}

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
