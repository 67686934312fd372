#include "fleet/ha_sight.h"

namespace howdah::fleet {

namespace {

using nodes::State;

// A commit that only waits for its standby says nothing against the primary.
constexpr std::string_view kStandbysFault = "commit: the standby";

bool IsUnresponsive(const nodes::Observed& observed) {
  return observed.state == State::kRunning && !observed.unresponsive.empty() &&
         !observed.unresponsive.starts_with(kStandbysFault);
}

ha::NodeSight SightOf(const nodes::Observed& observed) {
  return {.epoch = observed.epoch,
          .seeded = observed.seeded,
          .up = observed.state == State::kRunning,
          .in_recovery = observed.in_recovery,
          .down = observed.state == State::kDown,
          .failed = observed.state == State::kFailed,
          .stopped = observed.state == State::kStopped,
          .fenced = observed.state == State::kFenced,
          .recruited = observed.recruited,
          .received_lsn = observed.received_lsn,
          .shutdown_lsn = observed.shutdown_lsn,
          .revive = observed.revive,
          .checkpoint = observed.checkpoint,
          .effective_token = observed.effective_token,
          .streaming_token = observed.streaming_token,
          .proven_token = observed.proven_token,
          .unresponsive_since = std::nullopt,
          .starting_since = std::nullopt,
          .evidence = IsUnresponsive(observed) ? observed.unresponsive : observed.detail};
}

// Begins, keeps or ends a count. `for_ms`: how long it had been so when it was reported.
void Count(std::optional<MonotonicTime>& since, bool is_so, MonotonicTime now,
           std::int64_t for_ms = 0) {
  if (!is_so) {
    since.reset();
  } else if (!since) {
    since = now - std::chrono::milliseconds(for_ms);
  }
}

}  // namespace

ha::Sight Sights::Look(const Context& context, const InstanceId& id, const ha::Record& record,
                       const Reports& reports) {
  ha::Sight sight;
  sight.now = context.clock.Monotonic();
  sight.primary = SightOf(reports.primary);
  sight.standby = SightOf(reports.standby);
  if (reports.route) sight.route_epoch = reports.route->epoch;
  sight.fresh_nonce = system::RandomHex(context.entropy, 16);

  Since& since = since_[id];
  if (since.epoch != record.epoch) since = {.epoch = record.epoch};
  const bool serves = sight.primary.up && !sight.primary.in_recovery;
  Count(since.silent, serves && sight.primary.streaming_token != record.token, sight.now,
        reports.primary.silent_ms);
  Count(since.unresponsive, IsUnresponsive(reports.primary), sight.now,
        reports.primary.unresponsive_ms);
  Count(since.starting, reports.primary.state == State::kStarting, sight.now);
  Count(since.failing_over, record.phase == ha::Phase::kFailover, sight.now);
  sight.phase_since = since.failing_over;
  sight.silent_since = since.silent;
  sight.primary.unresponsive_since = since.unresponsive;
  sight.primary.starting_since = since.starting;
  const bool waits = since.silent || since.unresponsive || since.starting || since.failing_over;
  if (!waits) Forget(id);
  return sight;
}

std::vector<InstanceId> Sights::Waiting() const {
  std::vector<InstanceId> waiting;
  for (const auto& [id, since] : since_) waiting.push_back(id);
  return waiting;
}

}  // namespace howdah::fleet
