// `howdah run`: a command as a task in a VPC. The task has a network interface while the command
// runs, and the command reaches the database through a relay that connects from its address.
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

#include "aws/generated/howdah.h"
#include "cli/admission.h"
#include "cli/child.h"
#include "cli/commands.h"
#include "cli/relay.h"
#include "cli/secret.h"
#include "cli/session.h"

namespace howdah::cli {
namespace {

namespace api = aws::howdah_api;

constexpr Duration kAdmissionLimit = 3s;

// Gives the interface back, however the command ended.
class Task {
 public:
  Task(const Session& session, std::string interface)
      : session_(session), interface_(std::move(interface)) {}
  ~Task() {
    // The service removes the interface also when this answer is lost.
    [[maybe_unused]] const auto ended =
        session_.Call<api::EndTask>({.network_interface_id = interface_}, 10s);
  }
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;

 private:
  const Session& session_;
  std::string interface_;
};

api::StartTaskRequest RequestOf(const RunOptions& options) {
  api::StartTaskRequest request;
  request.security_group = options.security_group;
  request.user_id = static_cast<std::int64_t>(getuid());
  if (!options.subnet.empty()) request.subnet = options.subnet;
  if (!options.instance.empty()) request.db_instance_identifier = options.instance;
  return request;
}

// Relays and passes signals on until the command has ended.
int RelayUntilEnd(Relay& relay, const ForegroundChild& child) {
  while (true) {
    std::vector<pollfd> watched = {{child.exit_descriptor(), POLLIN, 0},
                                   {child.signal_descriptor(), POLLIN, 0}};
    relay.Watch(watched);
    if (poll(watched.data(), watched.size(), -1) < 0 && errno != EINTR) break;
    if (watched[1].revents != 0) child.ForwardSignal();
    if (watched[0].revents != 0) break;
    relay.Advance();
  }
  return child.Reap();
}

Outcome RunBehindRelay(const RunOptions& options, Relay& relay, EnvironmentChanges changes,
                       SignalsToForward signals) {
  changes.emplace_back("PGHOST", relay.directory());
  changes.emplace_back("PGPORT", fmt::format("{}", kRelayPort));
  auto child = ForegroundChild::Start(options.command, changes, std::move(signals));
  if (!child) return Failed("cannot run " + options.command.front(), child.error());
  return RelayUntilEnd(relay, *child);
}

}  // namespace

Outcome RunTask(const Context& context, const RunOptions& options) {
  CLI_ASSIGN(const Session session, Session::Open(context));
  EnvironmentChanges changes;
  if (!options.secret.empty()) {
    CLI_ASSIGN(const DatabaseSecret secret, FetchDatabaseSecret(context, session, options.secret));
    changes = EnvironmentOf(secret);
  }
  // From here on a signal must not end us before the interface is given back.
  auto signals = SignalsToForward::Block();
  if (!signals) return Failed("cannot run a task", signals.error());
  const auto started = session.Call<api::StartTask>(RequestOf(options));
  if (!started) return Failed(FailureOf("the task was not started", started.error(), context));
  const Task task(session, started->network_interface_id.value_or(""));
  RelayRoute route{
      .source_address = started->address.value_or(""),
      .endpoint_address = started->endpoint_address.value_or(""),
      .endpoint_port = static_cast<std::uint16_t>(started->endpoint_port.value_or(5432)),
      .tls = started->force_tls.value_or(false),
  };
  // Not an error here: the command's own connections say why they do not get through.
  AwaitAdmission(route, *context.programs.clock, kAdmissionLimit);
  auto relay = Relay::Open(
      std::move(route), context.environment("XDG_RUNTIME_DIR").value_or("/tmp"),
      [&context](const std::string& why) { context.terminal.Note("howdah run: " + why); });
  if (!relay) return Failed("cannot run a task", relay.error());
  return RunBehindRelay(options, **relay, std::move(changes), *std::move(signals));
}

}  // namespace howdah::cli
