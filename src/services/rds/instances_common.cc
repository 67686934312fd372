#include <fmt/format.h>

#include "postgres/instance_class.h"
#include "services/rds/instances.h"
#include "vpc/records.h"

namespace howdah::services::rds {

namespace {

std::unexpected<aws::Fault> NotFound(std::string_view identifier) {
  return Refuse(
      api::fault::DBInstanceNotFoundFault(fmt::format("DBInstance {} not found.", identifier)));
}

}  // namespace

// An instance is named by its identifier, in any case, or by its ARN.
std::string IdentifierIn(std::string_view name) {
  constexpr std::string_view kKind = ":db:";
  if (name.starts_with("arn:")) {
    const std::size_t at = name.find(kKind);
    if (at != std::string_view::npos) name.remove_prefix(at + kKind.size());
  }
  std::string lower(name);
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
  return lower;
}

Outcome<fleet::Versioned<fleet::Instance>> Find(const fleet::Context& context,
                                                std::string_view name) {
  auto found = fleet::FindInstance(context.store, IdentifierIn(name));
  if (found) return *std::move(found);
  if (found.error().code() == Code::kNotFound) return NotFound(IdentifierIn(name));
  return Refuse(aws::FaultOf(found.error()));
}

Outcome<api::DBInstance> Answer(const fleet::Context& context, std::string_view identifier,
                                const Result<fleet::Instance>& done, std::string_view wanted) {
  if (done) return ToShape(context, *done);
  switch (done.error().code()) {
    case Code::kNotFound:
      return NotFound(identifier);
    case Code::kAlreadyExists:
      return Refuse(api::fault::DBInstanceAlreadyExistsFault("DB instance already exists"));
    case Code::kFailedState:
      if (done.error().what() == "deleting") {
        return Refuse(api::fault::InvalidDBInstanceStateFault(
            fmt::format("Instance {} is already being deleted.", identifier)));
      }
      return Refuse(api::fault::InvalidDBInstanceStateFault(fmt::format(
          "Instance {} is not in {} state. It is {}.", identifier, wanted, done.error().what())));
    case Code::kConflict:
      return Refuse(api::fault::InvalidDBInstanceStateFault(fmt::format(
          "Instance {} was changed by another request at the same time; try again.", identifier)));
    default:
      return Refuse(aws::FaultOf(done.error()));
  }
}

Outcome<std::vector<std::string>> FindSecurityGroups(const fleet::Context& context,
                                                     const std::string& vpc,
                                                     const aws::List<std::string>& wanted) {
  if (wanted.empty()) {
    const auto own = vpc::Get<vpc::Vpc>(context.store, vpc::VpcId(vpc));
    if (!own) return Refuse(aws::FaultOf(own.error()));
    return std::vector<std::string>{own->default_group.str()};
  }
  for (const std::string& id : wanted) {
    const auto group = vpc::Get<vpc::SecurityGroup>(context.store, vpc::GroupId(id));
    if (!group || group->vpc.str() != vpc) {
      return Refuse(aws::InvalidParameterValue(fmt::format(
          "Invalid security group , groupId= {}, groupName=. It is not a group of {}.", id, vpc)));
    }
  }
  return std::vector<std::string>(wanted.begin(), wanted.end());
}

Outcome<void> ValidClass(std::string_view name, std::string_view version) {
  if (postgres::FindInstanceClass(name)) return {};
  return Refuse(aws::InvalidParameterCombination(fmt::format(
      "RDS does not support creating a DB instance with the following combination: "
      "DBInstanceClass={}, Engine=postgres, EngineVersion={}, LicenseModel={}. For supported "
      "combinations of instance class and database engine version, see the documentation.",
      name, version, kLicense)));
}

}  // namespace howdah::services::rds
