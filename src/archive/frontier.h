// Up to when everything is known to be in the WAL, from what a WAL sender says. Pure, and honest:
// "every commit that anybody was told of up to `time` is before `lsn`".
//
// A sender stamps each message with its clock, after it has looked how far the server has flushed;
// so what a message says about that holds for the stamp of the message before. A keepalive tells
// what was sent, not what was flushed; but between two answers to two questions of ours the sender
// has looked for more, so where two say the same place, all that was flushed at the first one's
// stamp had been sent.
#pragma once

#include <deque>
#include <optional>

#include "base/time.h"
#include "postgres/lsn.h"

namespace howdah::archive {

class Frontier {
 public:
  // WAL came: the server had flushed up to `flushed` when it was sent.
  void OnWal(postgres::Lsn flushed, WallTime stamp);
  // An answer to our own question.
  void OnAnswer(postgres::Lsn sent, WallTime stamp);
  // Another connection, or another timeline: what was said before it does not follow on.
  void Restart();

  // Up to when all is before `lsn`; none: not known.
  std::optional<WallTime> UntilAt(postgres::Lsn lsn);

 private:
  struct Known {
    postgres::Lsn lsn;
    WallTime time;
  };
  void Note(postgres::Lsn lsn, WallTime time);
  void Thin();

  std::deque<Known> known_;  // both rise
  Duration spacing_{};       // between two of them
  std::optional<WallTime> last_stamp_;
  std::optional<Known> last_answer_;
};

}  // namespace howdah::archive
