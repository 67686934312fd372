// The small world as a whole: its clients and faults, and every step that can come next.
#include "ha/model_world.h"

#include <fmt/format.h>

namespace howdah::ha::model {

namespace {

// The streams of a node that is frozen or cut off end in time; here at once.
void DropStreams(World& world) {
  for (Node& node : world.node) node.streams = 0;
}

void EmitClient(const World& world, int n, const Emit& emit) {
  if (world.left.commits == 0 || !Reaches(world, n)) return;
  World next = world;
  Node& node = next.node[n];
  if (node.length == kWal) return;
  --next.left.commits;
  const Byte commit = next.next_commit++;
  node.wal[node.length++] = commit;
  node.session = 1;
  node.pending |= static_cast<Byte>(1U << commit);
  if (node.ssn == 0) node.visible = node.length;
  emit("client: commits at", n, next);
}

struct Fault {
  const char* event;
  Byte Budget::* kind;
  bool (*strike)(World& world, int node);
};

bool Crash(World& world, int n) {
  if (world.node[n].server == Server::kNone) return false;
  const bool was_primary = world.node[n].server == Server::kPrimary;
  EndServer(world, n);
  world.node[n].ended = was_primary;
  return true;
}

bool Freeze(World& world, int n) {
  if (world.node[n].server == Server::kNone || world.node[n].frozen != 0) return false;
  world.node[n].frozen = 1;
  DropStreams(world);
  return true;
}

bool Cut(World& world, int n) {
  if (n != 0 || world.partition != 0) return false;
  world.partition = 1;
  DropStreams(world);
  return true;
}

bool KillGateway(World& world, int n) {
  if (n != 0 || world.gateway_alive == 0) return false;
  world.gateway_alive = 0;
  return true;
}

constexpr Fault kFaults[] = {{"fault: the server ends of", &Budget::crash, Crash},
                             {"fault: freezes", &Budget::freeze, Freeze},
                             {"fault: the nodes are cut off", &Budget::partition, Cut},
                             {"fault: breaks", &Budget::broken, Break},
                             {"fault: the gateway dies", &Budget::gateway, KillGateway}};

void EmitFaults(const World& world, const Emit& emit) {
  for (const Fault& fault : kFaults) {
    for (int n = 0; n < kNodes && world.left.faults > 0; ++n) {
      World next = world;
      if (world.left.*fault.kind == 0 || !fault.strike(next, n)) continue;
      --(next.left.*fault.kind);
      --next.left.faults;
      emit(fault.event, n, next);
    }
  }
}

// A document of an older epoch, delayed for long, or delivered twice.
void EmitOldMail(const World& world, const Emit& emit) {
  for (int n = 0; n < kNodes && world.left.again > 0; ++n) {
    if (world.node[n].old.epoch == 0 || world.node[n].old.epoch == world.node[n].mail.epoch)
      continue;
    World next = world;
    --next.left.again;
    next.node[n].mail = next.node[n].old;
    emit("agent: gets an old document again", n, next);
  }
}

void EmitRepairs(const World& world, const Emit& emit) {
  World next = world;
  for (int n = 0; n < kNodes; ++n) {
    next = world;
    if (next.node[n].frozen != 0) {
      next.node[n].frozen = 0;
      emit("thaws", n, next);
    }
    next = world;
    if (next.node[n].broken != 0) {
      next.node[n].broken = 0;
      emit("is mended", n, next);
    }
  }
  next = world;
  if (next.partition != 0) {
    next.partition = 0;
    emit("the nodes meet again", 0, next);
  }
  next = world;
  if (next.gateway_alive == 0) {
    next.gateway_alive = 1;
    emit("the gateway is back", 0, next);
  }
}

// With the commit guard its client hears nothing, and the commit waits on where nobody sees it.
void EmitCuts(const Rules& rules, const World& world, const Emit& emit) {
  if (world.left.cancel == 0 || world.left.faults == 0) return;
  for (int n = 0; n < kNodes; ++n) {
    const Node& node = world.node[n];
    if (node.pending == 0 || node.frozen != 0) continue;
    World next = world;
    --next.left.cancel;
    --next.left.faults;
    const auto cut = static_cast<Byte>(node.pending & (0U - node.pending));  // the oldest
    next.node[n].pending &= static_cast<Byte>(~cut);
    next.cut |= cut;
    if (rules.mutant == Mutant::kNoCommitGuard) next.acknowledged |= cut;
    emit("client: its wait is cut short at", n, next);
  }
}

// What a server may give its clients, they have.
void SettleAt(World& world, int n) {
  Node& node = world.node[n];
  const bool gives = node.server == Server::kPrimary && node.frozen == 0;
  if (!gives) return;
  const Byte readable = CommitsIn(node, node.visible);
  const Byte given = node.pending & readable;
  if (given != 0) {
    world.acknowledged |= given;
    world.ack_epoch = node.reign;
    world.ack_unconfirmed = node.ssn == 0;
    node.pending &= static_cast<Byte>(~given);
  }
  if (Reaches(world, n)) world.seen |= readable;
}

}  // namespace

bool Reaches(const World& world, int n) {
  const Node& node = world.node[n];
  const bool led = world.gateway_alive != 0 && world.gateway_primary == n && node.needs_proof == 0;
  return node.server == Server::kPrimary && node.frozen == 0 && (node.session != 0 || led);
}

bool Break(World& world, int n) {
  if (world.node[n].broken != 0) return false;
  Crash(world, n);
  world.node[n].broken = 1;
  return true;
}

void Settle(World& world) {
  for (int n = 0; n < kNodes; ++n) SettleAt(world, n);
}

void Heal(World& world) {
  for (Node& node : world.node) node.frozen = node.broken = 0;
  world.partition = 0;
  world.gateway_alive = 1;
  world.late_has = 0;
  world.late_version = 0;
  world.versions = 0;
  world.late = Core{};
  world.left = Budget{};
  world.left.epochs = 7;
}

void EachSuccessor(const Rules& rules, const World& world, const Emit& emit) {
  const Emit settled = [&](const char* event, int node, const World& next) {
    World after = next;
    Settle(after);
    emit(event, node, after);
  };
  EmitControl(rules, world, settled);
  const auto each = [&](const char* event, const auto& part) {
    for (int n = 0; n < kNodes; ++n) {
      World next = world;
      if (part(next, n)) settled(event, n, next);
    }
  };
  each("agent: reads", [](World& next, int n) { return Read(next, n); });
  each("agent: acts", [&](World& next, int n) { return Act(rules, next, n); });
  each("agent: reports", [](World& next, int n) { return Report(next, n); });
  each("streams", [&](World& next, int n) { return Stream(rules, next, n); });
  each("is confirmed", [&](World& next, int n) { return Confirm(rules, next, n); });
  each("agent: probes", [&](World& next, int n) { return Probe(rules, next, n); });
  for (int n = 0; n < kNodes; ++n) EmitClient(world, n, settled);
  EmitCuts(rules, world, settled);
  EmitFaults(world, settled);
  EmitOldMail(world, settled);
  EmitRepairs(world, settled);
}

World Begin(Phase phase, const Budget& budget) {
  World world{};
  world.left = budget;
  world.next_commit = 1;
  world.gateway_alive = 1;
  Record record;
  record.primary = NodeId("a");
  world.record = FromRecord(AddStandby(record, NodeId("b"), "0"));
  world.node[0].seeded = 1;
  const Rules rules;
  WritePlan(rules, world, 0);
  Read(world, 0);
  while (Act(rules, world, 0)) {
  }
  if (phase == Phase::kSeeding) return world;
  // Everything works until there.
  for (int round = 0; round < 100 && world.record.phase != phase; ++round) {
    for (int n = 0; n < kNodes; ++n) {
      WritePlan(rules, world, n);
      Read(world, n);
      while (Act(rules, world, n)) {
      }
      Stream(rules, world, n);
      Probe(rules, world, n);
      Report(world, n);
    }
    WriteRoute(world);
    TakeRoute(world);
    ReportRoute(world);
    DecideAndCommit(rules, world, false);
    world.versions = 0;
  }
  for (int n = 0; n < kNodes; ++n) {
    WritePlan(rules, world, n);
    Read(world, n);
    Report(world, n);
  }
  return world;
}

std::string Describe(const World& world) {
  std::string text = fmt::format(
      "  {} epoch {} primary {} token {} armed {} protected {} | route {}:{} gateway {}:{} "
      "reported {} | acknowledged {:b} seen {:b}{}\n",
      PhaseName(world.record.phase), world.record.epoch, world.record.primary, world.record.token,
      world.record.armed, world.record.protected_, world.route_epoch, world.route_primary,
      world.gateway_epoch, world.gateway_primary, world.gateway_reported, world.acknowledged,
      world.seen, world.partition != 0 ? " | cut off" : "");
  for (int n = 0; n < kNodes; ++n) {
    const Node& node = world.node[n];
    text += fmt::format(
        "    {}: mail e{} role {} stop {} waits {} | promise {} server {}{}{}{} ssn {} "
        "connects {} streams {} proven {} visible {}/{} wal",
        n, node.mail.epoch, static_cast<int>(node.mail.role), node.mail.stop, node.mail.waits_for,
        node.promise, static_cast<int>(node.server), node.frozen != 0 ? " frozen" : "",
        node.broken != 0 ? " broken" : "", node.torn != 0 ? " torn" : "", node.ssn, node.connects,
        node.streams, node.proven, node.visible, node.length);
    for (int i = 0; i < node.length; ++i) text += fmt::format(" {}", node.wal[i]);
    text += '\n';
  }
  return text;
}

}  // namespace howdah::ha::model
