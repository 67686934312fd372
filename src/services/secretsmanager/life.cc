// A secret's life: create, describe, update, tag, delete, restore.
#include <utility>

#include "services/secretsmanager/handlers.h"

namespace howdah::services::secretsmanager {

namespace {

constexpr int kDefaultRecoveryDays = 30;

std::unexpected<aws::Fault> NotServed(const std::string& parameter, const std::string& what) {
  return aws::Refuse(
      sm::fault::InvalidParameterException(parameter + " is not supported: " + what));
}

aws::Outcome<void> CheckType(const std::optional<std::string>& type) {
  if (!type || type->empty()) return {};
  return NotServed("Type", "Howdah does not manage secrets of external partners.");
}

aws::Outcome<sm::CreateSecretResponse> Create(const Context& context,
                                              const sm::CreateSecretRequest& in) {
  if (const Result<> name = secrets::CheckName(in.name.value_or("")); !name) {
    return aws::Refuse("ValidationException", name.error().what());
  }
  OUTCOME_TRY(CheckKmsKey(in.kms_key_id));
  OUTCOME_TRY(CheckType(in.type));
  if (!in.add_replica_regions.empty() || in.force_overwrite_replica_secret.value_or(false)) {
    return NotServed("AddReplicaRegions", "Howdah keeps a secret in one region only.");
  }
  secrets::CreateRequest request{.name = in.name.value_or(""),
                                 .token = in.client_request_token.value_or(""),
                                 .description = in.description.value_or("")};
  OUTCOME_ASSIGN(request.content, ContentOf(in.secret_string, in.secret_binary));
  OUTCOME_ASSIGN(request.tags, TagsOf(in.tags));
  OUTCOME_ASSIGN(secrets::Written written, OutcomeOf(context.secrets.Create(request)));
  sm::CreateSecretResponse out{.arn = written.record.arn, .name = written.record.name};
  if (!written.version_id.empty()) out.version_id = written.version_id;
  return out;
}

aws::Outcome<sm::DescribeSecretResponse> Describe(const Context& context,
                                                  const sm::DescribeSecretRequest& in) {
  OUTCOME_ASSIGN(const secrets::Record record,
                 OutcomeOf(context.secrets.Find(in.secret_id.value_or(""))));
  auto out = ShapeOf<sm::DescribeSecretResponse>(record);
  out.version_ids_to_stages = StagesOf(record);
  return out;
}

aws::Outcome<sm::UpdateSecretResponse> Update(const Context& context,
                                              const sm::UpdateSecretRequest& in) {
  OUTCOME_TRY(CheckKmsKey(in.kms_key_id));
  OUTCOME_TRY(CheckType(in.type));
  secrets::UpdateRequest request{.secret_id = in.secret_id.value_or(""),
                                 .token = in.client_request_token.value_or(""),
                                 .description = in.description};
  OUTCOME_ASSIGN(request.content, ContentOf(in.secret_string, in.secret_binary));
  OUTCOME_ASSIGN(secrets::Written written, OutcomeOf(context.secrets.Update(request)));
  sm::UpdateSecretResponse out{.arn = written.record.arn, .name = written.record.name};
  if (!written.version_id.empty()) out.version_id = written.version_id;
  return out;
}

// Deleting by force what is not there is no error, as on AWS: that is what makes it repeatable.
aws::Outcome<sm::DeleteSecretResponse> DeleteByForce(const Context& context,
                                                     const aws::RequestContext& request,
                                                     const std::string& secret_id) {
  OUTCOME_ASSIGN(std::optional<secrets::Record> gone,
                 OutcomeOf(context.secrets.ForceDelete(secret_id)));
  sm::DeleteSecretResponse out{.name = secret_id, .deletion_date = request.now};
  if (gone) out.arn = gone->arn;
  if (gone) out.name = gone->name;
  return out;
}

aws::Outcome<sm::DeleteSecretResponse> Delete(const Context& context,
                                              const aws::RequestContext& request,
                                              const sm::DeleteSecretRequest& in) {
  const std::string secret_id = in.secret_id.value_or("");
  if (in.force_delete_without_recovery.value_or(false)) {
    if (in.recovery_window_in_days) {
      return aws::Refuse(sm::fault::InvalidParameterException(
          "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays."));
    }
    return DeleteByForce(context, request, secret_id);
  }
  const std::int64_t days = in.recovery_window_in_days.value_or(kDefaultRecoveryDays);
  const int window = days < 0 || days > 1000 ? 0 : static_cast<int>(days);
  OUTCOME_ASSIGN(const secrets::Record record,
                 OutcomeOf(context.secrets.Delete(secret_id, window)));
  return sm::DeleteSecretResponse{
      .arn = record.arn, .name = record.name, .deletion_date = record.deletion};
}

aws::Outcome<sm::RestoreSecretResponse> Restore(const Context& context,
                                                const sm::RestoreSecretRequest& in) {
  OUTCOME_ASSIGN(const secrets::Record record,
                 OutcomeOf(context.secrets.Restore(in.secret_id.value_or(""))));
  return sm::RestoreSecretResponse{.arn = record.arn, .name = record.name};
}

aws::Outcome<aws::Empty> Tag(const Context& context, const sm::TagResourceRequest& in) {
  OUTCOME_ASSIGN(const auto tags, TagsOf(in.tags));
  OUTCOME_TRY(OutcomeOf(context.secrets.Tag(in.secret_id.value_or(""), tags)));
  return aws::Empty{};
}

aws::Outcome<aws::Empty> Untag(const Context& context, const sm::UntagResourceRequest& in) {
  OUTCOME_TRY(OutcomeOf(context.secrets.Untag(in.secret_id.value_or(""), in.tag_keys)));
  return aws::Empty{};
}

// No policy can be put yet, so there is none: that is what the answer without one says.
aws::Outcome<sm::GetResourcePolicyResponse> GetPolicy(const Context& context,
                                                      const sm::GetResourcePolicyRequest& in) {
  OUTCOME_ASSIGN(const secrets::Record record,
                 OutcomeOf(context.secrets.FindActive(in.secret_id.value_or(""))));
  return sm::GetResourcePolicyResponse{.arn = record.arn, .name = record.name};
}

}  // namespace

void RegisterLife(aws::Service& service, const Context& context) {
  using Request = aws::RequestContext;
  service.Register<sm::CreateSecret>(
      [context](const Request&, const auto& in) { return Create(context, in); });
  service.Register<sm::DescribeSecret>(
      [context](const Request&, const auto& in) { return Describe(context, in); });
  service.Register<sm::UpdateSecret>(
      [context](const Request&, const auto& in) { return Update(context, in); });
  service.Register<sm::DeleteSecret>(
      [context](const Request& request, const auto& in) { return Delete(context, request, in); });
  service.Register<sm::RestoreSecret>(
      [context](const Request&, const auto& in) { return Restore(context, in); });
  service.Register<sm::TagResource>(
      [context](const Request&, const auto& in) { return Tag(context, in); });
  service.Register<sm::UntagResource>(
      [context](const Request&, const auto& in) { return Untag(context, in); });
  service.Register<sm::GetResourcePolicy>(
      [context](const Request&, const auto& in) { return GetPolicy(context, in); });
}

}  // namespace howdah::services::secretsmanager
