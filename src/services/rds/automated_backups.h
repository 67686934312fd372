// Automated backups as RDS names them.
#pragma once

#include "fleet/backup_records.h"
#include "services/rds/handlers.h"

namespace howdah::services::rds {

std::string AutomatedBackupArn(const fleet::Context& context, const fleet::AutomatedBackup& backup);
// By the instance that it is or was of, or by ARN; one that is going is not found.
Outcome<fleet::AutomatedBackup> FindAutomatedBackup(const fleet::Context& context,
                                                    const std::optional<std::string>& resource_id,
                                                    const std::optional<std::string>& arn);

}  // namespace howdah::services::rds
