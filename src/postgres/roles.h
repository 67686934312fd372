// RDS's roles and databases on a new or an existing server, idempotently. rdsadmin is the bootstrap
// superuser; the master user is none: no server files, no programs, no ALTER SYSTEM.
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

// Makes roles and databases what they should be; `admin` is connected as rdsadmin to postgres
// (with ConnectOptions::quiet).
Result<> EnsureRoles(Connection& admin, const RoleSpec& spec, Duration limit);
// The master user's new password (a verifier).
Result<> SetPassword(Connection& admin, std::string_view user, std::string_view verifier,
                     Duration limit);

}  // namespace howdah::postgres
