// A DB instance as the user asked for it, and as documents. What it is doing right now is not in
// here: the status is computed from the run that works on it and from what its nodes report.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/json.h"
#include "base/result.h"
#include "base/time.h"
#include "fleet/deferred.h"
#include "nodes/node.h"

namespace howdah::fleet {

using Tags = std::map<std::string, std::string>;

// The part of an instance that ModifyDBInstance can change.
struct Settings {
  std::string instance_class;  // "db.t3.micro"
  std::int64_t storage_gib = 20;
  std::string storage_type = "gp2";
  bool multi_az = false;
  std::int64_t port = 5432;
  std::vector<std::string> security_groups;
  bool deletion_protection = false;
  bool auto_minor_version_upgrade = true;
  bool copy_tags_to_snapshot = false;
  std::int64_t backup_retention_days = 0;  // 0: no automated backups
  std::string backup_window;               // "hh24:mi-hh24:mi", UTC
  std::string maintenance_window;          // "ddd:hh24:mi-ddd:hh24:mi", UTC
  std::string master_verifier;             // SCRAM; a new one means a new password
  std::int64_t password_stamp = 1;         // 0: the password that was restored
  bool operator==(const Settings&) const = default;
};

struct Instance {
  InstanceId id;           // DbiResourceId
  std::string identifier;  // the name, lower case
  std::string version;     // "14.17"
  std::string database;    // DBName; empty: none
  std::string master_user;
  std::string subnet_group;
  std::string vpc;
  std::string zone;            // of the first node
  std::string secondary_zone;  // where a second node is or would be
  Settings settings;
  Deferred deferred;            // what waits for the maintenance window
  std::string sealed_password;  // of rdsadmin and replication, sealed in the vault
  NodeId first_node;            // exists from the start
  NodeId second_node;           // Multi-AZ only
  std::string first_interface;  // "eni-…", whose address is the endpoint's
  std::string second_interface;
  std::string private_address;  // of the endpoint, while there is one
  std::string host_address;
  // Where its data come from, until it is available; and whose snapshot or instance that was, for
  // people.
  nodes::Restore restore;
  std::string restored_from;
  std::int64_t restarts = 0;                   // raised by a reboot
  nodes::Power power = nodes::Power::kAbsent;  // what its nodes should be doing
  bool endpoint_open = false;                  // whether the gateway should listen for it
  std::string failure;                         // why the creation failed; empty: it did not
  RunId run;                                   // the last run that worked on it
  WallTime created{};                          // InstanceCreateTime: when it first became available
  Tags tags;
};

std::string Format(const Instance& instance);
Result<Instance> ParseInstance(std::string_view text);

json::object ToJson(const Settings& settings);
Settings SettingsFromJson(const json::object& object);

json::object TagsToJson(const Tags& tags);
Tags TagsFromJson(const json::object& object);

}  // namespace howdah::fleet
