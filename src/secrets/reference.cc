// See reference.h.
#include "secrets/reference.h"

#include <utility>
#include <vector>

#include "base/json.h"

namespace howdah::secrets {

namespace {

constexpr std::string_view kOpening = "{{resolve:secretsmanager:";
constexpr std::string_view kClosing = "}}";
constexpr std::size_t kArnColons = 6;

// The first part is a name (no colon) or an ARN (six colons).
std::string TakeSecretId(std::string_view& text) {
  std::size_t end = text.find(':');
  if (text.starts_with("arn:")) {
    for (std::size_t i = 0; i < kArnColons && end != std::string_view::npos; ++i) {
      end = text.find(':', end + 1);
    }
  }
  std::string id(text.substr(0, end));
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return id;
}

std::vector<std::string> SplitAtColons(std::string_view text) {
  std::vector<std::string> parts;
  for (;;) {
    const std::size_t end = text.find(':');
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

}  // namespace

Result<Reference> ParseReference(std::string_view text) {
  if (text.starts_with(kOpening) && text.ends_with(kClosing)) {
    text = text.substr(kOpening.size(), text.size() - kOpening.size() - kClosing.size());
  }
  Reference reference{.secret_id = TakeSecretId(text)};
  std::vector<std::string> parts = SplitAtColons(text);
  parts.resize(std::max<std::size_t>(parts.size(), 4));
  if (reference.secret_id.empty() || parts.size() > 4 ||
      (!parts[0].empty() && parts[0] != "SecretString")) {
    return Fail(Code::kInvalid,
                "a dynamic reference reads {{resolve:secretsmanager:SECRET:SecretString:JSON-KEY:"
                "VERSION-STAGE:VERSION-ID}}");
  }
  if (!parts[2].empty() && !parts[3].empty()) {
    return Fail(Code::kInvalid, "a dynamic reference names a version's stage or its id, not both");
  }
  reference.json_key = parts[1];
  reference.version_stage = parts[2];
  reference.version_id = parts[3];
  return reference;
}

Result<std::string> ResolveReference(Secrets& secrets, const Reference& reference) {
  TRY_ASSIGN(Value value,
             secrets.GetValue(reference.secret_id, reference.version_id, reference.version_stage));
  if (value.content.binary) {
    return Fail(Code::kInvalid, "secret " + value.record.name + " holds bytes, not a SecretString");
  }
  if (reference.json_key.empty()) return std::move(value.content.bytes);
  const Result<json::object> object = ParseJsonObject(value.content.bytes);
  if (!object) {
    return Fail(Code::kInvalid, "the SecretString of " + value.record.name +
                                    " is not a JSON object, so it has no key " +
                                    reference.json_key);
  }
  const json::value* member = object->if_contains(reference.json_key);
  if (member == nullptr) {
    return Fail(Code::kNotFound, "Could not find a value associated with JSONKey " +
                                     reference.json_key + " in the SecretString of " +
                                     value.record.name);
  }
  if (member->is_string()) return std::string(member->get_string());
  return json::serialize(*member);
}

Result<std::string> ResolveReference(Secrets& secrets, std::string_view reference) {
  TRY_ASSIGN(const Reference parsed, ParseReference(reference));
  return ResolveReference(secrets, parsed);
}

Result<std::string> GenerateSecretString(system::Entropy& entropy,
                                         const vault::PasswordRules& rules,
                                         std::string_view string_template, std::string_view key) {
  if (string_template.empty() != key.empty()) {
    return Fail(Code::kInvalid, "SecretStringTemplate and GenerateStringKey go together");
  }
  TRY_ASSIGN(std::string password, vault::GeneratePassword(entropy, rules));
  if (key.empty()) return password;
  Result<json::object> object = ParseJsonObject(string_template);
  if (!object) return Fail(Code::kInvalid, "SecretStringTemplate is not a JSON object");
  (*object)[key] = password;
  return json::serialize(*object);
}

}  // namespace howdah::secrets
