// Restore tests: a backup counts for as much as its last restore. Of each instance with automated
// backups the newest one is restored from time to time into a throw-away node, the archive is
// replayed to its end, and the copy is checked; what came of it is kept here. When one is due is
// decided here, pure; proof_reconciler.cc carries it out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fleet/context.h"
#include "fleet/instance.h"
#include "fleet/records.h"
#include "nodes/node.h"

namespace howdah::fleet {

// One test.
struct ProofRun {
  std::string backup;  // that was restored
  WallTime begun{};
  WallTime finished{};           // none: it is under way
  WallTime until{};              // what was committed up to then was restored
  std::uint64_t size_bytes = 0;  // of the files
  std::string failure;           // why the backups cannot be relied on; empty: they can
  std::int64_t databases = 0, tables = 0, indexes = 0, pages = 0;  // that were looked at
  bool operator==(const ProofRun&) const = default;
};

// What is known of an instance.
struct Proof {
  InstanceId instance;
  NodeId node;           // the throw-away node; empty: there is none
  bool leaving = false;  // that node is to go
  ProofRun now;          // with a node that is not leaving
  WallTime give_up{};    // when
  ProofRun last;         // the newest that has ended
  WallTime asked{};      // somebody wants one now
  std::string waits;     // why one that is due cannot begin, as it was told
  bool operator==(const Proof&) const = default;
};
std::string Format(const Proof& proof);
Result<Proof> ParseProof(std::string_view text);
Result<Versioned<Proof>> LoadProof(store::Store& store, const InstanceId& id);
Result<std::vector<Versioned<Proof>>> ListProofs(store::Store& store);

// --- pure ---

// An instance as far as it matters here.
struct ProofCandidate {
  InstanceId instance;
  bool has_backup = false;  // an automated one that is available
  bool is_at_rest = false;  // it is there, serves, and nothing works on it
  WallTime created{};
  WallTime asked{};
  WallTime last{};      // when the last test ended; none: there has been none
  bool failed = false;  // how that one went
};
// Whose turn it is: who was asked for, then who has waited longest. A new instance has its first
// test after a day, and so has one whose last test failed.
std::optional<InstanceId> NextProof(const std::vector<ProofCandidate>& candidates,
                                    std::chrono::days every, WallTime now);

// Whether a second copy fits beside what is there.
bool HasRoomForProof(std::uint64_t free_bytes, std::uint64_t copy_bytes);

// --- commands ---

// Asks for a test as soon as can be; returns since when it is asked for. kNotFound, kFailedState.
Result<WallTime> AskForProof(const Context& context, std::string_view identifier);

}  // namespace howdah::fleet
