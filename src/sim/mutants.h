// The rules of failover, each with a way to leave it out. The product carries no switch for that:
// what it reads, writes or decides is changed on the way. The simulation must notice every one.
#pragma once

#include <string>
#include <vector>

namespace howdah::sim {

enum class Mutant {
  kNone,
  // What the control plane reads is a lie.
  kProvesWithoutProbe,
  kPromotesBeforeFence,
  kPromotesBeforeRecruit,
  kIgnoresTheGateway,
  kIgnoresTheEndOfWal,
  kBelievesInTheStream,
  kStopsTheStandbyFirst,
  // What it decides is changed before it is stored.
  kDegradeKeepsProtected,
  kTokenReused,
  kTokenKeptInFailover,
  kEpochNotRaised,
  kFailsOverWhileDegraded,
  kTurnsBackAfterPromotion,
  kCompareIgnored,
  kForgetsFailovers,
  kTellsNobody,
  // What it tells the nodes is changed.
  kLetsGoFirst,
  kFencesNobody,
  kRevivesTheFormerPrimary,
  // What the agent decides is changed.
  kPromiseForgotten,
  kStartsInPlace,
  kOpensUnproven,
  kOpensTheRecruit,
  kFencesInName,
  kLeavesTheReceiver,
  kRejoinsWithoutRewind,
  kLosesTheSignalFile,
  kSaysWaitsAndDoesNot,
  kKeepsAnOldIdentity,
  kPromiseNotWritten,
  kCopiesAnew,
  kStartsHalfMade,
  kEndsWhatItFinds,
  kDemotesWithoutStore,
  kWaitsForTheFull,
  // The gateway takes what it is given.
  kGatewayForgetsEpochs,
  // PostgreSQL runs without the commit guard, or without a part of it.
  kNoCommitGuard,
  kGuardShowsTheRow,
  kSessionsOptOut,
};

struct MutantName {
  Mutant mutant;
  const char* name;
  const char* rule;  // that is left out
};
const std::vector<MutantName>& Mutants();

}  // namespace howdah::sim
