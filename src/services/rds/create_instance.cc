// CreateDBInstance: every value is checked, and the whole wish handed to the fleet at once.
#include <fmt/format.h>

#include "postgres/scram.h"
#include "services/rds/new_instance.h"
#include "services/rds/not_served.h"
#include "services/rds/validate.h"

namespace howdah::services::rds {

namespace {

Outcome<std::string> Verifier(const fleet::Context& context,
                              const api::CreateDBInstanceMessage& in) {
  OUTCOME_ASSIGN(const std::string password,
                 Required(in.master_user_password, "MasterUserPassword"));
  OUTCOME_TRY(ValidPassword(password));
  auto verifier = postgres::MakeScramVerifier(password, context.entropy);
  if (!verifier) return Refuse(aws::FaultOf(verifier.error()));
  return *std::move(verifier);
}

}  // namespace

Outcome<api::CreateDBInstanceResult> Create(const fleet::Context& context,
                                            const api::CreateDBInstanceMessage& in) {
  OUTCOME_ASSIGN(const std::string identifier,
                 ValidIdentifier("DBInstanceIdentifier", in.db_instance_identifier.value_or("")));
  if (in.engine.value_or("") != kEngine) {
    return Refuse(aws::InvalidParameterValue(
        fmt::format("Invalid DB engine: {}. Howdah runs postgres.", in.engine.value_or(""))));
  }
  OUTCOME_ASSIGN(const std::string version, ChooseVersion(context, in.engine_version));
  OUTCOME_TRY(RefuseNotServed(in, MajorOf(version)));
  OUTCOME_ASSIGN(fleet::NewInstance wish, NewInstanceFrom(context, in, version));
  wish.identifier = identifier;
  OUTCOME_ASSIGN(wish.settings.master_verifier, Verifier(context, in));
  OUTCOME_ASSIGN(wish.master_user, Required(in.master_username, "MasterUsername"));
  OUTCOME_TRY(ValidMasterUsername(wish.master_user));
  wish.database = in.db_name.value_or("");
  if (wish.database == "postgres") wish.database.clear();  // it is there anyway
  if (!wish.database.empty()) OUTCOME_TRY(ValidDatabaseName(wish.database));
  OUTCOME_ASSIGN(api::DBInstance shape,
                 Answer(context, wish.identifier, fleet::CreateInstance(context, wish)));
  return api::CreateDBInstanceResult{.db_instance = std::move(shape)};
}

}  // namespace howdah::services::rds
