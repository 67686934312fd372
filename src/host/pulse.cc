#include "host/pulse.h"

#include "postgres/heartbeat.h"

namespace howdah::host {

namespace {

constexpr Duration kInterval = 1s;
constexpr Duration kLimit = 1500ms;

}  // namespace

void Pulse::Start() {
  thread_ = std::jthread([this](std::stop_token stop) { Run(stop); });
}

void Pulse::Follow(const system::ProcessIdentity& server, const postgres::ConnectOptions& options) {
  const std::lock_guard lock(mutex_);
  if (target_ && target_->server == server) return;
  target_ = Target{.server = server, .options = options};
  // A keeper's interrupt is for the keeper: a heartbeat is short, and its own evidence.
  target_->options.interrupt = -1;
  failing_.clear();
  changed_.notify_all();
}

void Pulse::Rest() {
  const std::lock_guard lock(mutex_);
  if (!target_) return;
  target_.reset();
  failing_.clear();
  changed_.notify_all();
}

Pulse::Report Pulse::Read() const {
  const std::lock_guard lock(mutex_);
  if (failing_.empty()) return {};
  const Duration since = clock_.Monotonic() - since_;
  return {.failing = failing_,
          .failing_ms = std::chrono::duration_cast<std::chrono::milliseconds>(since).count()};
}

void Pulse::Run(std::stop_token stop) {
  std::optional<Target> target;
  std::optional<postgres::Heartbeat> heartbeat;
  while (!stop.stop_requested()) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, stop, [this] { return target_.has_value(); });
      if (!target_) continue;
      if (!target || target->server != target_->server) heartbeat.reset();
      target = target_;
    }
    if (!heartbeat) heartbeat.emplace(target->options, clock_);
    const MonotonicTime began = clock_.Monotonic();
    Note(target->server, began, heartbeat->Beat(kLimit));
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, stop, kInterval - (clock_.Monotonic() - began),
                      [&] { return !target_ || target_->server != target->server; });
    if (!target_) heartbeat.reset();  // whatever waits is let go, never cancelled
  }
}

void Pulse::Note(const system::ProcessIdentity& server, MonotonicTime began,
                 std::string_view failing) {
  {
    const std::lock_guard lock(mutex_);
    if (!target_ || target_->server != server || failing_ == failing) return;
    if (failing_.empty()) since_ = began;
    failing_ = failing;
  }
  on_change_();
}

}  // namespace howdah::host
