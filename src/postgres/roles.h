// RDS's roles and databases on a new server, idempotently. rdsadmin is the bootstrap superuser; the
// master user is none: no server files, no programs, no ALTER SYSTEM.
//
// Before PostgreSQL 16, CREATEROLE may grant any role that is not a superuser, so a master user
// could give himself pg_execute_server_program. There those roles, and rdsrepladmin (which he could
// drop), are marked superuser: PostgreSQL then lets only a superuser grant, rename or drop them.
// None of them can log in to a database.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "postgres/connection.h"

namespace howdah::postgres {

struct RoleSpec {
  std::string master_user;
  std::string master_verifier;       // SCRAM verifier (scram.h), never a password
  std::string replication_verifier;  // for rdsrepladmin
  std::string database;              // DBName; empty: none
};

// Pure: the statements for the cluster's roles, to be run in database postgres as rdsadmin, in
// order.
std::vector<std::string> RoleStatements(const RoleSpec& spec, int major);
// Pure: for one database that belongs to the master user.
std::vector<std::string> DatabaseStatements(std::string_view database, const RoleSpec& spec);

// Makes roles and databases what they should be. For the creation of an instance only: later, users
// may have changed passwords and dropped databases, and this would bring them back.
Result<> EnsureRoles(Connection& admin, const RoleSpec& spec, Duration limit);
// The master user's new password (a verifier).
Result<> SetPassword(Connection& admin, std::string_view user, std::string_view verifier,
                     Duration limit);

// Makes the database rdsadmin, closed to everybody else: the first thing on a new primary.
Result<> EnsureAdminDatabase(Connection& admin, Duration limit);

}  // namespace howdah::postgres
