// AWS::SecretsManager::SecretTargetAttachment: writes how to reach a DB instance into its secret.
// What the secret says already (the user, the password) stays.
#include "aws/generated/rds.h"
#include "aws/generated/secretsmanager.h"
#include "services/cloudformation/invoke.h"
#include "services/cloudformation/provider.h"

namespace howdah::cfn {

namespace {

namespace secretsmanager = aws::secretsmanager;

class SecretAttachmentProvider : public Provider {
 public:
  using Provider::Provider;

  // There is no thing to be found: the attachment is what the secret says.
  aws::Outcome<std::optional<std::string>> Find(const Subject&,
                                                const json::object&) const override {
    return std::nullopt;
  }

  aws::Outcome<std::string> Create(const Subject& subject,
                                   const json::object& properties) const override {
    OUTCOME_TRY(CheckType(properties));
    OUTCOME_ASSIGN(const auto secret, Invoke<secretsmanager::DescribeSecret>(
                                          services_.secretsmanager, subject.context,
                                          {.secret_id = TextOf(properties, "SecretId")}));
    return secret.arn.value_or("");
  }

  aws::Outcome<void> Configure(const Subject& subject,
                               const json::object& properties) const override {
    OUTCOME_ASSIGN(const auto found,
                   Invoke<aws::rds::DescribeDBInstances>(
                       services_.rds, subject.context,
                       {.db_instance_identifier = TextOf(properties, "TargetId")}));
    if (found.db_instances.empty() || !found.db_instances[0].endpoint) {
      return aws::Refuse("InvalidDBInstanceState", "the DB instance has no endpoint");
    }
    OUTCOME_ASSIGN(const auto current,
                   Invoke<secretsmanager::GetSecretValue>(services_.secretsmanager, subject.context,
                                                          {.secret_id = subject.id()}));
    auto value = ParseJsonObject(current.secret_string.value_or("{}"));
    if (!value) {
      return aws::Refuse(aws::ValidationError("the secret is not a JSON object"));
    }
    const json::object before = *value;
    Describe(found.db_instances[0], *value);
    if (*value == before) return {};
    OUTCOME_TRY(Invoke<secretsmanager::PutSecretValue>(
        services_.secretsmanager, subject.context,
        {.secret_id = subject.id(), .secret_string = json::serialize(*value)}));
    return {};
  }

  // Another instance: its place is written over that of the old one.
  aws::Outcome<void> Update(const Subject& subject, const json::object&, const json::object& after,
                            const std::vector<std::string>&) const override {
    OUTCOME_TRY(CheckType(after));
    return Configure(subject, after);
  }

  aws::Outcome<std::optional<json::object>> Read(const Subject& subject,
                                                 const json::object& expected) const override {
    auto current = Invoke<secretsmanager::GetSecretValue>(services_.secretsmanager, subject.context,
                                                          {.secret_id = subject.id()});
    if (!current && IsNotFound(current.error())) return std::nullopt;
    if (!current) return std::unexpected(current.error());
    const auto value = ParseJsonObject(current->secret_string.value_or("{}"));
    json::object actual = expected;
    actual.insert_or_assign("TargetId",
                            value ? JsonString(*value, "dbInstanceIdentifier") : std::string());
    return actual;
  }

  // The secret keeps what was written: it may be in use, and it has an end of its own.
  aws::Outcome<bool> Delete(const Subject&) const override { return true; }

  aws::Outcome<json::value> Attribute(const Subject& subject, std::string_view) const override {
    return TextValue(subject.id());
  }

 private:
  static aws::Outcome<void> CheckType(const json::object& properties) {
    if (TextOf(properties, "TargetType") == "AWS::RDS::DBInstance") return {};
    return aws::Refuse(
        aws::ValidationError("TargetType must be AWS::RDS::DBInstance; others are not supported"));
  }

  static void Describe(const aws::rds::DBInstance& instance, json::object& value) {
    const std::string engine = instance.engine.value_or("");
    value.insert_or_assign("engine", engine);
    value.insert_or_assign("host", instance.endpoint->address.value_or(""));
    value.insert_or_assign("port", instance.endpoint->port.value_or(0));
    if (instance.db_name) value.insert_or_assign("dbname", *instance.db_name);
    value.insert_or_assign("dbInstanceIdentifier", instance.db_instance_identifier.value_or(""));
    if (!value.contains("username")) {
      value.emplace("username", instance.master_username.value_or(""));
    }
  }
};

}  // namespace

std::unique_ptr<Provider> MakeSecretAttachmentProvider(const Services& services) {
  return std::make_unique<SecretAttachmentProvider>(services);
}

}  // namespace howdah::cfn
