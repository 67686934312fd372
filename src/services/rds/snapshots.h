// What the handlers of DB snapshots share with those of instances: names, and the fleet's refusals
// in RDS's words.
#pragma once

#include "fleet/backup_commands.h"
#include "services/rds/handlers.h"

namespace howdah::services::rds {

// Lower case of a snapshot's identifier, also out of an ARN.
std::string SnapshotIn(std::string_view name);
Outcome<fleet::Versioned<fleet::DbSnapshot>> FindSnapshot(const fleet::Context& context,
                                                          std::string_view name);
// The refusals of a command that are about the snapshot which it should take.
Outcome<void> SnapshotTaken(const fleet::Context& context, const Result<fleet::Instance>& done,
                            std::string_view snapshot);
std::optional<aws::Fault> SnapshotFault(const Error& error, std::string_view snapshot);
// Without a repository for backups the parameter is refused.
Outcome<void> HasRepository(const fleet::Context& context, std::string_view parameter);

Outcome<api::DBSnapshot> ToShape(const fleet::Context& context, const fleet::DbSnapshot& snapshot);

// snapshot_attributes.cc
Outcome<api::DescribeDBSnapshotAttributesResult> DescribeAttributes(
    const fleet::Context& context, const api::DescribeDBSnapshotAttributesMessage& in);
Outcome<api::ModifyDBSnapshotAttributeResult> ModifyAttribute(
    const fleet::Context& context, const api::ModifyDBSnapshotAttributeMessage& in);
Outcome<api::ModifyDBSnapshotResult> ModifySnapshot(const fleet::Context& context,
                                                    const api::ModifyDBSnapshotMessage& in);

}  // namespace howdah::services::rds
