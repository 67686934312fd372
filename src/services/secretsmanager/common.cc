// See handlers.h.
#include <string_view>
#include <utility>

#include "services/secretsmanager/handlers.h"
#include "services/secretsmanager/secretsmanager.h"
#include "vault/crypto.h"

namespace howdah::services {

void RegisterSecretsManager(aws::Service& service, secrets::Secrets& secrets,
                            system::Entropy& entropy) {
  const secretsmanager::Context context{.secrets = secrets, .entropy = entropy};
  secretsmanager::RegisterLife(service, context);
  secretsmanager::RegisterValues(service, context);
  secretsmanager::RegisterListings(service, context);
  secretsmanager::RegisterBatch(service, context);
}

}  // namespace howdah::services

namespace howdah::services::secretsmanager {

namespace {

constexpr std::string_view kDefaultKey = "alias/aws/secretsmanager";
constexpr std::string_view kTokenPrefix = "1\n";  // the form of the token

bool IsDefaultKey(std::string_view key) {
  return key.empty() || key == kDefaultKey ||
         (key.starts_with("arn:aws:kms:") &&
          key.ends_with(std::string(":") + std::string(kDefaultKey)));
}

}  // namespace

aws::Fault FaultOf(const Error& error) {
  switch (error.code()) {
    case Code::kInvalid:
    case Code::kUnsupported:
      return sm::fault::InvalidParameterException(error.what());
    case Code::kNotFound:
      return sm::fault::ResourceNotFoundException(error.what());
    case Code::kAlreadyExists:
      return sm::fault::ResourceExistsException(error.what());
    case Code::kFailedState:
      return sm::fault::InvalidRequestException(error.what());
    case Code::kExhausted:
      return sm::fault::LimitExceededException(error.what());
    case Code::kCorrupt:
      return sm::fault::DecryptionFailure(
          "Secrets Manager can't decrypt the protected secret text: it was changed in the store, "
          "or sealed under another master key.");
    default:
      return sm::fault::InternalServiceError("An error occurred on the server side.");
  }
}

aws::Outcome<std::optional<secrets::Content>> ContentOf(const std::optional<std::string>& text,
                                                        const std::optional<aws::Blob>& bytes) {
  if (text && bytes) {
    return aws::Refuse(sm::fault::InvalidParameterException(
        "You can't specify both SecretString and SecretBinary in the same call."));
  }
  if (text) return secrets::Content{.bytes = *text, .binary = false};
  if (bytes) return secrets::Content{.bytes = bytes->bytes, .binary = true};
  return std::nullopt;
}

aws::Outcome<void> CheckKmsKey(const std::optional<std::string>& kms_key_id) {
  if (!kms_key_id || IsDefaultKey(*kms_key_id)) return {};
  return aws::Refuse(sm::fault::InvalidParameterException(
      "Howdah seals secrets under its own master key: KmsKeyId can only be omitted or "
      "alias/aws/secretsmanager."));
}

aws::Outcome<std::map<std::string, std::string>> TagsOf(const aws::List<sm::Tag>& tags) {
  std::map<std::string, std::string> known;
  for (const sm::Tag& tag : tags) {
    const std::string key = tag.key.value_or("");
    if (key.empty()) {
      return aws::Refuse(sm::fault::InvalidParameterException("A tag must have a key."));
    }
    if (key.starts_with("aws:")) {
      return aws::Refuse(sm::fault::InvalidParameterException(
          "Tag keys that start with \"aws:\" are reserved for AWS."));
    }
    if (!known.emplace(key, tag.value.value_or("")).second) {
      return aws::Refuse(
          sm::fault::InvalidParameterException("The tag key " + key + " is given twice."));
    }
  }
  return known;
}

aws::List<sm::Tag> ShapeOf(const std::map<std::string, std::string>& tags) {
  aws::List<sm::Tag> shapes;
  for (const auto& [key, value] : tags) shapes.push_back({.key = key, .value = value});
  return shapes;
}

aws::Map<aws::List<std::string>> StagesOf(const secrets::Record& record) {
  aws::Map<aws::List<std::string>> stages;
  for (const auto& [id, version] : record.versions) {
    if (!version.stages.empty()) stages[id] = {version.stages};
  }
  return stages;
}

std::string EncodeToken(const std::string& position) {
  return vault::Base64Encode(std::string(kTokenPrefix) + position);
}

aws::Outcome<std::string> DecodeToken(const std::optional<std::string>& token) {
  if (!token) return std::string();
  const Result<std::string> text = vault::Base64Decode(*token);
  if (!text || !text->starts_with(kTokenPrefix)) {
    return aws::Refuse(sm::fault::InvalidNextTokenException("Invalid NextToken."));
  }
  return text->substr(kTokenPrefix.size());
}

}  // namespace howdah::services::secretsmanager
