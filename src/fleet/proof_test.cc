// Whose restore test is due, and whether there is room for it.
#include "fleet/proof.h"

#include <gtest/gtest.h>

namespace howdah::fleet {

namespace {

using std::chrono::days;
const WallTime kNow = FromMicros(1'800'000'000'000'000);
constexpr days kWeek{7};

ProofCandidate Candidate(const char* id, Duration age, Duration since_last) {
  return {.instance = InstanceId(id),
          .has_backup = true,
          .is_at_rest = true,
          .created = kNow - age,
          .last = since_last == Duration::zero() ? WallTime{} : kNow - since_last};
}

TEST(ProofTest, OneIsDueOnceAWeekAndTheFirstAfterADay) {
  EXPECT_FALSE(NextProof({Candidate("a", days(30), days(6))}, kWeek, kNow));
  EXPECT_TRUE(NextProof({Candidate("a", days(30), days(7))}, kWeek, kNow));
  EXPECT_FALSE(NextProof({Candidate("a", 23h, Duration::zero())}, kWeek, kNow));
  EXPECT_TRUE(NextProof({Candidate("a", 24h, Duration::zero())}, kWeek, kNow));
}

TEST(ProofTest, AFailedOneIsMadeAgainAfterADay) {
  ProofCandidate failed = Candidate("a", days(30), days(1));
  EXPECT_FALSE(NextProof({failed}, kWeek, kNow));
  failed.failed = true;
  EXPECT_TRUE(NextProof({failed}, kWeek, kNow));
}

TEST(ProofTest, WithZeroDaysOnlyWhatIsAskedForIsDue) {
  ProofCandidate old = Candidate("a", days(30), days(20));
  EXPECT_FALSE(NextProof({old}, days(0), kNow));
  old.asked = kNow;
  EXPECT_TRUE(NextProof({old}, days(0), kNow));
}

TEST(ProofTest, NoneIsDueWithoutABackupOrWhileTheInstanceIsBeingChanged) {
  ProofCandidate none = Candidate("a", days(30), days(20));
  none.asked = kNow;
  none.has_backup = false;
  EXPECT_FALSE(NextProof({none}, kWeek, kNow));
  none.has_backup = true;
  none.is_at_rest = false;
  EXPECT_FALSE(NextProof({none}, kWeek, kNow));
}

TEST(ProofTest, WhoWasAskedForComesFirstThenWhoHasWaitedLongest) {
  const ProofCandidate longest = Candidate("longest", days(90), days(20));
  const ProofCandidate shorter = Candidate("shorter", days(90), days(10));
  ProofCandidate asked = Candidate("asked", days(90), days(1));
  asked.asked = kNow;
  EXPECT_EQ(NextProof({shorter, longest, asked}, kWeek, kNow), InstanceId("asked"));
  EXPECT_EQ(NextProof({shorter, longest}, kWeek, kNow), InstanceId("longest"));
}

TEST(ProofTest, ACopyMustLeaveRoomForWhatIsThere) {
  constexpr std::uint64_t kGib = 1ULL << 30;
  EXPECT_TRUE(HasRoomForProof(12 * kGib, 8 * kGib));
  EXPECT_FALSE(HasRoomForProof(10 * kGib, 8 * kGib));
  EXPECT_FALSE(HasRoomForProof(1 * kGib, 0));
}

TEST(ProofTest, AProofIsReadBack) {
  const Proof proof{.instance = InstanceId("db-1"),
                    .node = NodeId("n-1"),
                    .leaving = true,
                    .now = {.backup = "b-1", .begun = kNow},
                    .give_up = kNow,
                    .last = {.backup = "b-0", .finished = kNow, .failure = "why", .pages = 4},
                    .asked = kNow,
                    .waits = "room"};
  EXPECT_EQ(*ParseProof(Format(proof)), proof);
}

}  // namespace

}  // namespace howdah::fleet
