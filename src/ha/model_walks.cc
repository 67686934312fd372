// The invariants of progress: walks in which nothing more goes wrong (I13, I14, I16, I21).
#include "ha/model_rules.h"

namespace howdah::ha::model {

namespace {

constexpr Byte kNewNumber = 3;
constexpr Byte kNewCommit = 1U << kNewNumber;

void CommitAt(World& world, int n) {
  Node& node = world.node[n];
  node.wal[node.length++] = kNewNumber;
  node.pending |= kNewCommit;
  node.session = 1;
  if (node.ssn == 0) node.visible = node.length;
}

bool EverybodyElse(const Rules& rules, World& world) {
  bool changed = false;
  for (int n = 0; n < kNodes; ++n) {
    changed |= Read(world, n);
    for (int i = 0; i < 20 && Act(rules, world, n); ++i) changed = true;
  }
  for (int n = 0; n < kNodes; ++n) {
    while (Stream(rules, world, n)) changed = true;
  }
  for (int n = 0; n < kNodes; ++n) {
    changed |= Confirm(rules, world, n);
    changed |= Probe(rules, world, n);
    changed |= Report(world, n);
  }
  changed |= TakeRoute(world);
  changed |= ReportRoute(world);
  Settle(world);
  return changed;
}

bool ControlPlane(const Rules& rules, World& world, bool patient) {
  bool changed = DecideAndCommit(rules, world, patient);
  for (int n = 0; n < kNodes; ++n) changed |= WritePlan(rules, world, n);
  changed |= WriteRoute(world);
  return changed;
}

bool AllIsWell(const World& world) {
  const Byte promised = world.acknowledged | world.seen;
  const Node& primary = world.node[world.record.primary];
  const Node& standby = world.node[1 - world.record.primary];
  return world.record.phase == Phase::kProtected && Reaches(world, world.record.primary) &&
         (world.lost_accepted != 0 || (Within(promised, CommitsIn(primary, primary.visible)) &&
                                       Within(promised, AllCommits(standby))));
}

}  // namespace

bool AcknowledgesAlone(const Rules& rules, World world) {
  if (world.node[world.record.primary].length == kWal || !Reaches(world, world.record.primary))
    return true;
  CommitAt(world, world.record.primary);
  for (int round = 0; round < 10; ++round) EverybodyElse(rules, world);
  return (world.acknowledged & kNewCommit) != 0;
}

bool GoesOnWithout(const Rules& rules, World world, int lost, std::string* where) {
  if (world.node[world.record.primary].length + 2 > kWal) return true;
  world.left = Budget{};
  world.left.epochs = 7;
  world.gateway_alive = 1;
  Break(world, lost);
  bool patient = false;
  for (int round = 0; round < 60; ++round) {
    const bool moved = EverybodyElse(rules, world);
    const bool decided = ControlPlane(rules, world, patient);
    patient = !moved && !decided;
    const int primary = world.record.primary;
    const Node& node = world.node[primary];
    const bool asks = (AllCommits(node) & kNewCommit) == 0;
    if (asks && primary != lost && Reaches(world, primary) && node.length < kWal)
      CommitAt(world, primary);
    if ((world.acknowledged & kNewCommit) != 0) return true;
  }
  if (where != nullptr) *where = Describe(world);
  return false;
}

bool ComesToProtected(const Rules& rules, World world,
                      const std::function<bool(const World&)>& known, std::string* where) {
  Heal(world);
  bool patient = false;
  for (int round = 0; round < 60; ++round) {
    const bool moved = EverybodyElse(rules, world);
    const bool decided = ControlPlane(rules, world, patient);
    // Budgets end only when nothing else happens any more.
    patient = !moved && !decided;
    if (!patient && known(world)) return true;
    if (AllIsWell(world) && patient) return true;
  }
  if (where != nullptr) *where = Describe(world);
  return false;
}

}  // namespace howdah::ha::model
