// What the handlers of DB instances share: finding one, checking what it is asked to be, and saying
// in RDS's words what the fleet made of a command.
#pragma once

#include "services/rds/handlers.h"

namespace howdah::services::rds {

// Lower case of an identifier, also out of an ARN.
std::string IdentifierIn(std::string_view name);
Outcome<fleet::Versioned<fleet::Instance>> Find(const fleet::Context& context,
                                                std::string_view name);
// The instance as it now is, or why the fleet refused: it is not in the wanted state.
Outcome<api::DBInstance> Answer(const fleet::Context& context, std::string_view identifier,
                                const Result<fleet::Instance>& done,
                                std::string_view wanted = "available");
// Of the VPC all; none wanted: its default group.
Outcome<std::vector<std::string>> FindSecurityGroups(const fleet::Context& context,
                                                     const std::string& vpc,
                                                     const aws::List<std::string>& wanted);
Outcome<void> ValidClass(std::string_view name, std::string_view version);

// create_instance.cc, modify_instance.cc
Outcome<api::CreateDBInstanceResult> Create(const fleet::Context& context,
                                            const api::CreateDBInstanceMessage& in);
Outcome<api::ModifyDBInstanceResult> Modify(const fleet::Context& context,
                                            const api::ModifyDBInstanceMessage& in);

}  // namespace howdah::services::rds
