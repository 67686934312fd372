// AWS::SecretsManager::Secret. A generated value is made by GetRandomPassword and goes straight
// into CreateSecret; it is kept nowhere else.
#include "aws/generated/secretsmanager.h"
#include "services/cloudformation/invoke.h"
#include "services/cloudformation/provider.h"

namespace howdah::cfn {

namespace {

namespace secretsmanager = aws::secretsmanager;

aws::List<secretsmanager::Tag> SecretTags(const Tags& tags) {
  aws::List<secretsmanager::Tag> list;
  for (const auto& [key, value] : tags) list.push_back({.key = key, .value = value});
  return list;
}

class SecretProvider : public Provider {
 public:
  using Provider::Provider;

  aws::Outcome<std::optional<std::string>> Find(const Subject& subject,
                                                const json::object& properties) const override {
    auto secret = Invoke<secretsmanager::DescribeSecret>(
        services_.secretsmanager, subject.context, {.secret_id = NameOf(subject, properties)});
    if (!secret && IsNotFound(secret.error())) return std::nullopt;
    if (!secret) return std::unexpected(secret.error());
    if (secret->deleted_date) return std::nullopt;
    for (const secretsmanager::Tag& tag : secret->tags) {
      if (tag.key == kTokenTag && tag.value == subject.record.token) return secret->arn;
    }
    return std::nullopt;
  }

  aws::Outcome<std::string> Create(const Subject& subject,
                                   const json::object& properties) const override {
    secretsmanager::CreateSecretRequest request;
    request.name = NameOf(subject, properties);
    if (properties.contains("Description")) {
      request.description = TextOf(properties, "Description");
    }
    if (properties.contains("KmsKeyId")) request.kms_key_id = TextOf(properties, "KmsKeyId");
    request.client_request_token = subject.record.token;
    request.tags = SecretTags(AllTags(subject, properties));
    if (properties.contains("GenerateSecretString") && properties.contains("SecretString")) {
      return aws::Refuse(
          aws::ValidationError("You can't specify both GenerateSecretString and SecretString"));
    }
    if (properties.contains("SecretString")) {
      request.secret_string = TextOf(properties, "SecretString");
    } else if (properties.contains("GenerateSecretString")) {
      OUTCOME_ASSIGN(request.secret_string,
                     Generate(subject, JsonObject(properties, "GenerateSecretString")));
    }
    OUTCOME_ASSIGN(const auto made, Invoke<secretsmanager::CreateSecret>(services_.secretsmanager,
                                                                         subject.context, request));
    return made.arn.value_or("");
  }

  aws::Outcome<void> Update(const Subject& subject, const json::object& before,
                            const json::object& after,
                            const std::vector<std::string>& changed) const override {
    secretsmanager::UpdateSecretRequest request;
    request.secret_id = subject.id();
    if (Mentions(changed, "Description")) request.description = TextOf(after, "Description");
    if (Mentions(changed, "KmsKeyId")) request.kms_key_id = TextOf(after, "KmsKeyId");
    if (Mentions(changed, "SecretString") && after.contains("SecretString")) {
      request.secret_string = TextOf(after, "SecretString");
    } else if (Mentions(changed, "GenerateSecretString") &&
               after.contains("GenerateSecretString")) {
      OUTCOME_ASSIGN(request.secret_string,
                     Generate(subject, JsonObject(after, "GenerateSecretString")));
    }
    if (request.description || request.secret_string || request.kms_key_id) {
      OUTCOME_TRY(
          Invoke<secretsmanager::UpdateSecret>(services_.secretsmanager, subject.context, request));
    }
    if (!Mentions(changed, "Tags")) return {};
    return UpdateSecretTags(subject, before, after);
  }

  aws::Outcome<std::optional<json::object>> Read(const Subject& subject,
                                                 const json::object& expected) const override {
    auto secret = Invoke<secretsmanager::DescribeSecret>(services_.secretsmanager, subject.context,
                                                         {.secret_id = subject.id()});
    if (!secret && IsNotFound(secret.error())) return std::nullopt;
    if (!secret) return std::unexpected(secret.error());
    if (secret->deleted_date) return std::nullopt;
    json::object actual =
        ReadMembers(*secretsmanager::DescribeSecret::Desc().output, &*secret, expected);
    if (expected.contains("Tags")) {
      Tags tags;
      for (const auto& tag : secret->tags) tags[tag.key.value_or("")] = tag.value.value_or("");
      actual.emplace("Tags", OwnTags(subject, tags, expected));
    }
    return actual;
  }

  aws::Outcome<bool> Delete(const Subject& subject) const override {
    OUTCOME_TRY(Invoke<secretsmanager::DeleteSecret>(
        services_.secretsmanager, subject.context,
        {.secret_id = subject.id(), .force_delete_without_recovery = true}));
    return true;
  }

  aws::Outcome<json::value> Attribute(const Subject& subject, std::string_view) const override {
    return TextValue(subject.id());
  }

 private:
  static std::string NameOf(const Subject& subject, const json::object& properties) {
    return TextOf(properties, "Name", subject.record.physical_name);
  }

  // The password alone, or within SecretStringTemplate's object under GenerateStringKey.
  aws::Outcome<std::string> Generate(const Subject& subject, const json::object& how) const {
    json::object known = how;
    known.erase("GenerateStringKey");
    known.erase("SecretStringTemplate");
    OUTCOME_ASSIGN(const auto request, RequestFrom<secretsmanager::GetRandomPassword>(known));
    OUTCOME_ASSIGN(const auto made, Invoke<secretsmanager::GetRandomPassword>(
                                        services_.secretsmanager, subject.context, request));
    const std::string key = TextOf(how, "GenerateStringKey");
    if (key.empty() != !how.contains("SecretStringTemplate")) {
      return aws::Refuse(aws::ValidationError(
          "GenerateStringKey and SecretStringTemplate are only allowed together"));
    }
    if (key.empty()) return made.random_password.value_or("");
    auto object = ParseJsonObject(TextOf(how, "SecretStringTemplate"));
    if (!object) {
      return aws::Refuse(aws::ValidationError("SecretStringTemplate must be a JSON object"));
    }
    object->insert_or_assign(key, made.random_password.value_or(""));
    return json::serialize(*object);
  }

  aws::Outcome<void> UpdateSecretTags(const Subject& subject, const json::object& before,
                                      const json::object& after) const {
    Tags old_tags = AllTags(subject, before);
    for (const auto& [key, value] : subject.stack.tags) old_tags.emplace(key, value);
    for (const auto& [key, value] : subject.stack.next_tags) old_tags.emplace(key, value);
    const Tags new_tags = AllTags(subject, after);
    secretsmanager::UntagResourceRequest remove;
    remove.secret_id = subject.id();
    for (const auto& [key, value] : old_tags) {
      if (!new_tags.contains(key)) remove.tag_keys.push_back(key);
    }
    if (!remove.tag_keys.empty()) {
      OUTCOME_TRY(
          Invoke<secretsmanager::UntagResource>(services_.secretsmanager, subject.context, remove));
    }
    OUTCOME_TRY(Invoke<secretsmanager::TagResource>(
        services_.secretsmanager, subject.context,
        {.secret_id = subject.id(), .tags = SecretTags(new_tags)}));
    return {};
  }
};

}  // namespace

std::unique_ptr<Provider> MakeSecretProvider(const Services& services) {
  return std::make_unique<SecretProvider>(services);
}

}  // namespace howdah::cfn
