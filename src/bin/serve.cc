#include "bin/serve.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <malloc.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>

#include "aws/api.h"
#include "aws/generated/cloudformation.h"
#include "aws/generated/ec2.h"
#include "aws/generated/howdah.h"
#include "aws/generated/rds.h"
#include "aws/generated/secretsmanager.h"
#include "aws/generated/sts.h"
#include "bin/backups.h"
#include "bin/engine_cache.h"
#include "bin/privileges.h"
#include "bin/repository_shelf.h"
#include "bin/version.h"
#include "fleet/workflows.h"
#include "host/agent.h"
#include "http/server.h"
#include "network/listen_probe.h"
#include "network/loopback.h"
#include "postgres/commit_guard.h"
#include "postgres/handover.h"
#include "secrets/secrets.h"
#include "services/cloudformation/cloudformation.h"
#include "services/ec2/ec2.h"
#include "services/operator/master_secret.h"
#include "services/operator/operator.h"
#include "services/rds/rds.h"
#include "services/secretsmanager/secretsmanager.h"
#include "services/sts/sts.h"
#include "store/sqlite/sqlite_store.h"
#include "system/real/os_entropy.h"
#include "system/real/posix_disk.h"
#include "system/real/posix_processes.h"
#include "system/real/real_clock.h"
#include "vault/root_credentials.h"
#include "vpc/vpcs.h"
#include "workflow/engine.h"

namespace howdah::bin {

namespace {

struct Seams {
  system::RealClock clock;
  system::OsEntropy entropy;
  system::PosixDisk disk;
  system::PosixProcesses processes;
};

// The one key that there is: the root key of HOME/credentials.
class RootKey final : public aws::Credentials {
 public:
  explicit RootKey(vault::RootCredentials key) : key_(std::move(key)) {}
  std::optional<std::string> FindSecret(std::string_view access_key_id) const override {
    if (access_key_id != key_.access_key_id) return std::nullopt;
    return key_.secret_access_key;
  }

 private:
  const vault::RootCredentials key_;
};

struct Address {
  std::string host;
  std::uint16_t port = 0;
};

Result<Address> ParseListen(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon + 1 == text.size()) {
    return Fail(Code::kInvalid, fmt::format("--listen {}: ADDR:PORT is wanted", text));
  }
  const std::string port = text.substr(colon + 1);
  const bool digits = port.find_first_not_of("0123456789") == std::string::npos;
  if (!digits || port.size() > 5 || std::stoul(port) > 65535) {
    return Fail(Code::kInvalid, fmt::format("--listen {}: '{}' is no port", text, port));
  }
  return Address{text.substr(0, colon), static_cast<std::uint16_t>(std::stoul(port))};
}

// What every part is made from: opened once, in this order, and closed in the other.
struct Ground {
  std::unique_ptr<store::Store> store;
  vault::Keyring keyring;
  vault::Authority authority;
  RootKey root_key;
  std::string account;
  Result<std::string> handover_library;  // without it, clients are relayed
};

Result<Ground> OpenGround(const std::string& home, Seams& seams) {
  TRY_ASSIGN(auto store, store::OpenSqlite(home + "/howdah.db", seams.clock, seams.entropy));
  TRY_ASSIGN(auto keyring, vault::Keyring::OpenOrCreate(seams.disk, seams.entropy, home));
  TRY_ASSIGN(auto authority,
             vault::Authority::OpenOrCreate(seams.disk, seams.entropy, seams.clock, home));
  TRY_ASSIGN(auto key, vault::OpenOrCreateRootCredentials(seams.disk, seams.entropy, home));
  TRY_ASSIGN(auto account, vault::OpenOrCreateAccountId(seams.disk, seams.entropy, home));
  return Ground{.store = std::move(store),
                .keyring = std::move(keyring),
                .authority = std::move(authority),
                .root_key = RootKey(std::move(key)),
                .account = std::move(account),
                .handover_library = postgres::InstallHandoverLibrary(seams.disk, home)};
}

// The path of this very program, which the agent starts as the gateway.
std::string OwnPath() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error).string();
}

class ControlPlane {
 public:
  ControlPlane(const cli::ServeOptions& options, Ground& ground, Seams& seams, const Log& log);

  Result<> Start(const Address& address);
  // Blocks until a signal or a shutdown asks for the end.
  void AwaitEnd();
  // Ends the control plane; with a shutdown asked for, the databases and the gateway too.
  Result<> End();
  std::string url() const { return url_; }

 private:
  void RegisterServices();
  void RegisterDuties();
  http::Response Handle(const http::Request& request);

  const cli::ServeOptions& options_;
  Ground& ground_;
  Seams& seams_;
  const Log& log_;
  EngineCache engines_;
  network::LoopbackDriver driver_;
  vpc::Region region_;
  fleet::Context fleet_;
  secrets::Secrets secrets_;
  host::Layout layout_;
  postgres::CommitGuards guards_;
  Backups backups_;
  RepositoryShelf shelf_;
  host::Needs needs_;
  host::Agent agent_;
  workflow::Engine engine_;
  aws::Service ec2_{aws::ec2::kService};
  aws::Service rds_{aws::rds::kService};
  aws::Service secretsmanager_{aws::secretsmanager::kService};
  aws::Service cloudformation_{aws::cloudformation::kService};
  aws::Service sts_{aws::sts::kService};
  aws::Service operator_{aws::howdah_api::kService};
  cfn::World stacks_;
  services::OperatorHost operator_host_;
  aws::Api api_;
  std::unique_ptr<http::Server> server_;
  std::string url_;
  std::atomic<bool> shutdown_asked_{false};
};

std::map<std::string, std::string> ZoneDirectories(const cli::ServeOptions& options) {
  return {options.zones.begin(), options.zones.end()};
}

ha::Policy PolicyOf(const cli::ServeOptions& options) {
  ha::Policy policy;
  policy.hold_down = std::chrono::seconds(options.failover_hold_down_seconds);
  if (options.failover_hold_down_seconds == 0) policy.window = {};
  return policy;
}

// A directory that is not there yet will be made below the nearest one that is.
std::optional<dev_t> DeviceOf(std::filesystem::path path) {
  struct stat status{};
  while (stat(path.c_str(), &status) != 0) {
    if (!path.has_parent_path() || path == path.parent_path()) return std::nullopt;
    path = path.parent_path();
  }
  return status.st_dev;
}

ControlPlane::ControlPlane(const cli::ServeOptions& options, Ground& ground, Seams& seams,
                           const Log& log)
    : options_(options),
      ground_(ground),
      seams_(seams),
      log_(log),
      engines_(seams.disk, seams.processes, options.home),
      region_(vpc::MakeRegion(options.region)),
      fleet_{.store = *ground.store,
             .clock = seams.clock,
             .entropy = seams.entropy,
             .vpc = {.store = *ground.store,
                     .entropy = seams.entropy,
                     .region = region_,
                     .driver = driver_},
             .account = ground.account,
             .region = options.region,
             .daemon_uid = geteuid(),
             .seal = [this](std::string_view plain, std::string_view about) -> Result<std::string> {
               return ground_.keyring.Seal(plain, about);
             },
             .engines = [this] { return engines_.Get(); },
             .can_listen =
                 [](network::Ipv4 address, std::int64_t port) {
                   return network::CanListen(address, static_cast<std::uint16_t>(port));
                 },
             .log = log,
             .quotas = {.instances = options.max_instances},
             .ha = PolicyOf(options),
             .shelf = &shelf_,
             .restore_tests = std::chrono::days(options.restore_tests_days),
             .free_bytes = [this](const std::string& zone) -> std::optional<std::uint64_t> {
               const auto space = seams_.disk.Space(layout_.ZoneDirectory(zone));
               return space ? std::optional(space->free_bytes) : std::nullopt;
             }},
      secrets_(*ground.store, ground.keyring, seams.clock, seams.entropy,
               {.region = options.region, .account = ground.account}),
      layout_(options.home, ZoneDirectories(options)),
      guards_(options.home, {.disk = seams.disk,
                             .processes = seams.processes,
                             .clock = seams.clock,
                             .entropy = seams.entropy,
                             .log = log}),
      backups_({.place = RepositoryPlace(options.repository, options.home),
                .disk = seams.disk,
                .clock = seams.clock,
                .entropy = seams.entropy,
                .keyring = ground.keyring,
                .log = log}),
      shelf_(backups_.needs()),
      needs_{
          .store = *ground.store,
          .disk = seams.disk,
          .processes = seams.processes,
          .clock = seams.clock,
          .entropy = seams.entropy,
          .keyring = ground.keyring,
          .authority = ground.authority,
          .engines = [this] { return engines_.Get(); },
          .handover_library = ground.handover_library.value_or(""),
          .handover_refusal = ground.handover_library ? "" : ground.handover_library.error().what(),
          .layout = layout_,
          .log = log,
          .commit_guard = [this](const postgres::Engine& engine) { return guards_.For(engine); },
          .backups = &backups_.needs(),
          .repository = backups_.repository().Place(),
          .own_path = OwnPath()},
      agent_({.program = OwnPath()}, needs_),
      engine_({}, *ground.store, seams.clock, log),
      stacks_{.store = *ground.store,
              .entropy = seams.entropy,
              .sealer = {.seal =
                             [this](std::string_view plain, std::string_view about) {
                               return ground_.keyring.Seal(plain, about);
                             },
                         .open =
                             [this](std::string_view sealed, std::string_view about) {
                               return ground_.keyring.Open(sealed, about);
                             }},
              .services = {.ec2 = ec2_, .rds = rds_, .secretsmanager = secretsmanager_},
              .region = options.region},
      operator_host_{
          .version = std::string(kVersion),
          .home = options.home,
          .pid = getpid(),
          .gateway_pid = [this] { return agent_.gateway().Pid(); },
          .connections =
              [this] {
                std::map<InstanceId, services::ConnectionCounts> counts;
                for (const auto& [id, it] : agent_.gateway().ReadStatistics()) {
                  counts[id].refused = it.refused;
                }
                for (const auto& [id, open] : agent_.CountSessions()) counts[id].open = open;
                return counts;
              },
          .socket_directory = [this](const NodeId& node) { return layout_.SocketDirectory(node); },
          .share_a_disk =
              [this](const std::string& zone, const std::string& other) {
                return DeviceOf(layout_.ZoneDirectory(zone)) ==
                       DeviceOf(layout_.ZoneDirectory(other));
              },
          .secret_of =
              [this](const fleet::Instance& it) { return services::MasterSecretOf(secrets_, it); },
          .shut_down =
              [this] {
                shutdown_asked_ = true;
                kill(getpid(), SIGTERM);
              },
          .processes = seams.processes},
      api_({.account_id = ground.account,
            .region = options.region,
            .now = [this] { return seams_.clock.Now(); },
            .new_request_id = [this] { return system::RandomUuid(seams_.entropy); }},
           ground.root_key, log) {}

void ControlPlane::RegisterServices() {
  services::RegisterEc2(ec2_, {.network = fleet_.vpc, .interface_owner = fleet_.daemon_uid});
  services::RegisterRds(rds_, fleet_,
                        {.certificate_end = [this] { return ground_.authority.not_after(); }});
  services::RegisterSecretsManager(secretsmanager_, secrets_, seams_.entropy);
  services::RegisterSts(sts_);
  services::RegisterOperator(operator_, fleet_, operator_host_);
  cfn::RegisterCloudFormation(cloudformation_, stacks_);
  for (const aws::Service* service :
       {&ec2_, &rds_, &secretsmanager_, &cloudformation_, &sts_, &operator_}) {
    api_.Add(*service);
  }
}

void ControlPlane::RegisterDuties() {
  fleet::RegisterAll(engine_, fleet_);
  engine_.Register(cfn::StackWorkflow(stacks_));
  engine_.Register(workflow::Reconciler{
      .name = "tasks", .prefixes = {}, .interval = 5s, .reconcile = [this]() -> Result<Duration> {
        TRY(services::ReapTasks(fleet_, seams_.processes));
        return 5s;
      }});
  engine_.Register(workflow::Reconciler{
      .name = "stacks", .prefixes = {}, .interval = 1h, .reconcile = [this]() -> Result<Duration> {
        TRY(cfn::ForgetDeletedStacks(stacks_, seams_.clock.Now()));
        return 1h;
      }});
  engine_.Register(workflow::Reconciler{
      .name = "secrets", .prefixes = {}, .interval = 1h, .reconcile = [this]() -> Result<Duration> {
        TRY(secrets_.PurgeDue(seams_.clock.Now()));
        return 1h;
      }});
}

http::Response ControlPlane::Handle(const http::Request& request) {
  if (request.method == "GET" && http::PathOf(request.target) == "/-/health") {
    return {.status = 200,
            .headers = {{"Content-Type", "application/json"}},
            .body = fmt::format("{{\"status\":\"ok\",\"version\":\"{}\"}}\n", kVersion)};
  }
  return api_.Handle(request);
}

Result<> ControlPlane::Start(const Address& address) {
  TRY(vpc::EnsureDefaultVpc(fleet_.vpc));
  RegisterServices();
  RegisterDuties();
  agent_.Start();
  engine_.Start();
  TRY_ASSIGN(server_, http::Server::Start(
                          {.address = address.host,
                           .port = address.port,
                           .refusal =
                               [this](const auto& request, int status, std::string_view reason) {
                                 return api_.Refusal(request, status, reason);
                               }},
                          [this](const http::Request& request) { return Handle(request); }, log_));
  url_ = fmt::format("http://{}:{}", address.host, server_->port());
  return seams_.disk.WriteDurably(options_.home + "/endpoint", url_ + "\n", 0600);
}

void ControlPlane::AwaitEnd() {
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  int signal = 0;
  sigwait(&ends, &signal);
  log_.Info("{}: stopping{}", signal == SIGINT ? "interrupted" : "asked to end",
            shutdown_asked_ ? ", databases too" : "; databases and gateway live on");
}

Result<> ControlPlane::End() {
  server_->Stop();
  engine_.Stop();
  TRY(seams_.disk.RemoveTree(options_.home + "/endpoint"));
  if (shutdown_asked_) TRY(agent_.StopEverything());
  return {};
}

// Backups work with buffers of many megabytes on many threads. Without this, malloc() would keep
// each thread's for the next time, and a daemon that has taken one backup would stay several times
// its size.
void GiveMemoryBack() {
  constexpr int kArenas = 4;
  constexpr int kLargeBytes = 2 << 20;  // such blocks are mapped, and unmapped when they are freed
  mallopt(M_ARENA_MAX, kArenas);
  mallopt(M_MMAP_THRESHOLD, kLargeBytes);
}

// Before the first thread, so that only AwaitEnd() sees them.
void BlockSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
}

Result<> Run(const cli::ServeOptions& options, const Log& log) {
  TRY_ASSIGN(const Address address, ParseListen(options.listen));
  TRY(CheckRepositoryPlace(RepositoryPlace(options.repository, options.home)));
  TRY(BecomeOrdinary(options.home));
  umask(077);
  GiveMemoryBack();
  BlockSignals();
  Seams seams;
  TRY(seams.disk.MakeDirectories(options.home + "/run", 0700));
  TRY(seams.disk.MakeDirectories(options.home + "/log", 0700));
  TRY_ASSIGN(Ground ground, OpenGround(options.home, seams));
  ControlPlane plane(options, ground, seams, log);
  TRY(plane.Start(address));
  fmt::print("howdah ready {}\n", plane.url());
  std::fflush(stdout);
  plane.AwaitEnd();
  return plane.End();
}

}  // namespace

int Serve(const cli::ServeOptions& options, const Log& log) {
  const Result<> done = Run(options, log);
  if (done) return 0;
  log.Error("{}", done.error().what());
  return 1;
}

}  // namespace howdah::bin
