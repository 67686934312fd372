// The servers' side of the small world: what PostgreSQL does with commits, streams and ends.
#include <algorithm>

#include "ha/model_world.h"

namespace howdah::ha::model {

// However it ends: sessions, streams and what waits for them are gone.
void EndServer(World& world, int n) {
  Node& node = world.node[n];
  node.server = Server::kNone;
  node.frozen = 0;
  node.streams = 0;
  node.pending = 0;
  node.session = 0;
  node.proven = 0;
  node.ssn = 0;
  node.visible = 0;
  node.recruited = 0;
  world.node[1 - n].streams = 0;
}

bool Stream(const Rules& rules, World& world, int standby) {
  Node& node = world.node[standby];
  const Node& primary = world.node[1 - standby];
  const bool able = node.server == Server::kRecovery && node.connects != 0 && node.frozen == 0 &&
                    primary.server == Server::kPrimary && primary.frozen == 0 &&
                    world.partition == 0;
  if (!able) return false;
  if (node.streams == 0) {
    if (!IsPrefix(node, primary) && rules.mutant != Mutant::kRejoinsWithoutRewind) return false;
    node.streams = 1;
    return true;
  }
  if (node.length == primary.length) return false;
  // Its primary's bytes, whatever it had before: without a rewind, a mixture of two histories.
  for (int i = node.length; i < primary.length; ++i) node.wal[i] = primary.wal[i];
  node.length = primary.length;
  return true;
}

bool Confirm(const Rules&, World& world, int p) {
  Node& primary = world.node[p];
  const Node& standby = world.node[1 - p];
  const bool counts = primary.server == Server::kPrimary && primary.frozen == 0 &&
                      primary.ssn != 0 && standby.streams != 0 && standby.frozen == 0 &&
                      standby.connects == primary.ssn;
  if (!counts || primary.visible >= standby.length) return false;
  primary.visible = standby.length;
  return true;
}

// A commit of the agent's, made after the identity was in force, and confirmed. It says the same of
// all that was written before.
bool Probe(const Rules&, World& world, int p) {
  Node& primary = world.node[p];
  const Node& standby = world.node[1 - p];
  const bool confirmed = primary.server == Server::kPrimary && primary.frozen == 0 &&
                         primary.ssn != 0 && primary.proven != primary.ssn &&
                         standby.streams != 0 && standby.connects == primary.ssn &&
                         standby.length == primary.length;
  if (!confirmed) return false;
  primary.visible = primary.length;
  primary.proven = primary.ssn;
  primary.needs_proof = 0;
  return true;
}

bool IsPrefix(const Node& prefix, const Node& whole) {
  return prefix.length <= whole.length &&
         std::equal(prefix.wal.begin(), prefix.wal.begin() + prefix.length, whole.wal.begin());
}

Byte CommitsIn(const Node& node, int count) {
  Byte set = 0;
  for (int i = 0; i < count; ++i) {
    if (node.wal[i] != kShutdown) set |= static_cast<Byte>(1U << node.wal[i]);
  }
  return set;
}

}  // namespace howdah::ha::model
