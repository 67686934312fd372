// RDS's rules for names, numbers and windows, pure, with RDS's faults. Facts: the API reference of
// CreateDBInstance and CreateDBSubnetGroup.
#pragma once

#include <string>
#include <string_view>

#include "aws/fault.h"
#include "fleet/context.h"

namespace howdah::services::rds {

// Lower case of a DB instance or subnet group identifier that follows the rules.
aws::Outcome<std::string> ValidIdentifier(std::string_view parameter, std::string_view value,
                                          std::size_t longest = 63);
// The same of a DB snapshot of one's own.
aws::Outcome<std::string> ValidSnapshotIdentifier(std::string_view parameter,
                                                  std::string_view value);
aws::Outcome<void> ValidDatabaseName(std::string_view value);
aws::Outcome<void> ValidMasterUsername(std::string_view value);
aws::Outcome<void> ValidPassword(std::string_view value);
aws::Outcome<void> ValidPort(std::string_view parameter, std::int64_t port);
aws::Outcome<void> ValidStorage(std::string_view parameter, std::string_view storage_type,
                                std::int64_t gib);
// 0 to 35 days; 0 only, where there is no repository for backups.
aws::Outcome<void> ValidRetention(const fleet::Context& context, std::int64_t days);
// "hh24:mi-hh24:mi", at least 30 minutes.
aws::Outcome<void> ValidBackupWindow(std::string_view value);
// "ddd:hh24:mi-ddd:hh24:mi", at least 30 minutes and less than a day; normalised to lower case.
aws::Outcome<std::string> ValidMaintenanceWindow(std::string_view value);
// The two may not overlap.
aws::Outcome<void> ValidWindows(std::string_view backup, std::string_view maintenance);

}  // namespace howdah::services::rds
