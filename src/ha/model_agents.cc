// The agents' side of the small world: what an agent does with the document that it has read (the
// contract in nodes/node.h), and what it reports.
#include "ha/model_world.h"

namespace howdah::ha::model {

namespace {

bool Runs(const Node& node) {
  return node.server != Server::kNone;
}

void ClearOrders(Node& node) {
  node.ended = 0;
  node.stopped = 0;
  node.shutdown_lsn = 0;
  node.fenced = 0;
}

// What recovery finds in the WAL is there for everybody, waited for or not.
void BecomePrimary(const Rules& rules, Node& node) {
  ClearOrders(node);
  node.server = Server::kPrimary;
  node.recruited = 0;
  node.ssn = node.mail.waits_for;
  node.needs_proof = node.ssn != 0 && rules.mutant != Mutant::kOpensUnproven;
  node.proven = 0;
  node.visible = node.length;
  node.revive = node.mail.revive;
  node.reign = node.promise;
}

bool Append(Node& node, Byte entry) {
  if (node.length == kWal) return false;
  node.wal[node.length++] = entry;
  return true;
}

// A frozen one is killed when the patience with it ends.
void StopCleanly(World& world, int n) {
  Node& node = world.node[n];
  const bool clean = node.frozen == 0;
  if (clean) {
    Append(node, kShutdown);
    // It goes only when the standby that streams has everything.
    Node& other = world.node[1 - n];
    if (other.streams != 0 && other.frozen == 0 && world.partition == 0) {
      other.wal = node.wal;
      other.length = node.length;
    }
  }
  EndServer(world, n);
  node.stopped = 1;
  node.shutdown_lsn = clean ? node.length : 0;
}

bool StartAsPrimary(const Rules& rules, World& world, int n) {
  Node& node = world.node[n];
  const bool asks = node.ended != 0 && node.mail.waits_for != 0 &&
                    node.mail.revive <= node.revive && rules.mutant != Mutant::kStartsInPlace;
  if (asks) return false;
  if (node.standby_signal != 0) {
    ClearOrders(node);
    node.server = Server::kRecovery;
    node.connects = 0;
  } else {
    BecomePrimary(rules, node);
    if (rules.mutant == Mutant::kStartsInPlace) {
      node.ssn = 0;
      node.needs_proof = 0;
    }
  }
  return true;
}

bool ServeAsPrimary(World& world, int n) {
  Node& node = world.node[n];
  if (node.frozen != 0) return false;
  if (node.ssn != node.mail.waits_for) {
    node.ssn = node.mail.waits_for;
    node.proven = 0;
    if (node.ssn == 0) {  // whoever waited is let go (H5)
      node.needs_proof = 0;
      node.visible = node.length;
    }
    return true;
  }
  if (node.checkpoint < node.mail.checkpoint) {
    node.checkpoint = node.mail.checkpoint;
    return true;
  }
  return false;
}

bool BePrimary(const Rules& rules, World& world, int n) {
  Node& node = world.node[n];
  if (node.mail.stop != 0) {
    if (node.stopped != 0) return false;
    if (Runs(node)) {
      StopCleanly(world, n);
    } else {
      ClearOrders(node);
      node.stopped = 1;
    }
    return true;
  }
  if (node.seeded == 0 || node.torn != 0) return false;
  if (node.server == Server::kNone) return StartAsPrimary(rules, world, n);
  if (node.server == Server::kPrimary) return ServeAsPrimary(world, n);
  if (node.frozen != 0) return false;
  node.connects = 0;
  node.streams = 0;
  node.standby_signal = 0;
  BecomePrimary(rules, node);
  return true;
}

// A directory that was a primary's, and was not brought in line yet, cannot be recruited.
bool Refuses(const Node& node) {
  return node.mail.role == Role::kRecruit && node.mail.epoch == node.promise &&
         (node.standby_signal == 0 || node.torn != 0 || node.server == Server::kPrimary);
}

bool BeRecruit(World& world, int n) {
  Node& node = world.node[n];
  if (node.seeded == 0 || Refuses(node)) return false;
  if (node.server == Server::kNone) {
    ClearOrders(node);
    node.connects = 0;
    node.server = Server::kRecovery;
    return true;
  }
  if (node.frozen != 0 || node.recruited != 0) return false;
  if (node.connects != 0) {
    node.connects = 0;
    node.streams = 0;
  } else {
    node.recruited = 1;
  }
  return true;
}

bool BeFenced(World& world, int n) {
  Node& node = world.node[n];
  if (Runs(node)) {
    EndServer(world, n);
    return true;
  }
  if (node.fenced != 0) return false;
  const Byte shutdown_lsn = node.shutdown_lsn;
  ClearOrders(node);
  node.shutdown_lsn = shutdown_lsn;
  node.fenced = 1;
  return true;
}

bool IsInLine(const Rules& rules, const Node& node, const Node& other) {
  if (node.torn != 0) return rules.mutant == Mutant::kStartsHalfMade;
  if (node.seeded == 0 || rules.mutant == Mutant::kCopiesAnew) return false;
  return IsPrefix(node, other) || rules.mutant == Mutant::kRejoinsWithoutRewind;
}

// Back to where the new primary's history begins. First its directory is half one, half the other.
bool BringInLine(World& world, int n) {
  Node& node = world.node[n];
  const Node& other = world.node[1 - n];
  if (other.server != Server::kPrimary || other.frozen != 0 || world.partition != 0) return false;
  if (node.seeded != 0 && node.torn == 0) {
    node.torn = 1;
    return true;
  }
  Byte same = 0;
  while (same < node.length && same < other.length && node.wal[same] == other.wal[same]) ++same;
  if (node.seeded == 0) {
    same = other.length;
    node.wal = other.wal;
    node.seeded = 1;
  }
  for (int i = same; i < kWal; ++i) node.wal[i] = 0;
  node.length = same;
  node.torn = 0;
  return true;
}

void StartAsStandby(Node& node) {
  ClearOrders(node);
  node.standby_signal = 1;
  node.server = Server::kRecovery;
  node.connects = node.mail.token;
}

bool BeStandby(const Rules& rules, World& world, int n) {
  Node& node = world.node[n];
  if (node.server == Server::kPrimary) {
    EndServer(world, n);
    return true;
  }
  if (node.server == Server::kNone) {
    const bool in_line = IsInLine(rules, node, world.node[1 - n]);
    if (!in_line && !BringInLine(world, n)) return false;
    if (in_line || node.torn == 0) StartAsStandby(node);
    return true;
  }
  if (node.frozen != 0) return false;
  if (node.connects != node.mail.token || node.recruited != 0) {
    node.connects = node.mail.token;
    node.streams = 0;
    node.recruited = 0;
    return true;
  }
  // It finds that its history is not its primary's.
  if (IsPrefix(node, world.node[1 - n]) || rules.mutant == Mutant::kRejoinsWithoutRewind)
    return false;
  if (world.node[1 - n].server != Server::kPrimary) return false;
  EndServer(world, n);
  return true;
}

State StateOf(const Node& node) {
  // Of one that cannot be started nothing runs either.
  if (node.fenced != 0 && node.mail.role == Role::kFenced) return State::kFenced;
  if (node.broken != 0 || Refuses(node)) return State::kFailed;
  if (node.fenced != 0) return State::kFenced;
  if (Runs(node)) return State::kUp;
  if (node.stopped != 0) return State::kStopped;
  const bool asks = node.ended != 0 && node.mail.role == Role::kPrimary &&
                    node.mail.waits_for != 0 && node.mail.revive <= node.revive;
  return asks ? State::kDown : State::kStarting;
}

}  // namespace

bool Read(World& world, int n) {
  Node& node = world.node[n];
  if (node.mail == world.desired[n]) return false;
  if (node.mail.epoch != world.desired[n].epoch && world.left.again != 0) node.old = node.mail;
  node.mail = world.desired[n];
  return true;
}

bool Act(const Rules& rules, World& world, int n) {
  Node& node = world.node[n];
  const bool forgets = rules.mutant == Mutant::kPromiseForgotten;
  if (node.mail.epoch < node.promise && !forgets) return false;
  if (node.mail.epoch != node.promise) {
    node.promise = node.mail.epoch;
    node.recruited = 0;
    if (rules.mutant == Mutant::kEndsWhatItFinds) EndServer(world, n);
    return true;
  }
  if (node.mail.role == Role::kFenced) return BeFenced(world, n);
  if (node.broken != 0) return false;
  switch (node.mail.role) {
    case Role::kPrimary:
      return BePrimary(rules, world, n);
    case Role::kRecruit:
      return BeRecruit(world, n);
    default:
      return BeStandby(rules, world, n);
  }
}

bool Report(World& world, int n) {
  const Node& node = world.node[n];
  const Node& other = world.node[1 - n];
  const bool counts = node.server == Server::kPrimary && other.streams != 0;
  Observed now{.epoch = node.promise,
               .seeded = node.seeded,
               .state = StateOf(node),
               .in_recovery = node.server == Server::kRecovery,
               .unresponsive = node.frozen,
               .recruited = node.recruited,
               .received = node.length,
               .shutdown_lsn = node.shutdown_lsn,
               .revive = node.revive,
               .checkpoint = node.checkpoint,
               .effective = node.ssn,
               .streaming = counts ? other.connects : Byte{0},
               .proven = node.proven};
  if (now == world.observed[n]) return false;
  world.observed[n] = now;
  return true;
}

}  // namespace howdah::ha::model
