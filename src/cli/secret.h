// A database's credentials out of Secrets Manager: a JSON object as RDS and SecretTargetAttachment
// write it. The password goes into a child's environment and nowhere else.
#pragma once

#include <string>

#include "cli/child.h"
#include "cli/session.h"

namespace howdah::cli {

struct DatabaseSecret {
  std::string username;
  std::string password;
  std::string database;
};

// kInvalid where the text is not such an object; the error never quotes it.
Result<DatabaseSecret> ParseDatabaseSecret(const std::string& text);

std::expected<DatabaseSecret, Failure> FetchDatabaseSecret(const Context& context,
                                                           const Session& session,
                                                           const std::string& secret_id);

// PGUSER, PGPASSWORD and PGDATABASE, as far as the secret has them.
EnvironmentChanges EnvironmentOf(const DatabaseSecret& secret);

}  // namespace howdah::cli
