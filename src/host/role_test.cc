// Protects: what an agent does next, case by case, and the rules over every combination of wishes
// and facts.
#include "host/role.h"

#include <gtest/gtest.h>

#include <functional>

namespace howdah::host {
namespace {

using nodes::Desired;
using nodes::Power;
using nodes::Role;

Desired Want(Role role, std::int64_t epoch = 2) {
  Desired want;
  want.role = role;
  want.epoch = epoch;
  return want;
}

Facts Of(Directory directory, Server server, std::int64_t promised = 2) {
  return {.promised = promised,
          .directory = directory,
          .had_data = directory != Directory::kNone,
          .server = server,
          .processes = server != Server::kNone};
}

// Every wish and every set of facts that differ in what is decided on.
void ForAll(const std::function<void(const Desired&, const Facts&)>& check) {
  for (const Role role : {Role::kPrimary, Role::kStandby, Role::kRecruit, Role::kFenced}) {
    for (const Power power : {Power::kRunning, Power::kStopped, Power::kAbsent}) {
      for (const std::int64_t epoch : {1, 2, 3}) {
        for (unsigned bits = 0; bits < 1U << 3U; ++bits) {
          Desired want = Want(role, epoch);
          want.power = power;
          want.waits_for = (bits & 1U) != 0 ? "hd_2_x" : "";
          want.revive = (bits & 2U) != 0 ? 1 : 0;
          want.restarts = (bits & 4U) != 0 ? 1 : 0;
          for (const Directory directory :
               {Directory::kNone, Directory::kPrimary, Directory::kStandby, Directory::kRestoring,
                Directory::kRejoining}) {
            for (const Server server :
                 {Server::kNone, Server::kStarting, Server::kRecovery, Server::kReadWrite}) {
              for (unsigned more = 0; more < 1U << 7U; ++more) {
                Facts facts = Of(directory, server);
                facts.had_data = (more & 1U) != 0;
                facts.processes = server != Server::kNone || (more & 2U) != 0;
                facts.ended = (more & 4U) != 0;
                facts.has_source = (more & 8U) != 0;
                facts.receives = (more & 16U) != 0;
                facts.replayed_all = (more & 32U) != 0;
                facts.promoting = (more & 64U) != 0;
                check(want, facts);
              }
            }
          }
        }
      }
    }
  }
}

bool Starts(Act act) {
  return act == Act::kStart || act == Act::kStartAlone;
}

bool ChangesData(Act act) {
  return act == Act::kCreate || act == Act::kCopy || act == Act::kRejoin;
}

TEST(NextAct, ADocumentOlderThanThePromiseIsNeverObeyed) {
  ForAll([](const Desired& want, const Facts& facts) {
    EXPECT_EQ(NextAct(want, facts) == Act::kDisobey, want.epoch < facts.promised);
  });
}

TEST(NextAct, NothingIsDoneUnderANewerEpochBeforeItIsPromised) {
  ForAll([](const Desired& want, const Facts& facts) {
    if (want.epoch <= facts.promised || want.power == Power::kAbsent) return;
    EXPECT_EQ(NextAct(want, facts), Act::kPromise);
  });
}

TEST(NextAct, NothingRunsOfAFencedNode) {
  ForAll([](const Desired& want, const Facts& facts) {
    if (want.role != Role::kFenced || want.epoch != 2 || want.power == Power::kAbsent) return;
    EXPECT_EQ(NextAct(want, facts), facts.processes ? Act::kKill : Act::kStayFenced);
  });
}

TEST(NextAct, ServersStartOnlyOnWholeDirectoriesAndOnlyOne) {
  ForAll([](const Desired& want, const Facts& facts) {
    const Act act = NextAct(want, facts);
    if (!Starts(act)) return;
    EXPECT_EQ(facts.server, Server::kNone);
    EXPECT_EQ(want.power, Power::kRunning);
    EXPECT_TRUE(facts.directory == Directory::kPrimary || facts.directory == Directory::kStandby);
    // A primary's directory is started for the primary of the record alone (I7).
    if (facts.directory == Directory::kPrimary) EXPECT_EQ(want.role, Role::kPrimary);
    if (act == Act::kStartAlone) EXPECT_EQ(facts.directory, Directory::kStandby);
    // A standby's directory that is to be a primary's is never started as one (I17).
    if (facts.directory == Directory::kStandby && want.role != Role::kStandby) {
      EXPECT_EQ(act, Act::kStartAlone);
    }
  });
}

TEST(NextAct, PromotionIsOnlyForAPrimaryThatFollowsNobody) {
  ForAll([](const Desired& want, const Facts& facts) {
    if (NextAct(want, facts) != Act::kPromote) return;
    EXPECT_EQ(want.role, Role::kPrimary);
    EXPECT_EQ(facts.directory, Directory::kStandby);
    EXPECT_EQ(facts.server, Server::kRecovery);
    EXPECT_FALSE(facts.has_source);
    EXPECT_FALSE(facts.receives);
  });
}

TEST(NextAct, NothingIsPutInThePlaceOfData) {
  ForAll([](const Desired& want, const Facts& facts) {
    const Act act = NextAct(want, facts);
    if (act == Act::kCreate) {
      EXPECT_EQ(want.role, Role::kPrimary);
      EXPECT_FALSE(facts.had_data);
      EXPECT_EQ(facts.directory, Directory::kNone);
    }
    if (act == Act::kCopy) EXPECT_EQ(facts.directory, Directory::kNone);
    if (ChangesData(act) && act != Act::kCreate) EXPECT_EQ(want.role, Role::kStandby);
    if (act == Act::kRejoin) EXPECT_FALSE(facts.processes);
  });
}

TEST(NextAct, ARecruitIsReportedOnlyWhenNothingReceivesAndAllIsReplayed) {
  ForAll([](const Desired& want, const Facts& facts) {
    if (NextAct(want, facts) != Act::kStayRecruited) return;
    EXPECT_EQ(want.role, Role::kRecruit);
    EXPECT_EQ(facts.server, Server::kRecovery);
    EXPECT_FALSE(facts.has_source || facts.receives);
    EXPECT_TRUE(facts.replayed_all);
  });
}

TEST(NextAct, AServerThatEndedWhileCommitsWaitedIsNotStartedUnasked) {
  Desired want = Want(Role::kPrimary);
  want.waits_for = "hd_2_x";
  Facts facts = Of(Directory::kPrimary, Server::kNone);
  EXPECT_EQ(NextAct(want, facts), Act::kStart) << "a fresh keeper starts what it finds";
  facts.ended = true;
  EXPECT_EQ(NextAct(want, facts), Act::kStayDown);
  want.revive = 1;
  EXPECT_EQ(NextAct(want, facts), Act::kStart);
  facts.revived = 1;
  EXPECT_EQ(NextAct(want, facts), Act::kStayDown) << "one number, one start";
  want.waits_for.clear();
  EXPECT_EQ(NextAct(want, facts), Act::kStart) << "nobody else could go on";
}

TEST(NextAct, ARecruitLeavesReplaysAndIsPromoted) {
  Facts facts = Of(Directory::kStandby, Server::kRecovery);
  facts.has_source = facts.receives = true;
  EXPECT_EQ(NextAct(Want(Role::kRecruit), facts), Act::kLeave);
  facts.has_source = false;
  EXPECT_EQ(NextAct(Want(Role::kRecruit), facts), Act::kLeave) << "until the receiver is gone";
  facts.receives = false;
  EXPECT_EQ(NextAct(Want(Role::kRecruit), facts), Act::kAwaitReplay);
  facts.replayed_all = true;
  EXPECT_EQ(NextAct(Want(Role::kRecruit), facts), Act::kStayRecruited);
  EXPECT_EQ(NextAct(Want(Role::kPrimary), facts), Act::kPromote);
  facts.promoting = true;
  EXPECT_EQ(NextAct(Want(Role::kPrimary), facts), Act::kAwait);
  facts.server = Server::kReadWrite;
  EXPECT_EQ(NextAct(Want(Role::kPrimary), facts), Act::kServe);
}

TEST(NextAct, ARecruitWithoutAServerIsStartedAsAStandbyAlone) {
  const Facts facts = Of(Directory::kStandby, Server::kNone);
  EXPECT_EQ(NextAct(Want(Role::kRecruit), facts), Act::kStartAlone);
  EXPECT_EQ(NextAct(Want(Role::kPrimary), facts), Act::kStartAlone);
}

TEST(NextAct, AFormerPrimaryBecomesAStandbyByRejoining) {
  EXPECT_EQ(NextAct(Want(Role::kStandby), Of(Directory::kPrimary, Server::kReadWrite)), Act::kKill);
  EXPECT_EQ(NextAct(Want(Role::kStandby), Of(Directory::kPrimary, Server::kNone)), Act::kRejoin);
  EXPECT_EQ(NextAct(Want(Role::kStandby), Of(Directory::kRejoining, Server::kNone)), Act::kRejoin);
  EXPECT_EQ(NextAct(Want(Role::kStandby), Of(Directory::kStandby, Server::kNone)), Act::kStart);
  EXPECT_EQ(NextAct(Want(Role::kStandby), Of(Directory::kStandby, Server::kRecovery)),
            Act::kFollow);
}

TEST(NextAct, RestartsAreForServersThatRun) {
  Desired want = Want(Role::kPrimary);
  want.restarts = 1;
  EXPECT_EQ(NextAct(want, Of(Directory::kPrimary, Server::kReadWrite)), Act::kRestart);
  EXPECT_EQ(NextAct(want, Of(Directory::kPrimary, Server::kNone)), Act::kStart);
}

TEST(NextAct, ARestoreIsPutOnlyWhereNothingWasAndEndsWithItsRecovery) {
  Desired want = Want(Role::kPrimary, 1);
  want.restore.source = InstanceId("db-A");
  EXPECT_EQ(NextAct(want, Of(Directory::kNone, Server::kNone, 1)), Act::kRestore);
  EXPECT_EQ(NextAct(want, Of(Directory::kRestoring, Server::kNone, 1)), Act::kRestore);
  EXPECT_EQ(NextAct(want, Of(Directory::kRestoring, Server::kStarting, 1)), Act::kAwaitRestore);
  EXPECT_EQ(NextAct(want, Of(Directory::kRestoring, Server::kRecovery, 1)), Act::kAwaitRestore);
  EXPECT_EQ(NextAct(want, Of(Directory::kRestoring, Server::kReadWrite, 1)), Act::kEndRestore);
  EXPECT_EQ(NextAct(want, Of(Directory::kPrimary, Server::kReadWrite, 1)), Act::kServe);
  Facts gone = Of(Directory::kNone, Server::kNone, 1);
  gone.had_data = true;
  EXPECT_EQ(NextAct(want, gone), Act::kRefuse);
}

TEST(NextAct, EveryActHasAName) {
  for (int act = 0; act <= static_cast<int>(Act::kRefuse); ++act) {
    EXPECT_NE(ActName(static_cast<Act>(act)), "unknown");
  }
}

}  // namespace
}  // namespace howdah::host
