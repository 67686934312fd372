// Feels a primary's pulse on a thread of its own, so that a frozen server delays nothing else:
// every second one heartbeat (postgres/heartbeat.h), for as long as there is a standby to fail over
// to. It only reports; what follows is the control plane's to decide.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "postgres/connection.h"
#include "system/clock.h"
#include "system/processes.h"

namespace howdah::host {

class Pulse {
 public:
  struct Report {
    std::string failing;        // what fails; empty: nothing
    std::int64_t failing_ms{};  // since the first heartbeat that failed began
  };

  // `on_change`: another thing fails than before, or nothing any more; called on this thread.
  Pulse(const system::Clock& clock, std::function<void()> on_change)
      : clock_(clock), on_change_(std::move(on_change)) {}

  void Start();
  // Feels this server's pulse from now on.
  void Follow(const system::ProcessIdentity& server, const postgres::ConnectOptions& options);
  void Rest();
  Report Read() const;

 private:
  struct Target {
    system::ProcessIdentity server;
    postgres::ConnectOptions options;
  };
  void Run(std::stop_token stop);
  void Note(const system::ProcessIdentity& server, MonotonicTime began, std::string_view failing);

  const system::Clock& clock_;
  const std::function<void()> on_change_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::optional<Target> target_;
  std::string failing_;
  MonotonicTime since_{};
  std::jthread thread_;  // last: stops first
};

}  // namespace howdah::host
