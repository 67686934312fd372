// Values and their stages: get, put, move; and passwords drawn at random.
#include <algorithm>
#include <utility>

#include "services/secretsmanager/handlers.h"
#include "vault/password.h"

namespace howdah::services::secretsmanager {

namespace {

aws::Outcome<sm::GetSecretValueResponse> GetValue(const Context& context,
                                                  const sm::GetSecretValueRequest& in) {
  OUTCOME_ASSIGN(secrets::Value value, OutcomeOf(context.secrets.GetValue(
                                           in.secret_id.value_or(""), in.version_id.value_or(""),
                                           in.version_stage.value_or(""))));
  return ShapeOf<sm::GetSecretValueResponse>(std::move(value));
}

aws::Outcome<sm::PutSecretValueResponse> PutValue(const Context& context,
                                                  const sm::PutSecretValueRequest& in) {
  if (in.rotation_token) {
    return aws::Refuse(sm::fault::InvalidParameterException(
        "RotationToken is not supported: Howdah does not rotate secrets."));
  }
  OUTCOME_ASSIGN(std::optional<secrets::Content> content,
                 ContentOf(in.secret_string, in.secret_binary));
  if (!content) {
    return aws::Refuse(sm::fault::InvalidRequestException(
        "You must provide either SecretString or SecretBinary."));
  }
  OUTCOME_ASSIGN(const secrets::Written written,
                 OutcomeOf(context.secrets.Put({.secret_id = in.secret_id.value_or(""),
                                                .token = in.client_request_token.value_or(""),
                                                .content = *std::move(content),
                                                .stages = in.version_stages})));
  return sm::PutSecretValueResponse{
      .arn = written.record.arn,
      .name = written.record.name,
      .version_id = written.version_id,
      .version_stages = written.record.versions.at(written.version_id).stages};
}

aws::Outcome<sm::UpdateSecretVersionStageResponse> MoveStage(
    const Context& context, const sm::UpdateSecretVersionStageRequest& in) {
  const secrets::StageMove move{.stage = in.version_stage.value_or(""),
                                .from = in.remove_from_version_id.value_or(""),
                                .to = in.move_to_version_id.value_or("")};
  OUTCOME_ASSIGN(const secrets::Record record,
                 OutcomeOf(context.secrets.Move(in.secret_id.value_or(""), move)));
  return sm::UpdateSecretVersionStageResponse{.arn = record.arn, .name = record.name};
}

aws::Outcome<sm::GetRandomPasswordResponse> RandomPassword(const Context& context,
                                                           const sm::GetRandomPasswordRequest& in) {
  vault::PasswordRules rules;
  rules.length = in.password_length.value_or(rules.length);
  rules.exclude_characters = in.exclude_characters.value_or("");
  rules.exclude_numbers = in.exclude_numbers.value_or(false);
  rules.exclude_punctuation = in.exclude_punctuation.value_or(false);
  rules.exclude_uppercase = in.exclude_uppercase.value_or(false);
  rules.exclude_lowercase = in.exclude_lowercase.value_or(false);
  rules.include_space = in.include_space.value_or(false);
  rules.require_each_included_type = in.require_each_included_type.value_or(true);
  OUTCOME_ASSIGN(std::string password, OutcomeOf(vault::GeneratePassword(context.entropy, rules)));
  return sm::GetRandomPasswordResponse{.random_password = std::move(password)};
}

}  // namespace

void RegisterValues(aws::Service& service, const Context& context) {
  using Request = aws::RequestContext;
  service.Register<sm::GetSecretValue>(
      [context](const Request&, const auto& in) { return GetValue(context, in); });
  service.Register<sm::PutSecretValue>(
      [context](const Request&, const auto& in) { return PutValue(context, in); });
  service.Register<sm::UpdateSecretVersionStage>(
      [context](const Request&, const auto& in) { return MoveStage(context, in); });
  service.Register<sm::GetRandomPassword>(
      [context](const Request&, const auto& in) { return RandomPassword(context, in); });
}

}  // namespace howdah::services::secretsmanager
