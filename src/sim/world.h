// One simulated world, from a seed: the real control plane (fleet's workflows and reconcilers over
// ha::Step) and the real book of routes on a virtual clock; agents that decide by the real
// function; a model of PostgreSQL; clients; and what goes wrong, drawn from the seed. First faults,
// and the judge watches; then all is healed, and the pair must be protected within a minute.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "fleet/test_fleet.h"
#include "sim/mutants.h"

namespace howdah::sim {

struct Options {
  std::uint64_t seed = 1;
  Mutant mutant = Mutant::kNone;
  bool trace = false;
};

struct Outcome {
  std::string violation;  // empty: every promise was kept
  std::vector<std::string> trace;
  std::string plan;  // what was switched on, for people
  std::size_t acknowledged = 0;
  std::size_t reads = 0;
  std::int64_t epochs = 0;  // role changes
  Duration healed_in{0};
};

// A Multi-AZ instance that is available and protected: every world begins there.
fleet::Snapshot Beginning();

Outcome Simulate(const fleet::Snapshot& from, const Options& options);

}  // namespace howdah::sim
