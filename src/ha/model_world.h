// A small world around the decision, for the exhaustive search of model_test.cc: the record and the
// documents in the store, the control plane, two agents with their servers, the gateway, a client.
// Plain bytes, so that a state can be copied, compared and hashed by the million.
//
// What is worst for a promise happens at once: a client has its acknowledgement, and has read what
// can be read, in the moment in which the server may give it. What is harmless may come late:
// agents read documents late and go on obeying old ones, and report late. A control plane that dies
// is one that does nothing for a while: all that it keeps is when something began, and every budget
// may be over at any time here.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>

#include "ha/step.h"

namespace howdah::ha::model {

using Byte = std::uint8_t;
inline constexpr int kNodes = 2;
inline constexpr int kWal = 6;

enum class Role : Byte { kPrimary, kStandby, kRecruit, kFenced };
enum class Server : Byte { kNone, kPrimary, kRecovery };
enum class State : Byte { kStarting, kUp, kDown, kFailed, kStopped, kFenced };

// A token is epoch * 8 + how often the pair met in that epoch; 0: none.
using Token = Byte;

// The record, as far as it can differ here.
struct Core {
  Phase phase;
  Cause cause;
  Byte epoch, primary, token, armed, protected_, revive, checkpoint, shutdown_lsn, failovers;
  std::array<Byte, 3> unused;  // no byte of a state is undefined
  bool operator==(const Core&) const = default;
};

// What one node should be.
struct Desired {
  Byte epoch;
  Role role;
  Byte stop, token, waits_for, revive, checkpoint;
  bool operator==(const Desired&) const = default;
};

// What an agent has reported.
struct Observed {
  Byte epoch, seeded;
  State state;
  Byte in_recovery, unresponsive, recruited, received, shutdown_lsn, revive, checkpoint;
  Token effective, streaming, proven;
  bool operator==(const Observed&) const = default;
};

struct Node {
  // The agent's.
  Byte promise;
  Desired mail;  // the document that it has read last
  Desired old;   // the last one of the epoch before; it may come again
  Byte ended;    // the server ended by itself
  Byte stopped, fenced, recruited, revive, checkpoint, proven, needs_proof;
  // The server's.
  Server server;
  Byte seeded, standby_signal, frozen, broken, shutdown_lsn;
  Byte torn;                   // a rejoin changes its directory, or was cut while it did
  Byte ssn;                    // synchronous_standby_names in force
  Byte connects;               // the identity under which it connects; 0: its WAL receiver is gone
  Byte streams;                // it streams from the other node
  Byte reign;                  // the epoch in which it became primary
  Byte visible;                // so much of its WAL can be read; the rest waits for the standby
  Byte pending;                // commits whose clients still wait here
  Byte session;                // a client is connected
  Byte length;                 // of the WAL
  std::array<Byte, kWal> wal;  // commits by number; kShutdown: the checkpoint of a clean stop
  bool operator==(const Node&) const = default;
};

inline constexpr Byte kShutdown = 7;

// What may still go wrong, each kind so many times.
struct Budget {
  Byte commits, crash, freeze, partition, broken, switchover, accept, gateway, late, again, cancel;
  Byte faults;  // of all kinds together, switchovers included
  Byte epochs;  // the highest that is looked at
};

struct World {
  Core record;
  Core late;  // a second control plane's decision that was not committed yet
  std::array<Desired, kNodes> desired;
  std::array<Observed, kNodes> observed;
  std::array<Node, kNodes> node;
  Byte route_epoch, route_primary;       // as desired
  Byte gateway_epoch, gateway_primary;   // in force; it is written down, so a death loses nothing
  Byte gateway_alive, gateway_reported;  // 0: nobody listens
  Byte partition;
  Byte acknowledged, seen;  // sets of commits, by bit
  Byte next_commit, ack_epoch;
  Byte ack_unconfirmed;  // the last acknowledgement was given without a standby
  Byte versions;         // of the record, as far as a late control plane may remember one
  Byte late_has, late_version;
  Byte lost_accepted;
  Byte cut;      // commits whose wait was cut short
  Byte unasked;  // so many failovers nobody had asked for
  Budget left;
  std::array<Byte, 1> unused;
};

// How the world goes wrong on purpose: each is a rule left out, and the search must notice.
enum class Mutant {
  kNone,
  kDegradeKeepsProtected,
  kTokenReused,
  kEpochNotRaised,
  kPromotesBeforeFence,
  kPromotesBeforeRecruit,
  kProvesWithoutProbe,
  kWaitsForNobodyFirst,
  kCompareIgnored,
  kPromiseForgotten,
  kStartsInPlace,
  kRejoinsWithoutRewind,
  kFailsOverWhileDegraded,
  kOpensUnproven,
  kIgnoresTheEndOfWal,
  kNoCommitGuard,
  kForgetsFailovers,
  kStartsHalfMade,
  kCopiesAnew,
  kEndsWhatItFinds,
  kBelievesInTheStream,
};

struct Rules {
  Policy policy;
  Mutant mutant = Mutant::kNone;
};

// Hands over every state that can follow, with the event that leads there.
using Emit = std::function<void(const char* event, int node, const World&)>;
void EachSuccessor(const Rules& rules, const World& world, const Emit& emit);

// The parts, for the walks. Each returns whether something changed.
void EmitControl(const Rules& rules, const World& world, const Emit& emit);
void EndServer(World& world, int node);  // however it ends
bool Break(World& world, int node);      // it ends, and cannot be started
bool Read(World& world, int node);
bool Act(const Rules& rules, World& world, int node);
bool Report(World& world, int node);
bool Stream(const Rules& rules, World& world, int standby);   // connects, or receives
bool Confirm(const Rules& rules, World& world, int primary);  // the standby's reply arrives
bool Probe(const Rules& rules, World& world, int primary);
bool DecideAndCommit(const Rules& rules, World& world, bool budgets_are_over);
bool WritePlan(const Rules& rules, World& world, int node);
bool WriteRoute(World& world);
bool TakeRoute(World& world);
bool ReportRoute(World& world);
void Settle(World& world);  // clients have what they can have
void Heal(World& world);    // every fault is gone, and none comes any more

Record ToRecord(const Core& core);
Core FromRecord(const Record& record);
Sight SightOf(const World& world, bool budgets_are_over);

// Can a client reach the server of this node?
bool Reaches(const World& world, int node);
// Does `of` hold all that the first `count` entries of `whole` are?
bool IsPrefix(const Node& prefix, const Node& whole);
Byte CommitsIn(const Node& node, int count);  // the set of commits among the first entries

World Begin(Phase phase, const Budget& budget);
std::string Describe(const World& world);

}  // namespace howdah::ha::model
