// AWS::RDS::DBInstance: the one resource that takes time. Its identifier is chosen before it is
// made.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "services/cloudformation/providers/db_instance_properties.h"
#include "services/cloudformation/providers/rds_tags.h"

namespace howdah::cfn {

namespace {

constexpr std::array<std::string_view, 6> kHopeless = {"failed",
                                                       "incompatible-parameters",
                                                       "incompatible-restore",
                                                       "incompatible-network",
                                                       "storage-full",
                                                       "deleting"};

// "stack-snapshot-logical-1a2b3c4d5e6f", as AWS names the snapshot that a deletion leaves; the same
// at every try.
std::string FinalSnapshotName(const Subject& subject) {
  constexpr std::size_t kDigits = 12;
  std::string token = subject.record.token;
  std::erase(token, '-');
  return fmt::format("{}-snapshot-{}-{}", subject.stack.name, subject.record.logical_id,
                     token.substr(0, kDigits));
}

class DBInstanceProvider : public Provider {
 public:
  using Provider::Provider;

  aws::Outcome<std::optional<std::string>> Find(const Subject& subject,
                                                const json::object& properties) const override {
    auto instance = Describe(subject, NameOf(subject, properties));
    if (!instance && IsNotFound(instance.error())) return std::nullopt;
    if (!instance) return std::unexpected(instance.error());
    OUTCOME_ASSIGN(const bool ours,
                   IsMadeBy(services_, subject, instance->db_instance_arn.value_or("")));
    if (!ours) return std::nullopt;
    return instance->db_instance_identifier;
  }

  aws::Outcome<std::string> Create(const Subject& subject,
                                   const json::object& properties) const override {
    json::object known = properties;
    known.erase("Tags");
    known.erase("AllowMajorVersionUpgrade");  // says how to modify, not what to create
    Rename(known, "VPCSecurityGroups", "VpcSecurityGroupIds");
    if (IsRestored(properties)) return Restore(subject, properties, known);
    WithoutEmptySources(known);
    OUTCOME_ASSIGN(auto request, RequestFrom<rds::CreateDBInstance>(known));
    request.db_instance_identifier = NameOf(subject, properties);
    request.tags = RdsTags(AllTags(subject, properties));
    OUTCOME_ASSIGN(const auto made,
                   Invoke<rds::CreateDBInstance>(services_.rds, subject.context, request));
    return made.db_instance->db_instance_identifier.value_or("");
  }

  // A restore takes fewer parameters than a creation: the others are changed when it is done.
  bool ConfiguresWhenStable(const json::object& properties) const override {
    return IsRestored(properties);
  }
  aws::Outcome<void> Configure(const Subject& subject,
                               const json::object& properties) const override {
    if (!IsRestored(properties)) return {};
    json::object rest;
    for (const auto& [name, value] : properties) {
      const bool done = name == "Tags" || name == "VPCSecurityGroups" ||
                        name == "AllowMajorVersionUpgrade" ||
                        Takes(RestoreOperation(properties), name);
      if (!done) rest.emplace(name, value);
    }
    if (rest.empty()) return {};
    OUTCOME_ASSIGN(auto request, RequestFrom<rds::ModifyDBInstance>(rest));
    request.db_instance_identifier = subject.id();
    request.apply_immediately = true;
    OUTCOME_TRY(Invoke<rds::ModifyDBInstance>(services_.rds, subject.context, request));
    return {};
  }

  // ": why", from the newest failure event of the instance; empty where there is none.
  std::string LastFailure(const Subject& subject) const {
    rds::DescribeEventsMessage request;
    request.source_type = "db-instance";
    request.source_identifier = subject.id();
    const auto events = Invoke<rds::DescribeEvents>(services_.rds, subject.context, request);
    if (!events) return "";
    std::string newest;
    for (const rds::Event& event : events->events) {
      if (std::ranges::find(event.event_categories, "failure") == event.event_categories.end()) {
        continue;
      }
      newest = ": " + event.message.value_or("");
    }
    return newest;
  }

  aws::Outcome<bool> IsStable(const Subject& subject) const override {
    OUTCOME_ASSIGN(const rds::DBInstance instance, Describe(subject, subject.id()));
    const std::string status = instance.db_instance_status.value_or("");
    if (std::ranges::find(kHopeless, status) != kHopeless.end()) {
      return aws::Refuse("NotStabilized", fmt::format("DB instance {} is in status {}{}",
                                                      subject.id(), status, LastFailure(subject)));
    }
    return status == "available";
  }

  aws::Outcome<void> Update(const Subject& subject, const json::object& before,
                            const json::object& after,
                            const std::vector<std::string>& changed) const override {
    json::object request_properties;
    for (const std::string& name : changed) {
      if (name == "Tags" || CannotBeTakenBack(subject, name, before, after)) continue;
      // As on AWS, what the template no longer sets stays as it is; a switch has a default.
      if (const json::value* value = after.if_contains(name)) {
        request_properties.emplace(name, *value);
      } else if (name == "MultiAZ" || name == "DeletionProtection" ||
                 name == "CopyTagsToSnapshot") {
        request_properties.emplace(name, false);
      } else if (name == "AutoMinorVersionUpgrade") {
        request_properties.emplace(name, true);
      }
    }
    OUTCOME_ASSIGN(const rds::DBInstance instance, Describe(subject, subject.id()));
    if (!request_properties.empty()) {
      Rename(request_properties, "VPCSecurityGroups", "VpcSecurityGroupIds");
      Rename(request_properties, "Port", "DBPortNumber");
      OUTCOME_ASSIGN(auto request, RequestFrom<rds::ModifyDBInstance>(request_properties));
      request.db_instance_identifier = subject.id();
      request.apply_immediately = true;
      OUTCOME_TRY(Invoke<rds::ModifyDBInstance>(services_.rds, subject.context, request));
    }
    if (!Mentions(changed, "Tags")) return {};
    return UpdateRdsTags(services_, subject, instance.db_instance_arn.value_or(""), before, after);
  }

  aws::Outcome<std::optional<json::object>> Read(const Subject& subject,
                                                 const json::object& expected) const override {
    auto instance = Describe(subject, subject.id());
    if (!instance && IsNotFound(instance.error())) return std::nullopt;
    if (!instance) return std::unexpected(instance.error());
    json::object actual = ReadMembers(ItemShape(rds::DescribeDBInstances::Desc(), "DBInstances"),
                                      &*instance, expected);
    ReadOthers(*instance, actual);
    TakeSpelling(actual, expected);
    if (expected.contains("Tags")) {
      OUTCOME_ASSIGN(const Tags tags,
                     TagsOf(services_, subject, instance->db_instance_arn.value_or("")));
      actual.emplace("Tags", OwnTags(subject, tags, expected));
    }
    return actual;
  }

  aws::Outcome<bool> Delete(const Subject& subject) const override {
    auto instance = Describe(subject, subject.id());
    if (!instance && IsNotFound(instance.error())) return true;
    if (!instance) return std::unexpected(instance.error());
    if (instance->db_instance_status == "deleting") return false;
    rds::DeleteDBInstanceMessage request{.db_instance_identifier = subject.id(),
                                         .skip_final_snapshot = true};
    // What never became available holds nothing.
    const bool holds_data =
        instance->instance_create_time && instance->db_instance_status != "failed";
    if (subject.record.policy == DeletionPolicy::kSnapshot && holds_data) {
      request.skip_final_snapshot = false;
      request.final_db_snapshot_identifier = FinalSnapshotName(subject);
    }
    OUTCOME_TRY(Invoke<rds::DeleteDBInstance>(services_.rds, subject.context, request));
    return false;
  }

  aws::Outcome<json::value> Attribute(const Subject& subject,
                                      std::string_view name) const override {
    OUTCOME_ASSIGN(const rds::DBInstance instance, Describe(subject, subject.id()));
    if (name == "DBInstanceArn") return TextValue(instance.db_instance_arn);
    if (name == "DbiResourceId") return TextValue(instance.dbi_resource_id);
    if (!instance.endpoint) {
      return aws::Refuse("InvalidDBInstanceState", "the DB instance has no endpoint");
    }
    if (name == "Endpoint.Address") return TextValue(instance.endpoint->address);
    return TextValue(fmt::format("{}", instance.endpoint->port.value_or(0)));
  }

 private:
  // Names and passwords are in what is restored; a password may be given anew.
  aws::Outcome<std::string> Restore(const Subject& subject, const json::object& properties,
                                    const json::object& known) const {
    for (const std::string_view name : {"MasterUsername", "DBName", "KmsKeyId"}) {
      if (!properties.contains(name)) continue;
      return aws::Refuse(aws::InvalidParameterCombination(
          fmt::format("{} can't be specified for a DB instance that is restored.", name)));
    }
    if (IsFromSnapshot(properties) && IsFromTime(properties)) {
      return aws::Refuse(aws::InvalidParameterCombination(
          "DBSnapshotIdentifier can't be specified together with a source to restore to a time."));
    }
    json::object taken;
    for (const auto& [name, value] : known) {
      if (Takes(RestoreOperation(properties), name)) taken.emplace(name, value);
    }
    if (IsFromTime(properties)) return RestoreToTime(subject, properties, taken);
    OUTCOME_ASSIGN(auto request, RequestFrom<rds::RestoreDBInstanceFromDBSnapshot>(taken));
    request.db_instance_identifier = NameOf(subject, properties);
    request.tags = RdsTags(AllTags(subject, properties));
    OUTCOME_ASSIGN(const auto made, Invoke<rds::RestoreDBInstanceFromDBSnapshot>(
                                        services_.rds, subject.context, request));
    return made.db_instance->db_instance_identifier.value_or("");
  }

  aws::Outcome<std::string> RestoreToTime(const Subject& subject, const json::object& properties,
                                          const json::object& taken) const {
    OUTCOME_ASSIGN(auto request, RequestFrom<rds::RestoreDBInstanceToPointInTime>(taken));
    request.target_db_instance_identifier = NameOf(subject, properties);
    request.tags = RdsTags(AllTags(subject, properties));
    OUTCOME_ASSIGN(const auto made, Invoke<rds::RestoreDBInstanceToPointInTime>(
                                        services_.rds, subject.context, request));
    return made.db_instance->db_instance_identifier.value_or("");
  }

  static std::string NameOf(const Subject& subject, const json::object& properties) {
    return TextOf(properties, "DBInstanceIdentifier", subject.record.physical_name);
  }

  aws::Outcome<rds::DBInstance> Describe(const Subject& subject, const std::string& name) const {
    OUTCOME_ASSIGN(const auto found,
                   Invoke<rds::DescribeDBInstances>(services_.rds, subject.context,
                                                    {.db_instance_identifier = name}));
    if (found.db_instances.empty()) {
      return aws::Refuse("DBInstanceNotFound", fmt::format("DBInstance {} not found.", name), 404);
    }
    return found.db_instances[0];
  }
};

}  // namespace

std::unique_ptr<Provider> MakeDBInstanceProvider(const Services& services) {
  return std::make_unique<DBInstanceProvider>(services);
}

}  // namespace howdah::cfn
