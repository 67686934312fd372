// What was received and is not in the repository yet: the receiver fills it, the writer empties it.
// WAL is taken in groups that reach no farther than a segment's end; an open group is taken once it
// is old enough, or at once when the server hurries. Safe from any thread.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <variant>

#include "archive/commit_scan.h"
#include "archive/frontier.h"
#include "archive/receiver.h"
#include "system/clock.h"

namespace howdah::archive {

struct WalGroup {
  postgres::Timeline timeline{};
  postgres::Lsn start;
  std::string bytes;
  std::optional<WallTime> until, commit;  // as in a Range

  postgres::Lsn end() const { return postgres::Lsn(start.value() + bytes.size()); }
};

struct HistoryFile {
  postgres::Timeline timeline{};
  std::string text;
};

using QueueItem = std::variant<WalGroup, HistoryFile>;

class WalQueue final : public WalSink {
 public:
  static constexpr std::size_t kMostBytes = 32 << 20;

  // `group_age`: how old an open group may become.
  WalQueue(const system::Clock& clock, Duration group_age) : clock_(clock), group_age_(group_age) {}

  // --- the session's side ---
  // The WAL that comes is wanted from `from` on; what comes before that is only scanned. Up to
  // `durable`, on `timeline`, the repository has it already; where that is from somebody else, the
  // first group replaces it in one piece. `server`: the timeline that it writes, and how far it has
  // flushed.
  void Begin(postgres::Lsn from, postgres::Lsn durable, postgres::Timeline timeline,
             const postgres::PrimaryHistory& server);
  // Nothing is on its way to the repository. False: stopped.
  bool AwaitEmpty(std::stop_token stop);
  // Nothing more comes until the next Begin().
  void End();

  Result<> OnHistory(postgres::Timeline timeline, std::string_view text) override;
  Result<> OnWal(postgres::Timeline timeline, postgres::Lsn start, std::string_view bytes,
                 postgres::Lsn flushed, WallTime stamp) override;
  Result<> OnAnswer(postgres::Lsn sent, WallTime stamp) override;
  bool OnHurry() override;
  postgres::Lsn Durable() override;
  bool AwaitRoom(Duration limit) override;

  // --- the writer's side ---
  // The next item, which counts as on its way until OnWritten(); nothing: `limit` passed.
  std::optional<QueueItem> Take(std::stop_token stop, Duration limit);
  void OnWritten(const QueueItem& item);

  // --- both ---
  struct State {
    postgres::Timeline timeline{};
    postgres::Lsn durable, flushed;
    std::optional<WallTime> until;  // at `durable`
    bool is_empty = true;
    bool is_streaming = false;  // something came since Begin()
  };
  State Read();

 private:
  void Append(postgres::Timeline timeline, postgres::Lsn start, std::string_view bytes);
  void CloseGroup();
  bool IsTakeable();
  bool IsEmpty() const { return items_.empty() && !open_ && !is_writing_; }

  const system::Clock& clock_;
  const Duration group_age_;

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<QueueItem> items_;
  std::optional<WalGroup> open_;
  MonotonicTime opened_;
  bool is_writing_ = false;
  bool is_streaming_ = false;
  std::optional<MonotonicTime> hurries_since_;
  std::size_t bytes_ = 0;  // of all items, also the one that is being written
  postgres::Lsn from_, durable_, flushed_;
  postgres::Timeline timeline_{}, current_{};
  std::optional<WallTime> until_;
  CommitScanner scanner_;
  Frontier frontier_;
};

}  // namespace howdah::archive
