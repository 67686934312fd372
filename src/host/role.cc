#include "host/role.h"

namespace howdah::host {

namespace {

using nodes::Power;
using nodes::Role;

bool Answers(const Facts& facts) {
  return facts.server == Server::kRecovery || facts.server == Server::kReadWrite;
}

// A standby that is to follow nobody, whether for good (recruit) or on its way to promotion. What
// has to be true first; kStayRecruited when nothing is missing.
Act NextAlone(const Facts& facts) {
  if (facts.server == Server::kNone) return Act::kStartAlone;
  if (facts.has_source) return Act::kLeave;  // also while it starts: it is read from the disk
  if (facts.server == Server::kStarting) return Act::kAwait;
  if (facts.receives) return Act::kLeave;
  return facts.replayed_all ? Act::kStayRecruited : Act::kAwaitReplay;
}

Act NextOfRecruit(const Facts& facts) {
  // Without standby.signal a start would end recovery on the old timeline (I17).
  if (facts.directory != Directory::kStandby) return Act::kRefuse;
  if (facts.server == Server::kReadWrite) return Act::kRefuse;
  return NextAlone(facts);
}

// A recruited standby on its way to being the primary.
Act NextOfPromotion(const Facts& facts) {
  if (facts.server == Server::kReadWrite) return Act::kServe;
  if (facts.promoting && facts.server == Server::kRecovery) return Act::kAwait;
  const Act next = NextAlone(facts);
  // The promotion replays what is left.
  const bool is_alone = next == Act::kStayRecruited || next == Act::kAwaitReplay;
  return is_alone ? Act::kPromote : next;
}

Act NextOfPrimary(const nodes::Desired& want, const Facts& facts) {
  switch (facts.directory) {
    case Directory::kNone:
      // Only the first node of an instance begins empty (H16).
      if (want.epoch != 1 || facts.had_data) return Act::kRefuse;
      return want.restore.source.empty() ? Act::kCreate : Act::kRestore;
    case Directory::kRestoring:
      if (facts.server == Server::kNone) return Act::kRestore;
      return facts.server == Server::kReadWrite ? Act::kEndRestore : Act::kAwaitRestore;
    case Directory::kRejoining:
      return Act::kRefuse;
    case Directory::kStandby:
      return NextOfPromotion(facts);
    case Directory::kPrimary:
      break;
  }
  if (facts.server == Server::kNone) {
    const bool asks = facts.ended && !want.waits_for.empty() && want.revive <= facts.revived;
    return asks ? Act::kStayDown : Act::kStart;
  }
  if (want.restarts > facts.restarts) return Act::kRestart;
  return facts.server == Server::kReadWrite ? Act::kServe : Act::kAwait;
}

Act NextOfStandby(const nodes::Desired& want, const Facts& facts) {
  if (facts.directory == Directory::kNone) return Act::kCopy;
  if (facts.directory == Directory::kRestoring) return Act::kRefuse;  // it was never a member
  if (facts.directory != Directory::kStandby) return facts.processes ? Act::kKill : Act::kRejoin;
  if (facts.server == Server::kReadWrite) return Act::kKill;  // I7: it is nobody's primary
  if (facts.server == Server::kNone) return Act::kStart;
  if (want.restarts > facts.restarts) return Act::kRestart;
  return Answers(facts) ? Act::kFollow : Act::kAwait;
}

}  // namespace

Act NextAct(const nodes::Desired& want, const Facts& facts) {
  if (want.epoch < facts.promised) return Act::kDisobey;
  if (want.power == Power::kAbsent) return Act::kRemove;
  if (want.epoch > facts.promised) return Act::kPromise;
  if (want.role == Role::kFenced) return facts.processes ? Act::kKill : Act::kStayFenced;
  if (want.power == Power::kStopped) return facts.processes ? Act::kStop : Act::kStayStopped;
  switch (want.role) {
    case Role::kRecruit:
      return NextOfRecruit(facts);
    case Role::kPrimary:
      return NextOfPrimary(want, facts);
    case Role::kStandby:
      return NextOfStandby(want, facts);
    case Role::kFenced:
      break;
  }
  return Act::kRefuse;
}

std::string_view ActName(Act act) {
  switch (act) {
    case Act::kDisobey:
      return "disobey";
    case Act::kPromise:
      return "promise";
    case Act::kRemove:
      return "remove";
    case Act::kKill:
      return "kill";
    case Act::kStayFenced:
      return "stay fenced";
    case Act::kStop:
      return "stop";
    case Act::kStayStopped:
      return "stay stopped";
    case Act::kCreate:
      return "create";
    case Act::kRestore:
      return "restore";
    case Act::kAwaitRestore:
      return "await restore";
    case Act::kEndRestore:
      return "end restore";
    case Act::kCopy:
      return "copy";
    case Act::kRejoin:
      return "rejoin";
    case Act::kStart:
      return "start";
    case Act::kStartAlone:
      return "start alone";
    case Act::kRestart:
      return "restart";
    case Act::kAwait:
      return "await";
    case Act::kStayDown:
      return "stay down";
    case Act::kLeave:
      return "leave";
    case Act::kAwaitReplay:
      return "await replay";
    case Act::kStayRecruited:
      return "stay recruited";
    case Act::kPromote:
      return "promote";
    case Act::kServe:
      return "serve";
    case Act::kFollow:
      return "follow";
    case Act::kRefuse:
      return "refuse";
  }
  return "unknown";
}

}  // namespace howdah::host
