// The simulation as a program: so many seeds, each a world of its own; then, for every rule that
// failover rests on, worlds in which it is left out, until one is noticed.
//   howdah_sim [--seeds N] [--from N]   worlds of the product as it is
//   howdah_sim --seed N                 one world, told as it goes
//   howdah_sim --mutants [--mutant NAME [--seed N]]
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <atomic>
#include <charconv>
#include <cstdio>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string_view>
#include <thread>

#include "sim/world.h"

namespace howdah::sim {
namespace {

constexpr std::uint64_t kMostSeedsOfAMutant = 1500;
constexpr unsigned kThreads = 2;

struct Arguments {
  std::uint64_t seeds = 2000;
  std::uint64_t from = 1;
  std::optional<std::uint64_t> seed;
  bool mutants = false;
  bool all = false;  // does not end with the first that fails
  std::string mutant;
};

std::optional<Arguments> Parse(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--mutants") {
      arguments.mutants = true;
      continue;
    }
    if (name == "--all") {
      arguments.all = true;
      continue;
    }
    if (i + 1 == argc) return std::nullopt;
    const std::string_view value = argv[++i];
    if (name == "--mutant") {
      arguments.mutants = true;
      arguments.mutant = value;
      continue;
    }
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (error != std::errc{} || end != value.data() + value.size()) return std::nullopt;
    if (name == "--seeds")
      arguments.seeds = number;
    else if (name == "--from")
      arguments.from = number;
    else if (name == "--seed")
      arguments.seed = number;
    else
      return std::nullopt;
  }
  return arguments;
}

void PrintTrace(const Outcome& outcome) {
  for (const std::string& line : outcome.trace) fmt::print("{}\n", line);
}

// Tries seeds until one violates something, on all processors. The lowest that does.
struct Found {
  std::uint64_t seed = 0;
  Outcome outcome;
};
struct Totals {
  std::size_t acknowledged = 0, reads = 0, worlds = 0;
  std::int64_t epochs = 0;
  Duration slowest{0};
};

std::optional<Found> Search(const fleet::Snapshot& from, Mutant mutant, std::uint64_t first,
                            std::uint64_t count, bool all, Totals& totals) {
  std::atomic<std::uint64_t> next = first;
  std::mutex mutex;
  std::optional<Found> found;
  const auto work = [&] {
    while (true) {
      const std::uint64_t seed = next++;
      {
        const std::lock_guard lock(mutex);
        if (seed >= first + count || (found && found->seed < seed && !all)) return;
      }
      Outcome outcome = Simulate(from, {.seed = seed, .mutant = mutant});
      // What is wrong without the mutant is not its doing.
      if (mutant != Mutant::kNone && !outcome.violation.empty() &&
          !Simulate(from, {.seed = seed}).violation.empty())
        continue;
      const std::lock_guard lock(mutex);
      ++totals.worlds;
      totals.acknowledged += outcome.acknowledged;
      totals.reads += outcome.reads;
      totals.epochs += outcome.epochs;
      totals.slowest = std::max(totals.slowest, outcome.healed_in);
      if (!outcome.violation.empty() && all)
        fmt::print("seed {} violates {}\n", seed, outcome.violation);
      if (!outcome.violation.empty() && (!found || seed < found->seed))
        found = Found{seed, std::move(outcome)};
    }
  };
  std::vector<std::jthread> threads;
  for (unsigned i = 0; i < kThreads; ++i) threads.emplace_back(work);
  threads.clear();
  return found;
}

bool RunSeeds(const fleet::Snapshot& from, const Arguments& arguments) {
  Totals totals;
  const std::optional<Found> found =
      Search(from, Mutant::kNone, arguments.from, arguments.seeds, arguments.all, totals);
  if (found && !arguments.all) {
    PrintTrace(Simulate(from, {.seed = found->seed, .trace = true}));
    fmt::print("seed {} violates {}\nreplay: ./dev sim --seed {}\n", found->seed,
               found->outcome.violation, found->seed);
    return false;
  }
  fmt::print(
      "{} seeds: {} changes of roles, {} acknowledged commits, {} reads; "
      "protected again after {:.1f} s at most\n",
      totals.worlds, totals.epochs, totals.acknowledged, totals.reads,
      static_cast<double>(totals.slowest.count()) / 1e6);
  return !found;
}

// `broken` gathers the invariants by which mutants were noticed.
bool RunMutant(const fleet::Snapshot& from, const MutantName& one, std::set<std::string>& broken) {
  Totals totals;
  const std::optional<Found> found =
      Search(from, one.mutant, 1, kMostSeedsOfAMutant, false, totals);
  if (!found) {
    fmt::print("mutant {} SURVIVES {} seeds: \"{}\" is not checked\n", one.name,
               kMostSeedsOfAMutant, one.rule);
    return false;
  }
  fmt::print("mutant {}: seed {}: {}\n", one.name, found->seed,
             found->outcome.violation.substr(0, 120));
  broken.insert(found->outcome.violation.substr(0, found->outcome.violation.find(':')));
  return true;
}

int Main(int argc, char** argv) {
  const std::optional<Arguments> arguments = Parse(argc, argv);
  if (!arguments) {
    fmt::print(stderr,
               "usage: howdah_sim [--seeds N] [--from N] [--seed N] "
               "[--mutants] [--mutant NAME]\n");
    return 2;
  }
  const fleet::Snapshot from = Beginning();
  int passed = 0;
  int failed = 0;
  const auto count = [&](bool good) { ++(good ? passed : failed); };
  if (arguments->mutants) {
    std::set<std::string> broken;
    for (const MutantName& one : Mutants()) {
      if (!arguments->mutant.empty() && arguments->mutant != one.name) continue;
      if (arguments->seed) {
        PrintTrace(Simulate(from, {.seed = *arguments->seed, .mutant = one.mutant, .trace = true}));
      } else {
        count(RunMutant(from, one, broken));
      }
      std::fflush(stdout);
    }
    fmt::print("noticed by {}\n", fmt::join(broken, ", "));
  } else if (arguments->seed) {
    const Outcome outcome = Simulate(from, {.seed = *arguments->seed, .trace = true});
    PrintTrace(outcome);
    count(outcome.violation.empty());
  } else {
    count(RunSeeds(from, *arguments));
  }
  fmt::print("{} passed, {} failed\n", passed, failed);
  return failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace howdah::sim

int main(int argc, char** argv) {
  return howdah::sim::Main(argc, argv);
}
