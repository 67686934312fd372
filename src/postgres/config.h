// The configuration files of one node, as text. Pure. What a user's parameters say comes first;
// what Howdah's durability and isolation rest on is laid over it and always wins.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "postgres/parameters.h"

namespace howdah::postgres {

struct ForcedInput {
  int major = 0;
  std::string socket_dir;          // the node's only listening place
  std::string log_dir;             // log files go to LOG_DIR/error/postgresql.log.YYYY-MM-DD-HH
  std::string cluster_name;        // shown in process titles; the node's id
  std::uint64_t storage_gib = 20;  // bounds the WAL that a lost standby's slot may hold back
  bool has_pg_stat_statements = false;
};

Settings ForcedSettings(const ForcedInput& input);
// `user` under `forced`.
Settings Overlay(Settings user, const Settings& forced);
// Parameters that only take effect at a server start are found by PostgreSQL itself
// (Observation::pending_restart); nothing is guessed here.

// postgresql.conf, sorted, every value quoted, ending with the includes of sync.conf and
// standby.conf. kInvalid where a name is no parameter name or a value has a line break or NUL.
Result<std::string> RenderConfig(const Settings& settings);
// pg_hba.conf: local sockets only, SCRAM for everybody, replication for rdsrepladmin alone, the
// database rdsadmin for rdsadmin alone, anything else refused.
std::string RenderHba();

// 'it''s' as postgresql.conf wants it.
std::string QuoteConfigValue(std::string_view value);

// The value of synchronous_standby_names for one named standby, or "" for none.
std::string SynchronousStandbyNames(std::string_view application_name);

}  // namespace howdah::postgres
