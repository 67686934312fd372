#include "ha/model_search.h"

#include <cstring>
#include <type_traits>

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

}  // namespace

Search Explore(const Rules& rules, const World& begin, bool walks) {
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

}  // namespace howdah::ha::model
