// See roles.h. Each statement looks for itself whether there is anything to do.
#include "postgres/roles.h"

#include <fmt/format.h>

#include "postgres/quote.h"
#include "postgres/scram.h"

namespace howdah::postgres {
namespace {

std::string Do(std::string_view body) {
  return "DO " + QuoteLiteral(fmt::format("BEGIN {} END", body));
}

std::string CreateIfAbsent(std::string_view role, std::string_view attributes) {
  return Do(
      fmt::format("IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = {}) THEN "
                  "CREATE ROLE {} {}; END IF;",
                  QuoteLiteral(role), QuoteIdentifier(role), attributes));
}

std::string MasterRole(const RoleSpec& spec) {
  return fmt::format(
      "ALTER ROLE {} LOGIN CREATEDB CREATEROLE NOSUPERUSER INHERIT NOREPLICATION NOBYPASSRLS "
      "PASSWORD {} VALID UNTIL 'infinity'",
      QuoteIdentifier(spec.master_user), QuoteLiteral(spec.master_verifier));
}

std::string SuperuserMemberships(int major) {
  std::string roles = "pg_monitor, pg_signal_backend, rds_replication, rds_password";
  if (major >= 15) roles += ", pg_checkpoint";
  if (major >= 16) roles += ", pg_use_reserved_connections, pg_create_subscription";
  return fmt::format("GRANT {} TO rds_superuser WITH ADMIN OPTION", roles);
}

// See roles.h: why before 16 these need a superuser's mark. ALTER ROLE refuses predefined roles.
constexpr std::string_view kGuardPredefinedRoles =
    "UPDATE pg_catalog.pg_authid SET rolsuper = true WHERE NOT rolsuper AND rolname IN "
    "('pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files')";

Result<bool> HasDatabase(Connection& admin, std::string_view name, Duration limit) {
  TRY_ASSIGN(const Rows rows, admin.Execute("SELECT FROM pg_catalog.pg_database WHERE datname = " +
                                                QuoteLiteral(name),
                                            limit));
  return !rows.empty();
}

// A session of a daemon that was killed may still be carrying out the very same statement. Who
// loses to it is told to look again (kUnavailable): by then it is done.
Result<> ExecuteBesideAPredecessor(Connection& admin, const std::string& statement,
                                   Duration limit) {
  const auto done = admin.Execute(statement, limit);
  if (done) return {};
  const bool lost =
      admin.SqlState() == "23505" || done.error().what().find("concurrently") != std::string::npos;
  if (!lost) return Fail(done.error());
  return Fail(Code::kUnavailable, done.error().what());
}

Result<> CreateDatabase(Connection& admin, const std::string& statement, Duration limit) {
  const auto created = ExecuteBesideAPredecessor(admin, statement, limit);
  if (!created && created.error().code() != Code::kAlreadyExists) return Fail(created.error());
  return {};
}

}  // namespace

std::vector<std::string> RoleStatements(const RoleSpec& spec, int major) {
  const std::string master = QuoteIdentifier(spec.master_user);
  const std::string replication_rights = major < 16 ? "SUPERUSER" : "NOSUPERUSER";
  std::vector<std::string> statements = {
      CreateIfAbsent("rds_superuser", "NOLOGIN"),
      CreateIfAbsent("rds_replication", "NOLOGIN"),
      CreateIfAbsent("rds_password", "NOLOGIN"),
      CreateIfAbsent("rds_iam", "NOLOGIN"),
      CreateIfAbsent("rdstopmgr", "NOLOGIN"),
      CreateIfAbsent(kReplicationUser, "NOLOGIN"),
      fmt::format("ALTER ROLE {} LOGIN REPLICATION {} PASSWORD {}", kReplicationUser,
                  replication_rights, QuoteLiteral(spec.replication_verifier)),
      SuperuserMemberships(major),
      "GRANT pg_monitor TO rdstopmgr",
      CreateIfAbsent(spec.master_user, "NOLOGIN"),
      MasterRole(spec),
      fmt::format("GRANT rds_superuser TO {} WITH ADMIN OPTION", master),
      Do(fmt::format("IF EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = 'postgres' "
                     "AND pg_catalog.pg_get_userbyid(datdba) = 'rdsadmin') THEN "
                     "ALTER DATABASE postgres OWNER TO {0}; "
                     "GRANT CREATE ON DATABASE postgres TO rds_superuser; END IF;",
                     master)),
  };
  if (major < 16) statements.emplace_back(kGuardPredefinedRoles);
  return statements;
}

std::vector<std::string> DatabaseStatements(std::string_view database, const RoleSpec& spec) {
  const std::string name = QuoteIdentifier(database);
  return {fmt::format("CREATE DATABASE {} OWNER {}", name, QuoteIdentifier(spec.master_user)),
          fmt::format("GRANT CREATE ON DATABASE {} TO rds_superuser", name)};
}

Result<> EnsureRoles(Connection& admin, const RoleSpec& spec, Duration limit) {
  if (!IsScramVerifier(spec.master_verifier) || !IsScramVerifier(spec.replication_verifier)) {
    return Fail(Code::kInvalid, "a role's password must be given as a SCRAM verifier");
  }
  for (const std::string& statement : RoleStatements(spec, admin.ServerMajor())) {
    const auto done = ExecuteBesideAPredecessor(admin, statement, limit);
    if (!done) return Fail(done.error().During("creating roles"));
  }
  if (spec.database.empty() || spec.database == "postgres") return {};
  const auto statements = DatabaseStatements(spec.database, spec);
  TRY_ASSIGN(const bool exists, HasDatabase(admin, spec.database, limit));
  if (!exists) TRY(CreateDatabase(admin, statements.front(), limit));
  TRY(admin.Execute(statements.back(), limit));
  return {};
}

Result<> SetPassword(Connection& admin, std::string_view user, std::string_view verifier,
                     Duration limit) {
  if (!IsScramVerifier(verifier)) {
    return Fail(Code::kInvalid, "a password must be given as a SCRAM verifier");
  }
  TRY(admin.Execute(
      fmt::format("ALTER ROLE {} PASSWORD {}", QuoteIdentifier(user), QuoteLiteral(verifier)),
      limit));
  return {};
}

Result<> EnsureAdminDatabase(Connection& admin, Duration limit) {
  TRY_ASSIGN(const bool exists, HasDatabase(admin, kAdminDatabase, limit));
  if (!exists) {
    TRY(CreateDatabase(
        admin, fmt::format("CREATE DATABASE {} OWNER rdsadmin TEMPLATE template0", kAdminDatabase),
        limit));
  }
  TRY(admin.Execute(fmt::format("REVOKE ALL ON DATABASE {} FROM PUBLIC", kAdminDatabase), limit));
  return {};
}

}  // namespace howdah::postgres
