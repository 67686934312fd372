// Streams WAL from a server over the replication protocol into a sink: from an LSN of a timeline,
// over switches of timelines (a history file first, then its timeline), until it is stopped, has
// what was asked for, or fails. It confirms to the server only what the sink says is durable.
// Blocking; one caller; any thread.
#pragma once

#include <atomic>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "postgres/connection.h"
#include "postgres/lsn.h"
#include "postgres/timeline.h"

namespace howdah::archive {

// Where the WAL goes. Called on the receiver's thread; an error ends the run with that error.
class WalSink {
 public:
  virtual ~WalSink() = default;
  // Before any WAL of that timeline. `text`: the history file, byte for byte.
  virtual Result<> OnHistory(postgres::Timeline timeline, std::string_view text) = 0;
  // In order, without holes. `flushed`: how far the server had flushed; `stamp`: its clock, after
  // that. On a timeline that the server has left, `flushed` is where it was left.
  virtual Result<> OnWal(postgres::Timeline timeline, postgres::Lsn start, std::string_view bytes,
                         postgres::Lsn flushed, WallTime stamp) = 0;
  // The server answers a question of ours: it has sent up to `sent`. There is one question at a
  // time.
  virtual Result<> OnAnswer(postgres::Lsn sent, WallTime stamp) {
    (void)sent, (void)stamp;
    return {};
  }
  // The server asks at once: when it stops, it waits until all it sent has been confirmed. False:
  // that cannot be soon, so it shall not wait.
  virtual bool OnHurry() { return true; }
  // What may be confirmed; 0: nothing yet.
  virtual postgres::Lsn Durable() = 0;
  // False: nothing more is read from the server for now (after a wait of at most `limit`).
  virtual bool AwaitRoom(Duration limit) {
    (void)limit;
    return true;
  }
};

struct ReceiverOptions {
  std::string socket_dir;
  std::string password;  // of rdsrepladmin
  std::string application_name = "howdah-wal";
  std::string slot_name;                                 // which must be there; empty: none
  int interrupt = -1;                                    // readable: the run ends with kUnavailable
  Duration question_interval = std::chrono::seconds(1);  // how often an idle server is asked
};

class WalReceiver {
 public:
  // They outlive it.
  WalReceiver(ReceiverOptions options, WalSink& sink, const system::Clock& clock)
      : options_(std::move(options)), sink_(sink), clock_(clock) {}

  // Ends well once the WAL before Stop() is in the sink. kNotFound: the server no longer has the
  // WAL asked for; kFailedState: the slot was given up; kInUse: somebody else streams with the
  // slot; kUnavailable: interrupted, or the server is gone or stopped.
  Result<> Run(postgres::Timeline timeline, postgres::Lsn start);
  // From any thread, also while it runs: WAL from `stop` on is not wanted.
  void Stop(postgres::Lsn stop) { stop_ = stop.value(); }
  // How far the sink has been given WAL. Any thread.
  postgres::Lsn Received() const { return postgres::Lsn(received_); }

 private:
  friend class WalStream;

  ReceiverOptions options_;
  WalSink& sink_;
  const system::Clock& clock_;
  std::atomic<std::uint64_t> stop_{~0ULL};
  std::atomic<std::uint64_t> received_{0};
};

}  // namespace howdah::archive
