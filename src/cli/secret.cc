#include "cli/secret.h"

#include "aws/generated/secretsmanager.h"
#include "base/json.h"

namespace howdah::cli {

Result<DatabaseSecret> ParseDatabaseSecret(const std::string& text) {
  const auto object = ParseJsonObject(text);
  // Boost's error says where, not what.
  if (!object) return Fail(Code::kInvalid, "the secret is not a JSON object");
  DatabaseSecret secret{.username = JsonString(*object, "username"),
                        .password = JsonString(*object, "password"),
                        .database = JsonString(*object, "dbname")};
  if (secret.password.empty()) return Fail(Code::kInvalid, "the secret has no 'password'");
  return secret;
}

std::expected<DatabaseSecret, Failure> FetchDatabaseSecret(const Context& context,
                                                           const Session& session,
                                                           const std::string& secret_id) {
  const std::string what = "cannot use the secret " + secret_id;
  const auto answer = session.Call<aws::secretsmanager::GetSecretValue>({.secret_id = secret_id});
  if (!answer) return Failed(FailureOf(what, answer.error(), context));
  auto secret = ParseDatabaseSecret(answer->secret_string.value_or(""));
  if (!secret) return Failed(what, secret.error());
  return *std::move(secret);
}

EnvironmentChanges EnvironmentOf(const DatabaseSecret& secret) {
  EnvironmentChanges changes = {{"PGPASSWORD", secret.password}};
  if (!secret.username.empty()) changes.emplace_back("PGUSER", secret.username);
  if (!secret.database.empty()) changes.emplace_back("PGDATABASE", secret.database);
  return changes;
}

}  // namespace howdah::cli
