// What the keeper does on the running server: looks, makes roles, follows the synchronous standby
// and proves it, and drops slots that nobody will come back for.
#include <algorithm>

#include "host/node_keeper.h"
#include "postgres/roles.h"
#include "postgres/scram.h"

namespace howdah::host {

namespace {

constexpr Duration kAdminLimit = 1s;
constexpr Duration kBootstrapLimit = 30s;
constexpr Duration kProbeLimit = 2s;
constexpr Duration kSilence = 2s;  // a stream without a message for so long is no stream
constexpr Duration kSlotInterval = 10s;

// `ANY 1 ("hd_1_x")` or `FIRST 1 ("hd_1_x")`: the identity between the quotes.
std::string TokenIn(const std::string& names) {
  const std::size_t first = names.find('"');
  if (first == std::string::npos) return names;
  const std::size_t last = names.find('"', first + 1);
  return names.substr(first + 1, last == std::string::npos ? last : last - first - 1);
}

}  // namespace

std::string SlotOf(const NodeId& standby) {
  std::string slot = "hd_" + standby.str();
  std::ranges::replace(slot, '-', '_');
  return slot;
}

std::optional<NodeId> NodeOfSlot(std::string_view slot) {
  if (!slot.starts_with("hd_n_")) return std::nullopt;
  return NodeId("n-" + std::string(slot.substr(5)));
}

Result<> NodeKeeper::Bootstrap(const nodes::Desired& want) {
  if (observed_.bootstrap_stamp == 0 && want.epoch > 1) TRY(AdoptBootstrap(want));
  if (observed_.bootstrap_stamp == want.bootstrap.stamp) return {};
  // Later on only the password is ours to set: a user may have dropped the database. A node of a
  // later epoch was promoted, and one from a backup restored: its database is as old as the
  // instance.
  if (observed_.bootstrap_stamp != 0 || want.epoch > 1 || !want.restore.source.empty()) {
    TRY(postgres::SetPassword(*admin_, want.bootstrap.master_user, want.bootstrap.master_verifier,
                              kBootstrapLimit));
    observed_.bootstrap_stamp = want.bootstrap.stamp;
    return {};
  }
  TRY(postgres::EnsureAdminDatabase(*admin_, kBootstrapLimit));
  TRY_ASSIGN(const std::string replication, postgres::MakeScramVerifier(password_, needs_.entropy));
  TRY(postgres::EnsureRoles(*admin_,
                            {.master_user = want.bootstrap.master_user,
                             .master_verifier = want.bootstrap.master_verifier,
                             .replication_verifier = replication,
                             .database = want.bootstrap.database},
                            kBootstrapLimit));
  observed_.bootstrap_stamp = want.bootstrap.stamp;
  return {};
}

void NodeKeeper::NoteStream(const nodes::Desired& want, const postgres::Observation& seen) {
  std::string streaming;
  std::optional<Duration> silence;
  for (const postgres::ReplicationPeer& peer : seen.peers) {
    if (!peer.application_name.starts_with("hd_") || peer.state != "streaming") continue;
    if (peer.reply_age && *peer.reply_age >= kSilence) {
      silence = peer.reply_age;
      continue;
    }
    // Of several, the one that is waited for counts.
    if (streaming.empty() || peer.application_name == want.waits_for) {
      streaming = peer.application_name;
    }
  }
  if (streaming != observed_.streaming_token) {
    observed_.streaming_token = streaming;
    observed_.silent_ms =
        silence ? std::chrono::duration_cast<std::chrono::milliseconds>(*silence).count() : 0;
  }
}

Result<postgres::Observation> NodeKeeper::LookInside(const nodes::Desired& want) {
  Result<postgres::Observation> seen = postgres::Observe(*admin_, kAdminLimit);
  if (!seen) {
    admin_.reset();
    return Fail(seen.error());
  }
  observed_.in_recovery = seen->in_recovery;
  sessions_ = seen->client_sessions;
  observed_.effective_token = TokenIn(seen->synchronous_standby_names);
  observed_.timeline = postgres::ToNumber(seen->timeline);
  NoteStream(want, *seen);
  return *std::move(seen);
}

Result<> NodeKeeper::FollowSynchronousStandby(const nodes::Desired& want, postgres::Node& node) {
  if (observed_.effective_token == want.waits_for) return {};
  TRY(node.SetSynchronousStandby(want.waits_for, kAdminLimit));
  observed_.effective_token = want.waits_for;
  if (observed_.proven_token != want.waits_for) observed_.proven_token.clear();
  return {};
}

// H6, H7: a commit made after the name was in force has been confirmed by exactly that standby, and
// the standby has flushed past it.
Result<> NodeKeeper::Prove(const nodes::Desired& want, postgres::Node& node) {
  if (want.waits_for.empty()) {
    observed_.proven_token.clear();
    return {};
  }
  if (observed_.proven_token == want.waits_for || observed_.streaming_token != want.waits_for) {
    return {};
  }
  TRY_ASSIGN(const postgres::ProbeOutcome probe, node.Probe(kProbeLimit));
  if (!probe.acknowledged) return {};
  TRY_ASSIGN(const postgres::Observation seen, postgres::Observe(*admin_, kAdminLimit));
  for (const postgres::ReplicationPeer& peer : seen.peers) {
    if (peer.application_name == want.waits_for && peer.flush >= probe.lsn) {
      observed_.proven_token = want.waits_for;
    }
  }
  return {};
}

// A slot whose standby is gone for good would hold back WAL until the disk is full (H20).
Result<> NodeKeeper::DropAbandonedSlots() {
  const MonotonicTime now = needs_.clock.Monotonic();
  if (slots_checked_ != MonotonicTime{} && now - slots_checked_ < kSlotInterval) return {};
  slots_checked_ = now;
  TRY_ASSIGN(const std::vector<std::string> slots, postgres::ListSlots(*admin_, kAdminLimit));
  for (const std::string& slot : slots) {
    const std::optional<NodeId> standby = NodeOfSlot(slot);
    if (!standby) continue;
    // Nobody follows a standby: what it held for others when it was a primary is of no use.
    if (!observed_.in_recovery) {
      const Result<store::Document> desired = needs_.store.Get(nodes::DesiredKey(*standby));
      if (desired || desired.error().code() != Code::kNotFound) continue;
    }
    TRY(postgres::DropSlot(*admin_, slot, kAdminLimit));
    needs_.log.Info("node {}: dropped the slot {}, for which nobody will come back", id_.str(),
                    slot);
  }
  return {};
}

}  // namespace howdah::host
