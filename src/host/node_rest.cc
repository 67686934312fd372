// What the keeper does where nothing is to run: a node that leaves, one that is fenced, stopped, or
// whose server ended and is not its agent's to bring back.
#include <fmt/format.h>

#include <sstream>

#include "host/node_keeper.h"

namespace howdah::host {

namespace {

constexpr Duration kFenceLimit = 20s;
constexpr Duration kLoginsLimit = 500ms;
constexpr Duration kCalm = 2s;
constexpr Duration kAsleep = 30s;  // only a wish wakes it, and looking costs

// The last line that says why, else the last one.
std::string LastReason(const std::string& words) {
  constexpr std::size_t kMost = 300;
  std::istringstream lines(words);
  std::string reason;
  bool is_fatal = false;
  for (std::string line; std::getline(lines, line);) {
    const bool fatal =
        line.find("PANIC:") != std::string::npos || line.find("FATAL:") != std::string::npos;
    if (line.empty() || (is_fatal && !fatal)) continue;
    is_fatal = fatal;
    reason = line.substr(0, kMost);
  }
  return reason;
}

// First of all whether its storage failed: then the copy on another disk is the better one (H23).
// A postmaster that was killed says nothing itself, but its orphans do.
std::string WhyItEnded(const std::string& words) {
  const std::string reason = LastReason(words);
  for (const char* sign : {"could not fsync", "could not write", "Input/output error"}) {
    if (words.find(sign) == std::string::npos) continue;
    return fmt::format("the server ended, its storage failed ({}): {}", sign, reason);
  }
  if (words.find("unexpected postmaster exit") != std::string::npos) {
    return "the server ended: its postmaster was killed or died without a word";
  }
  return reason.empty() ? "the server ended" : "the server ended: " + reason;
}

std::int64_t ShutdownLsn(postgres::Node& node) {
  const Result<postgres::Lsn> end = node.ReadShutdownEnd();
  return end ? static_cast<std::int64_t>(end->value()) : 0;
}

}  // namespace

void NodeKeeper::ForgetWhatWasSeen() {
  admin_.reset();
  seen_.reset();
  sessions_ = 0;
  answered_ = false;
  promoting_ = false;
  left_told_ = false;
  observed_.pid = 0;
  observed_.in_recovery = false;
  observed_.recruited = false;
  observed_.streaming_token.clear();
  observed_.silent_ms = 0;
  observed_.proven_token.clear();
  observed_.effective_token.clear();
}

void NodeKeeper::ForgetServer() {
  pulse_.Rest();
  ForgetWhatWasSeen();
  WatchServer(std::nullopt);
  server_.reset();
  ended_ = false;
}

NodeKeeper::Again NodeKeeper::Remove(postgres::Node& node) {
  storage_.Rest();
  Fit(false);
  ForgetServer();
  TRY(node.Fence(kFenceLimit));
  TRY(node.Remove());
  TRY(needs_.disk.RemoveTree(node.paths().socket_dir));
  promised_ = 0;
  observed_ = {.state = nodes::State::kAbsent};
  return kCalm;
}

// First it is dead, then everybody hears of it: nobody who waits is kept waiting for the gateway.
NodeKeeper::Again NodeKeeper::Kill(postgres::Node& node) {
  ForgetServer();
  TRY(node.Fence(kFenceLimit));
  return std::nullopt;
}

NodeKeeper::Again NodeKeeper::StayFenced(postgres::Node& node) {
  storage_.Rest();
  ForgetServer();
  if (observed_.state != nodes::State::kFenced) {
    needs_.log.Info("node {}: fenced at epoch {}", id_.str(), observed_.epoch);
  }
  observed_.state = nodes::State::kFenced;
  observed_.detail.clear();
  observed_.shutdown_lsn = ShutdownLsn(node);
  Publish();
  Fit(false);
  return kAsleep;
}

NodeKeeper::Again NodeKeeper::Stop(const nodes::Desired& want, postgres::Node& node,
                                   Duration limit) {
  needs_.log.Info("node {}: stopping PostgreSQL ({})", id_.str(), nodes::RoleName(want.role));
  pulse_.Rest();
  Fit(false);
  if (server_ && !want.waits_for.empty()) node.AwaitLogins(kLoginsLimit);
  ForgetServer();
  TRY(node.Stop(postgres::StopMode::kFast, limit));
  failed_starts_ = 0;
  not_before_ = {};
  return std::nullopt;
}

NodeKeeper::Again NodeKeeper::StayStopped(postgres::Node& node) {
  storage_.Rest();
  ForgetServer();
  // Finding out that nothing runs means reading all of /proc: with many stopped nodes, not often.
  const bool was_stopped = adopted_ && observed_.state == nodes::State::kStopped;
  observed_.state = nodes::State::kStopped;
  observed_.detail.clear();
  if (!was_stopped) observed_.shutdown_lsn = ShutdownLsn(node);
  Publish();
  Fit(false);
  return was_stopped ? kAsleep : kCalm;
}

// The server is dead and acknowledges nothing: the control plane hears of it before what it left
// behind is cleared away.
NodeKeeper::Again NodeKeeper::StayDown(postgres::Node& node, const Facts& facts) {
  if (observed_.state != nodes::State::kDown) {
    observed_.state = nodes::State::kDown;
    observed_.detail = WhyItEnded(node.LastWords());
    observed_.shutdown_lsn = ShutdownLsn(node);
    Publish();
    needs_.log.Warning("node {}: {}", id_.str(), observed_.detail);
  }
  if (facts.processes) TRY(node.ClearOrphans(kFenceLimit));
  Fit(false);
  return kCalm;
}

}  // namespace howdah::host
