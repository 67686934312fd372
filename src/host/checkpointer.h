// Runs CHECKPOINT beside the keeper: it may take minutes, and nothing waits for it but who asked.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "host/interrupt.h"
#include "postgres/connection.h"
#include "system/clock.h"

namespace howdah::host {

class Checkpointer {
 public:
  // `on_done`: one has ended, well or not; called on a thread of its own.
  Checkpointer(const system::Clock& clock, std::function<void()> on_done)
      : clock_(clock), on_done_(std::move(on_done)) {}
  ~Checkpointer() { interrupt_.Raise(); }

  bool IsBusy() const;
  // One CHECKPOINT under that number; nothing while one runs.
  void Ask(const postgres::ConnectOptions& options, std::int64_t number);
  // The number of one that was done since the last call.
  std::optional<std::int64_t> TakeDone();

 private:
  void Run(const postgres::ConnectOptions& options, std::int64_t number);

  const system::Clock& clock_;
  const std::function<void()> on_done_;
  Interrupt interrupt_;  // raised at the end only
  mutable std::mutex mutex_;
  bool busy_ = false;
  std::optional<std::int64_t> done_;
  std::jthread thread_;
};

}  // namespace howdah::host
