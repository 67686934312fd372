// Reads the times of commits from a stream of WAL, wherever it begins and however it is cut: a
// restore to a point in time must know beforehand whether a commit lies after it. Pure; PostgreSQL
// 14 to 18. Records are followed by their lengths; checksums are not verified, for the bytes come
// from a server or are authenticated already. Where something does not fit, the next page that
// says where its first record begins is the new start. Faces the wire and files: see
// tests/fuzz/fuzz_commit_scan.cc.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "postgres/lsn.h"

namespace howdah::archive {

class CommitScanner {
 public:
  // The bytes from `at` on. Where they do not follow on the ones before, reading begins anew.
  void Feed(postgres::Lsn at, std::string_view bytes);
  // The newest time in a COMMIT or COMMIT PREPARED record whose last byte has come since the call
  // before; none: there was no such record.
  std::optional<WallTime> TakeNewest();
  // It knows where records begin; before, commits may pass unseen.
  bool IsInStep() const { return state_ != State::kLost; }

 private:
  enum class State {
    kLost,     // waits for a page that says where a record begins
    kBetween,  // at the padding before a record, or at its first byte
    kRecord,   // inside one
    kIdle,     // the rest of the segment is empty
  };

  std::size_t FeedHeader(std::string_view bytes);
  void OnPageHeader();
  std::size_t FeedBody(std::string_view bytes);
  std::size_t FeedRecord(std::string_view bytes);
  bool BeginRecord();
  void EndRecord();
  void Lose() { state_ = State::kLost; }

  State state_ = State::kLost;
  std::uint64_t at_ = 0;
  std::string header_;  // of the page that begins
  bool in_header_ = false;
  std::uint64_t skip_ = 0;  // kBetween: bytes of a record whose beginning was not seen
  std::string head_;        // of the record: as much as tells its time
  std::uint64_t record_at_ = 0;
  std::uint64_t rest_ = 0;      // of the record, still to come; 0: its length is not known yet
  std::uint64_t previous_ = 0;  // where the record before began; 0: not known
  std::optional<WallTime> newest_;
};

}  // namespace howdah::archive
