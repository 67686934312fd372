#include "sim/mutants.h"

namespace howdah::sim {

const std::vector<MutantName>& Mutants() {
  static const std::vector<MutantName> all = {
      {Mutant::kProvesWithoutProbe, "proves-without-probe",
       "protected only after a confirmed commit"},
      {Mutant::kPromotesBeforeFence, "promotes-before-fence",
       "nobody is promoted before the former primary is dead"},
      {Mutant::kPromotesBeforeRecruit, "promotes-before-recruit",
       "nobody is promoted before it follows nobody"},
      {Mutant::kIgnoresTheGateway, "ignores-the-gateway",
       "nobody is promoted before the gateway has the epoch"},
      {Mutant::kIgnoresTheEndOfWal, "ignores-the-end-of-wal",
       "after a clean stop the recruit holds the last checkpoint"},
      {Mutant::kBelievesInTheStream, "believes-in-the-stream", "a silent standby is given up"},
      {Mutant::kDegradeKeepsProtected, "degrade-keeps-protected",
       "degrading takes the permission away"},
      {Mutant::kTokenReused, "token-reused", "who comes back gets a new identity"},
      {Mutant::kTokenKeptInFailover, "token-kept-in-failover",
       "a new epoch kills the old identity"},
      {Mutant::kEpochNotRaised, "epoch-not-raised", "a failover is a new epoch"},
      {Mutant::kFailsOverWhileDegraded, "fails-over-while-degraded",
       "who lacks commits is not promoted"},
      {Mutant::kTurnsBackAfterPromotion, "turns-back-after-promotion",
       "a failover turns back only while nothing was promoted"},
      {Mutant::kCompareIgnored, "compare-ignored", "the record is changed by compare-and-swap"},
      {Mutant::kLetsGoFirst, "lets-go-first",
       "the primary stops waiting only after the record says so"},
      {Mutant::kFencesNobody, "fences-nobody", "the former primary is told to be dead"},
      {Mutant::kRevivesTheFormerPrimary, "revives-the-former-primary",
       "a former primary is not started again while roles change"},
      {Mutant::kPromiseForgotten, "promise-forgotten", "no older document is obeyed"},
      {Mutant::kStartsInPlace, "starts-in-place",
       "a primary that commits waited for is not brought back by its agent"},
      {Mutant::kOpensUnproven, "opens-unproven",
       "after a start nobody comes in before the standby has everything"},
      {Mutant::kOpensTheRecruit, "opens-the-recruit", "nobody comes in before the promotion"},
      {Mutant::kFencesInName, "fences-in-name", "fenced means that nothing runs"},
      {Mutant::kLeavesTheReceiver, "leaves-the-receiver",
       "a recruit's WAL receiver is gone before it is promoted"},
      {Mutant::kRejoinsWithoutRewind, "rejoins-without-rewind",
       "a former primary is brought to the new history first"},
      {Mutant::kLosesTheSignalFile, "loses-the-signal-file",
       "what was no primary starts as a standby"},
      {Mutant::kSaysWaitsAndDoesNot, "says-waits-and-does-not",
       "what is reported in force is in force"},
      {Mutant::kKeepsAnOldIdentity, "keeps-an-old-identity",
       "a standby connects under the identity that it was given"},
      {Mutant::kGatewayForgetsEpochs, "gateway-forgets-epochs",
       "a gateway never goes back to an older epoch"},
      {Mutant::kNoCommitGuard, "no-commit-guard", "a commit whose wait is cut short is no success"},
  };
  return all;
}

}  // namespace howdah::sim
