// `howdah psql`: the operator's way in, past the gateway, over the node's private socket.
#include <fmt/format.h>

#include "aws/generated/howdah.h"
#include "cli/child.h"
#include "cli/commands.h"
#include "cli/secret.h"
#include "cli/session.h"

namespace howdah::cli {

Outcome Psql(const Context& context, const std::string& instance,
             const std::vector<std::string>& arguments) {
  CLI_ASSIGN(const Session session, Session::Open(context));
  const auto path =
      session.Call<aws::howdah_api::OpenAdminPath>({.db_instance_identifier = instance});
  if (!path) return Failed(FailureOf("cannot reach " + instance, path.error(), context));
  EnvironmentChanges changes;
  if (const auto arn = path->secret_arn.value_or(""); !arn.empty()) {
    CLI_ASSIGN(const DatabaseSecret secret, FetchDatabaseSecret(context, session, arn));
    changes.emplace_back("PGPASSWORD", secret.password);
  } else {
    context.terminal.Note("no secret belongs to " + instance + ": psql asks for the password");
  }
  std::vector<std::string> argv = {"psql", "--host=" + path->socket_directory.value_or(""),
                                   fmt::format("--port={}", path->port.value_or(5432)),
                                   "--username=" + path->master_username.value_or(""),
                                   "--dbname=" + path->db_name.value_or("postgres")};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  const Error error = Become(argv, changes);
  return Failed("cannot run psql", error, "install it: apt-get install postgresql-client");
}

}  // namespace howdah::cli
