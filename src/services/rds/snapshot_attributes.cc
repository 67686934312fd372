// What can be changed of a DB snapshot: with one account and without upgrades, hardly anything.
// What cannot be done is refused.
#include <fmt/format.h>

#include "services/rds/snapshots.h"

namespace howdah::services::rds {

namespace {

constexpr std::string_view kRestore = "restore";  // who else may restore it

// Nobody: there is one account.
api::DBSnapshotAttributesResult AttributesOf(const fleet::DbSnapshot& snapshot) {
  api::DBSnapshotAttribute attribute;
  attribute.attribute_name = std::string(kRestore);
  attribute.attribute_values.MarkPresent();
  api::DBSnapshotAttributesResult result;
  result.db_snapshot_identifier = snapshot.identifier;
  result.db_snapshot_attributes.push_back(std::move(attribute));
  return result;
}

}  // namespace

Outcome<api::DescribeDBSnapshotAttributesResult> DescribeAttributes(
    const fleet::Context& context, const api::DescribeDBSnapshotAttributesMessage& in) {
  OUTCOME_ASSIGN(const auto found, FindSnapshot(context, in.db_snapshot_identifier.value_or("")));
  return api::DescribeDBSnapshotAttributesResult{.db_snapshot_attributes_result =
                                                     AttributesOf(found.value)};
}

Outcome<api::ModifyDBSnapshotAttributeResult> ModifyAttribute(
    const fleet::Context& context, const api::ModifyDBSnapshotAttributeMessage& in) {
  OUTCOME_ASSIGN(const auto found, FindSnapshot(context, in.db_snapshot_identifier.value_or("")));
  if (in.attribute_name.value_or("") != kRestore) {
    return Refuse(aws::InvalidParameterValue(fmt::format(
        "Invalid AttributeName: {}. It can be restore.", in.attribute_name.value_or(""))));
  }
  if (found.value.automated || !found.value.IsAvailable()) {
    return Refuse(api::fault::InvalidDBSnapshotStateFault(
        fmt::format("Only a manual DB snapshot that is available can be shared; {} is {} and {}.",
                    found.value.identifier, found.value.automated ? "automated" : "manual",
                    fleet::StatusOf(found.value))));
  }
  if (!in.values_to_add.empty()) {
    return Refuse(aws::InvalidParameterValue(fmt::format(
        "Invalid value {} in ValuesToAdd: Howdah has one account, {}, with which nothing has to be "
        "shared.",
        in.values_to_add[0], context.account)));
  }
  return api::ModifyDBSnapshotAttributeResult{.db_snapshot_attributes_result =
                                                  AttributesOf(found.value)};
}

Outcome<api::ModifyDBSnapshotResult> ModifySnapshot(const fleet::Context& context,
                                                    const api::ModifyDBSnapshotMessage& in) {
  OUTCOME_ASSIGN(const auto found, FindSnapshot(context, in.db_snapshot_identifier.value_or("")));
  const std::string& version = found.value.facts.version;
  if (!in.engine_version && !in.option_group_name) {
    return Refuse(aws::InvalidParameterCombination("No modifications were requested"));
  }
  if (in.engine_version && *in.engine_version != version) {
    return Refuse(aws::InvalidParameterCombination(
        fmt::format("Cannot upgrade postgres from {} to {}: Howdah does not upgrade snapshots "
                    "(EngineVersion). Restore it and upgrade the DB instance.",
                    version, *in.engine_version)));
  }
  const std::string options = fmt::format("default:postgres-{}", MajorOf(version));
  if (in.option_group_name && *in.option_group_name != options) {
    return Refuse(aws::InvalidParameterValue(
        fmt::format("Specified OptionGroupName: {} not found.", *in.option_group_name)));
  }
  OUTCOME_ASSIGN(api::DBSnapshot shape, ToShape(context, found.value));
  return api::ModifyDBSnapshotResult{.db_snapshot = std::move(shape)};
}

}  // namespace howdah::services::rds
