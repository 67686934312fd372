#include "fleet/proof.h"

#include <algorithm>

#include "base/document.h"
#include "fleet/backup_records.h"
#include "fleet/keys.h"

namespace howdah::fleet {

namespace {

constexpr Duration kFirst = std::chrono::hours(24);
constexpr std::uint64_t kSpare = 2ULL << 30;
constexpr int kTries = 8;

const DocumentCodec<ProofRun>& RunCodec() {
  static const auto codec = DocumentCodec<ProofRun>("run of a restore test")
                                .With("backup", &ProofRun::backup)
                                .With("begun", &ProofRun::begun)
                                .With("finished", &ProofRun::finished)
                                .With("until", &ProofRun::until)
                                .With("size_bytes", &ProofRun::size_bytes)
                                .With("failure", &ProofRun::failure)
                                .With("databases", &ProofRun::databases)
                                .With("tables", &ProofRun::tables)
                                .With("indexes", &ProofRun::indexes)
                                .With("pages", &ProofRun::pages);
  return codec;
}

const DocumentCodec<Proof>& ProofCodec() {
  static const auto codec = DocumentCodec<Proof>("restore test")
                                .With("instance", &Proof::instance)
                                .With("node", &Proof::node)
                                .With("leaving", &Proof::leaving)
                                .With("now", &Proof::now, RunCodec())
                                .With("give_up", &Proof::give_up)
                                .With("last", &Proof::last, RunCodec())
                                .With("asked", &Proof::asked)
                                .With("waits", &Proof::waits);
  return codec;
}

bool IsDue(const ProofCandidate& it, std::chrono::days every, WallTime now) {
  if (!it.has_backup || !it.is_at_rest) return false;
  if (it.asked != WallTime{}) return true;
  if (every.count() == 0) return false;
  const Duration again = it.failed ? std::min<Duration>(every, kFirst) : Duration(every);
  return it.last == WallTime{} ? now - it.created >= kFirst : now - it.last >= again;
}

}  // namespace

std::string Format(const Proof& proof) {
  return ProofCodec().Format(proof);
}
Result<Proof> ParseProof(std::string_view text) {
  return ProofCodec().Parse(text);
}

Result<Versioned<Proof>> LoadProof(store::Store& store, const InstanceId& id) {
  const Result<store::Document> document = store.Get(ProofKey(id));
  if (!document && document.error().code() == Code::kNotFound) {
    return Versioned<Proof>{.value = {.instance = id}};
  }
  if (!document) return Fail(document.error());
  TRY_ASSIGN(Proof proof, ParseProof(document->value));
  return Versioned<Proof>{.value = std::move(proof), .revision = document->revision};
}

Result<std::vector<Versioned<Proof>>> ListProofs(store::Store& store) {
  TRY_ASSIGN(const store::Listing listing, store.List(kProofsPrefix));
  std::vector<Versioned<Proof>> all;
  for (const store::Document& document : listing.documents) {
    TRY_ASSIGN(Proof proof, ParseProof(document.value));
    all.push_back({.value = std::move(proof), .revision = document.revision});
  }
  return all;
}

std::optional<InstanceId> NextProof(const std::vector<ProofCandidate>& candidates,
                                    std::chrono::days every, WallTime now) {
  const ProofCandidate* best = nullptr;
  const auto rank = [](const ProofCandidate& it) {
    const bool is_asked = it.asked != WallTime{};
    return std::pair(!is_asked, is_asked ? it.asked : std::max(it.last, it.created));
  };
  for (const ProofCandidate& it : candidates) {
    if (!IsDue(it, every, now)) continue;
    if (best == nullptr || rank(it) < rank(*best)) best = &it;
  }
  if (best == nullptr) return std::nullopt;
  return best->instance;
}

bool HasRoomForProof(std::uint64_t free_bytes, std::uint64_t copy_bytes) {
  return free_bytes >= kSpare && free_bytes - kSpare >= copy_bytes + copy_bytes / 8;
}

Result<WallTime> AskForProof(const Context& context, std::string_view identifier) {
  for (int i = 0; i < kTries; ++i) {
    TRY_ASSIGN(const Versioned<Instance> instance, FindInstance(context.store, identifier));
    const InstanceId& id = instance.value.id;
    TRY_ASSIGN(const auto snapshots, ListDbSnapshotsOf(context.store, id));
    const bool has_backup = std::ranges::any_of(
        snapshots, [](const auto& it) { return it.value.automated && it.value.IsAvailable(); });
    if (!has_backup) {
      return Fail(Code::kFailedState, "it has no automated backup that could be restored");
    }
    TRY_ASSIGN(Versioned<Proof> proof, LoadProof(context.store, id));
    proof.value.asked = context.clock.Now();
    proof.value.waits.clear();
    store::Transaction transaction{
        .compares = {{InstanceKey(id), instance.revision}, {ProofKey(id), proof.revision}},
        .puts = {{ProofKey(id), Format(proof.value), ""}},
        .deletes = {}};
    const auto done = context.store.Commit(transaction);
    if (done) return proof.value.asked;
    if (done.error().code() != Code::kConflict) return Fail(done.error());
  }
  return Fail(Code::kUnavailable, "it changes too often");
}

}  // namespace howdah::fleet
