#include "ha/model_rules.h"

#include <algorithm>
#include <utility>

namespace howdah::ha::model {

namespace {

bool Promoted(const World& before, const World& after, int n) {
  return before.node[n].server == Server::kRecovery && after.node[n].server == Server::kPrimary;
}

template <typename Holds>
bool ForEach(const Holds& holds) {
  return holds(0) && holds(1);
}

bool MayBePromoted(const Core& record) {
  return record.protected_ != 0;
}

// I1: acknowledgements of an epoch never come after the first of a later one.
bool I1OneSideAcknowledges(const World& before, const World& after) {
  return before.acknowledged == after.acknowledged || before.ack_epoch <= after.ack_epoch;
}

// I2: what was acknowledged is in the next primary's WAL, below its fork.
bool I2TheNextPrimaryHasWhatWasAcknowledged(const World& before, const World& after) {
  return ForEach([&](int n) {
    return !Promoted(before, after, n) || after.lost_accepted != 0 ||
           Within(before.acknowledged, AllCommits(before.node[n]));
  });
}

// I3: while the standby may be promoted, its primary waits for exactly that one.
bool I3ProtectedMeansThePrimaryWaits(const World&, const World& after) {
  const Node& primary = after.node[after.record.primary];
  return !MayBePromoted(after.record) || primary.server != Server::kPrimary ||
         primary.ssn == after.record.token;
}

// I4: a primary stops waiting only when the record forbids promotion, in the same epoch.
bool I4LetsGoOnlyAfterTheRecord(const World& before, const World& after) {
  return ForEach([&](int n) {
    const bool lets_go = before.node[n].server == Server::kPrimary &&
                         after.node[n].server == Server::kPrimary && before.node[n].ssn != 0 &&
                         after.node[n].ssn == 0;
    const bool of_this_epoch =
        after.record.epoch == after.node[n].promise || after.lost_accepted != 0;
    return !lets_go || (!MayBePromoted(after.record) && of_this_epoch);
  });
}

// I5: an epoch is one more than the last, and begins from where the standby may be promoted, from a
// failover that is turned back, or with an operator's word.
bool I5EpochsRiseByOneAndOnlyFromProtected(const World& before, const World& after) {
  if (before.record.epoch == after.record.epoch)
    return before.record.primary == after.record.primary;
  const bool entitled =
      MayBePromoted(before.record) || after.record.cause == Cause::kDataLossAccepted ||
      (before.record.phase == Phase::kFailover && after.record.cause == Cause::kTurnedBack);
  return after.record.epoch == before.record.epoch + 1 && entitled;
}

// I6: no agent goes back behind what it has promised, nor makes a primary of an older word.
bool I6PromisesAreKept(const World& before, const World& after) {
  return ForEach([&](int n) {
    const bool becomes =
        before.node[n].server != Server::kPrimary && after.node[n].server == Server::kPrimary;
    return before.node[n].promise <= after.node[n].promise &&
           (!becomes || after.node[n].mail.epoch == after.node[n].promise);
  });
}

// I7: there is one primary, and after the failover's fence none but the recorded.
bool I7NobodyElseRunsAsPrimary(const World&, const World& after) {
  const bool both =
      after.node[0].server == Server::kPrimary && after.node[1].server == Server::kPrimary;
  const bool fencing = after.record.phase == Phase::kFailover;
  const bool other = after.node[1 - after.record.primary].server == Server::kPrimary;
  return !both && (fencing || !other);
}

// I8: what a rejoin takes away was never promised, or is on the other too; and a copy that is
// counted upon is not touched.
bool I8NoCopyThatCountsIsOverwritten(const World& before, const World& after) {
  return ForEach([&](int n) {
    const Byte had = AllCommits(before.node[n]);
    const Byte gone = had & static_cast<Byte>(~AllCommits(after.node[n]));
    const Byte promised = before.acknowledged | before.seen;
    const bool touched =
        after.node[n].torn > before.node[n].torn || after.node[n].length < before.node[n].length;
    return after.lost_accepted != 0 || (Within(gone & promised, AllCommits(after.node[1 - n])) &&
                                        !(touched && MayBePromoted(after.record)));
  });
}

// I9: what counts as confirmed was flushed by the one whose name the primary waits for, of an
// identity of its own epoch.
bool I9OnlyTheNamedStandbyConfirms(const World& before, const World& after) {
  return ForEach([&](int n) {
    const Node& node = after.node[n];
    const Node& other = after.node[1 - n];
    const bool confirmed = before.node[n].server == Server::kPrimary &&
                           node.server == Server::kPrimary && node.ssn != 0 &&
                           before.node[n].ssn == node.ssn && before.node[n].visible < node.visible;
    return !confirmed || (other.connects == node.ssn && node.ssn / 8 == node.reign &&
                          Within(CommitsIn(node, node.visible), AllCommits(other)));
  });
}

// I9 again: an identity is never given twice.
bool I9IdentitiesAreNew(const World& before, const World& after) {
  const bool meets_again =
      (before.record.phase == Phase::kDegraded && after.record.phase == Phase::kCatchup) ||
      before.record.epoch != after.record.epoch;
  return !meets_again || after.record.token > before.record.token;
}

// I10: nobody is told that a commit is done whose wait was cut short.
bool I10NoAnswerToACutWait(const World&, const World& after) {
  return (after.acknowledged & after.cut) == 0;
}

// I11: what somebody has read, the next primary has.
bool I11WhatWasReadIsKept(const World& before, const World& after) {
  return ForEach([&](int n) {
    return !Promoted(before, after, n) || after.lost_accepted != 0 ||
           Within(before.seen, AllCommits(before.node[n]));
  });
}

// I12: the gateway goes to no older epoch, and whoever is led anywhere sees all that was promised.
bool I12NobodySeesAnOlderState(const World& before, const World& after) {
  if (after.gateway_epoch < before.gateway_epoch) return false;
  return ForEach([&](int n) {
    if (!Reaches(after, n) || after.lost_accepted != 0) return true;
    const Byte promised = before.acknowledged | before.seen;
    return Within(promised, CommitsIn(after.node[n], after.node[n].visible));
  });
}

// I14: nothing is acknowledged without the standby before the record forbids its promotion.
bool I14AloneOnlyByTheRecord(const World& before, const World& after) {
  const bool alone = before.acknowledged != after.acknowledged && after.ack_unconfirmed != 0;
  return !alone || !MayBePromoted(after.record);
}

// I15: a server that is what its document says ends by a fault only.
bool I15NobodyEndsAServerThatIsAsWanted(const World& before, const World& after) {
  const bool fault = before.left.faults != after.left.faults;
  return ForEach([&](int n) {
    const Node& node = before.node[n];
    const bool ends = node.server != Server::kNone && after.node[n].server == Server::kNone;
    const bool is_not_its_role =
        node.mail.role == Role::kStandby &&
        (node.server == Server::kPrimary || !IsPrefix(node, before.node[1 - n]));
    return !ends || fault || node.mail.role == Role::kFenced || node.mail.stop != 0 ||
           is_not_its_role;
  });
}

// I17: a promotion has replayed everything received: nothing streams any more, and the record has
// seen the former primary fenced.
bool I17PromotionComesLast(const World& before, const World& after) {
  return ForEach([&](int n) {
    if (!Promoted(before, after, n)) return true;
    const bool still_failing_over =
        after.record.phase == Phase::kFailover && after.record.epoch == after.node[n].promise;
    return before.node[n].connects == 0 && before.node[n].streams == 0 && !still_failing_over;
  });
}

// I18: what a rejoin has begun to change does not run.
bool I18NothingHalfMadeRuns(const World&, const World& after) {
  return ForEach(
      [&](int n) { return after.node[n].torn == 0 || after.node[n].server == Server::kNone; });
}

// I20: nobody is promoted by itself when the standby is known to lack something.
bool I20NoPromotionWhileDegraded(const World& before, const World& after) {
  const bool begins =
      after.record.phase == Phase::kFailover && before.record.phase != Phase::kFailover;
  const bool asked = after.record.cause == Cause::kDataLossAccepted;
  return !begins || asked || MayBePromoted(before.record);
}

// I22: after a clean stop the new primary has the old one's last checkpoint, and no rewind is
// needed.
bool I22ACleanStopIsOnTheNewPrimary(const World& before, const World& after) {
  return ForEach([&](int n) {
    const bool clean =
        after.record.cause == Cause::kSwitchover && before.node[1 - n].shutdown_lsn != 0;
    return !Promoted(before, after, n) || !clean || after.record.primary != n ||
           IsPrefix(before.node[1 - n], before.node[n]);
  });
}

bool PhasesFollowTheirEdges(const World& before, const World& after) {
  return before.record.phase == after.record.phase ||
         IsEdge(before.record.phase, after.record.phase);
}

}  // namespace

const std::vector<Invariant>& Invariants() {
  static const std::vector<Invariant> all = {
      {"I1", I1OneSideAcknowledges},
      {"I2", I2TheNextPrimaryHasWhatWasAcknowledged},
      {"I3", I3ProtectedMeansThePrimaryWaits},
      {"I4", I4LetsGoOnlyAfterTheRecord},
      {"I5", I5EpochsRiseByOneAndOnlyFromProtected},
      {"I6", I6PromisesAreKept},
      {"I7", I7NobodyElseRunsAsPrimary},
      {"I8", I8NoCopyThatCountsIsOverwritten},
      {"I9", I9OnlyTheNamedStandbyConfirms},
      {"I9, identities", I9IdentitiesAreNew},
      {"I10", I10NoAnswerToACutWait},
      {"I11", I11WhatWasReadIsKept},
      {"I12", I12NobodySeesAnOlderState},
      {"I14", I14AloneOnlyByTheRecord},
      {"I15", I15NobodyEndsAServerThatIsAsWanted},
      {"I17", I17PromotionComesLast},
      {"I18", I18NothingHalfMadeRuns},
      {"I20", I20NoPromotionWhileDegraded},
      {"I22", I22ACleanStopIsOnTheNewPrimary},
      {"I16, edges", PhasesFollowTheirEdges},
  };
  return all;
}

bool I19FailoversAreLimited(const Rules& rules, const World& before, const World& after) {
  if (before.unasked == after.unasked) return true;
  const Policy& policy = rules.policy;
  const bool held = policy.hold_down > Duration(0) && before.unasked > 0;
  const bool often = policy.window > Duration(0) && before.unasked >= policy.failovers_in_window;
  const bool only_silent = after.record.cause == Cause::kPrimaryUnresponsive;
  return !(only_silent && held) && !(after.record.cause != Cause::kPrimaryFailed && often);
}

bool IsEdge(Phase from, Phase to) {
  using enum Phase;
  static const std::vector<std::pair<Phase, Phase>> edges = {
      {kSeeding, kCatchup},    {kCatchup, kProtected}, {kCatchup, kDegraded},
      {kProtected, kDegraded}, {kProtected, kPrepare}, {kProtected, kFailover},
      {kPrepare, kSwitch},     {kPrepare, kDegraded},  {kPrepare, kFailover},
      {kSwitch, kProtected},   {kSwitch, kFailover},   {kFailover, kPromoting},
      {kFailover, kDegraded},  {kPromoting, kRejoin},  {kRejoin, kCatchup},
      {kRejoin, kHalted},      {kDegraded, kCatchup},  {kDegraded, kHalted},
      {kHalted, kDegraded},    {kCatchup, kFailover},  {kDegraded, kFailover},
      {kRejoin, kFailover},    {kHalted, kFailover},
  };
  return std::ranges::find(edges, std::pair(from, to)) != edges.end();
}

}  // namespace howdah::ha::model
