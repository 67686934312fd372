#include "nodes/node.h"

#include <fmt/format.h>

#include "base/document.h"

namespace howdah::nodes {

namespace {

constexpr Words<Role, 4> kRoles = {{{Role::kPrimary, "primary"},
                                    {Role::kStandby, "standby"},
                                    {Role::kRecruit, "recruit"},
                                    {Role::kFenced, "fenced"}}};
constexpr Words<Power, 3> kPowers = {
    {{Power::kRunning, "running"}, {Power::kStopped, "stopped"}, {Power::kAbsent, "absent"}}};
constexpr Words<DataPath, 2> kDataPaths = {
    {{DataPath::kAuto, "auto"}, {DataPath::kRelay, "relay"}}};
constexpr Words<TlsPlace, 3> kTlsPlaces = {
    {{TlsPlace::kAuto, "auto"}, {TlsPlace::kServer, "server"}, {TlsPlace::kGateway, "gateway"}}};
constexpr Words<Restore::Target, 3> kRestoreTargets = {{{Restore::Target::kBackup, "backup"},
                                                        {Restore::Target::kTime, "time"},
                                                        {Restore::Target::kLatest, "latest"}}};
constexpr Words<State, 9> kStates = {{{State::kUnknown, "unknown"},
                                      {State::kAbsent, "absent"},
                                      {State::kPreparing, "preparing"},
                                      {State::kStarting, "starting"},
                                      {State::kRunning, "running"},
                                      {State::kStopped, "stopped"},
                                      {State::kFailed, "failed"},
                                      {State::kDown, "down"},
                                      {State::kFenced, "fenced"}}};

}  // namespace

std::string_view RoleName(Role role) {
  return WordFor(kRoles, role);
}
std::string_view StateName(State state) {
  return WordFor(kStates, state);
}

std::string_view PowerName(Power power) {
  return WordFor(kPowers, power);
}
Result<Power> ParsePower(std::string_view name) {
  return ValueOf(kPowers, name);
}

Result<DataPath> ParseDataPath(std::string_view name) {
  return ValueOf(kDataPaths, name);
}
Result<TlsPlace> ParseTlsPlace(std::string_view name) {
  return ValueOf(kTlsPlaces, name);
}

namespace {

const DocumentCodec<Bootstrap>& BootstrapCodec() {
  static const auto codec = DocumentCodec<Bootstrap>("bootstrap")
                                .With("stamp", &Bootstrap::stamp)
                                .With("master_user", &Bootstrap::master_user)
                                .With("master_verifier", &Bootstrap::master_verifier)
                                .With("database", &Bootstrap::database);
  return codec;
}

const DocumentCodec<Endpoint>& EndpointCodec() {
  static const auto codec = DocumentCodec<Endpoint>("endpoint")
                                .With("host_address", &Endpoint::host_address)
                                .With("private_address", &Endpoint::private_address)
                                .With("force_tls", &Endpoint::force_tls)
                                .With("data_path", &Endpoint::data_path, kDataPaths)
                                .With("tls", &Endpoint::tls, kTlsPlaces);
  return codec;
}

const DocumentCodec<Restore>& RestoreCodec() {
  static const auto codec = DocumentCodec<Restore>("restore")
                                .With("source", &Restore::source)
                                .With("backup", &Restore::backup)
                                .With("target", &Restore::target, kRestoreTargets)
                                .With("time", &Restore::time)
                                .With("archived_lsn", &Restore::archived_lsn)
                                .With("archived_until", &Restore::archived_until);
  return codec;
}

const DocumentCodec<Desired>& DesiredCodec() {
  static const auto codec = DocumentCodec<Desired>("desired node")
                                .With("id", &Desired::id)
                                .With("instance", &Desired::instance)
                                .With("zone", &Desired::zone)
                                .With("version", &Desired::version)
                                .With("role", &Desired::role, kRoles)
                                .With("power", &Desired::power, kPowers)
                                .With("epoch", &Desired::epoch)
                                .With("primary", &Desired::primary)
                                .With("token", &Desired::token)
                                .With("waits_for", &Desired::waits_for)
                                .With("storage_gib", &Desired::storage_gib)
                                .With("read_only", &Desired::read_only)
                                .With("settings", &Desired::settings)
                                .With("restarts", &Desired::restarts)
                                .With("revive", &Desired::revive)
                                .With("checkpoint", &Desired::checkpoint)
                                .With("archive", &Desired::archive)
                                .With("restore", &Desired::restore, RestoreCodec())
                                .With("proof", &Desired::proof)
                                .With("bootstrap", &Desired::bootstrap, BootstrapCodec())
                                .With("endpoint", &Desired::endpoint, EndpointCodec())
                                .With("sealed_password", &Desired::sealed_password);
  return codec;
}

const DocumentCodec<Archived>& ArchivedCodec() {
  static const auto codec = DocumentCodec<Archived>("archived")
                                .With("lsn", &Archived::lsn)
                                .With("until", &Archived::until)
                                .With("lag_bytes", &Archived::lag_bytes)
                                .With("problem", &Archived::problem)
                                .With("gap_end", &Archived::gap_end)
                                .With("gap_since", &Archived::gap_since);
  return codec;
}

const DocumentCodec<Restored>& RestoredCodec() {
  static const auto codec = DocumentCodec<Restored>("restored")
                                .With("done", &Restored::done)
                                .With("stage", &Restored::stage)
                                .With("done_bytes", &Restored::done_bytes)
                                .With("total_bytes", &Restored::total_bytes);
  return codec;
}

const DocumentCodec<Proven>& ProvenCodec() {
  static const auto codec = DocumentCodec<Proven>("proven")
                                .With("done", &Proven::done)
                                .With("failure", &Proven::failure)
                                .With("databases", &Proven::databases)
                                .With("tables", &Proven::tables)
                                .With("indexes", &Proven::indexes)
                                .With("pages", &Proven::pages);
  return codec;
}

DocumentCodec<Observed> MakeObservedCodec() {
  DocumentCodec<Observed> codec("observed node");
  codec.With("state", &Observed::state, kStates)
      .With("detail", &Observed::detail)
      .With("pid", &Observed::pid)
      .With("seeded", &Observed::seeded)
      .With("in_recovery", &Observed::in_recovery)
      .With("effective_token", &Observed::effective_token)
      .With("connects_as", &Observed::connects_as)
      .With("streaming_token", &Observed::streaming_token)
      .With("silent_ms", &Observed::silent_ms)
      .With("proven_token", &Observed::proven_token)
      .With("restarts", &Observed::restarts)
      .With("bootstrap_stamp", &Observed::bootstrap_stamp)
      .With("settings_hash", &Observed::settings_hash)
      .With("starts", &Observed::starts)
      .With("epoch", &Observed::epoch)
      .With("revive", &Observed::revive)
      .With("checkpoint", &Observed::checkpoint)
      .With("unresponsive", &Observed::unresponsive)
      .With("unresponsive_ms", &Observed::unresponsive_ms)
      .With("recruited", &Observed::recruited)
      .With("received_lsn", &Observed::received_lsn)
      .With("replayed_lsn", &Observed::replayed_lsn)
      .With("shutdown_lsn", &Observed::shutdown_lsn)
      .With("timeline", &Observed::timeline)
      .With("rejoined", &Observed::rejoined)
      .With("set_aside_bytes", &Observed::set_aside_bytes)
      .With("archived", &Observed::archived, ArchivedCodec())
      .With("restored", &Observed::restored, RestoredCodec())
      .With("proven", &Observed::proven, ProvenCodec())
      .With("data_path", &Observed::data_path)
      .With("tls", &Observed::tls)
      .With("commit_guard", &Observed::commit_guard)
      .With("storage", &Observed::storage, StorageCodec());
  return codec;
}

const DocumentCodec<Observed>& ObservedCodec() {
  static const DocumentCodec<Observed> codec = MakeObservedCodec();
  return codec;
}

}  // namespace

json::object ToJson(const Restore& restore) {
  return RestoreCodec().ToJson(restore);
}
Result<Restore> RestoreFromJson(const json::value& value) {
  return RestoreCodec().FromJson(value);
}

std::string Format(const Desired& desired) {
  return DesiredCodec().Format(desired);
}
Result<Desired> ParseDesired(std::string_view text) {
  return DesiredCodec().Parse(text);
}
std::string Format(const Observed& observed) {
  return ObservedCodec().Format(observed);
}
Result<Observed> ParseObserved(std::string_view text) {
  return ObservedCodec().Parse(text);
}

std::string HashOf(const std::map<std::string, std::string>& settings) {
  // FNV-1a: only to see a difference, never to trust.
  std::uint64_t hash = 14695981039346656037ULL;
  const auto mix = [&hash](std::string_view text) {
    for (const char c : text) {
      hash ^= static_cast<unsigned char>(c);
      hash *= 1099511628211ULL;
    }
    hash ^= 0xff;
    hash *= 1099511628211ULL;
  };
  for (const auto& [name, value] : settings) {
    mix(name);
    mix(value);
  }
  return fmt::format("{:016x}", hash);
}

std::string DesiredKey(const NodeId& node) {
  return fmt::format("/nodes/{}/desired", node.str());
}
std::string ObservedKey(const NodeId& node) {
  return fmt::format("/nodes/{}/observed", node.str());
}

}  // namespace howdah::nodes
