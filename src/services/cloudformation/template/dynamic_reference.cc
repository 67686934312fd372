// Parsing and replacing dynamic references.
#include "services/cloudformation/template/dynamic_reference.h"

#include <fmt/format.h>

#include <vector>

namespace howdah::cfn {

namespace {

constexpr std::string_view kOpen = "{{resolve:secretsmanager:";
constexpr std::string_view kClose = "}}";

std::vector<std::string> Split(std::string_view text) {
  std::vector<std::string> parts;
  for (;;) {
    const std::size_t colon = text.find(':');
    parts.emplace_back(text.substr(0, colon));
    if (colon == std::string_view::npos) return parts;
    text.remove_prefix(colon + 1);
  }
}

// One member of the secret's JSON. The text of the secret must not come into the error.
Result<std::string> MemberOf(const std::string& secret, const SecretReference& reference) {
  const auto object = ParseJsonObject(secret);
  if (!object) {
    return Fail(Code::kInvalid,
                fmt::format("Could not parse SecretString JSON of {}", reference.secret_id));
  }
  const json::value* member = object->if_contains(reference.json_key);
  if (member == nullptr) {
    return Fail(Code::kInvalid, fmt::format("Could not find a value associated with JSONKey {} in "
                                            "SecretString of {}",
                                            reference.json_key, reference.secret_id));
  }
  if (member->is_string()) {
    return std::string(member->get_string().data(), member->get_string().size());
  }
  return json::serialize(*member);
}

Result<std::string> ResolveText(std::string_view text, const ReadSecret& read) {
  std::string made;
  for (;;) {
    const std::size_t open = text.find(kOpen);
    made += text.substr(0, open);
    if (open == std::string_view::npos) return made;
    text.remove_prefix(open + kOpen.size());
    const std::size_t close = text.find(kClose);
    if (close == std::string_view::npos) {
      return Fail(Code::kInvalid, "Incorrect format is used in a dynamic reference");
    }
    TRY_ASSIGN(const SecretReference reference, ParseSecretReference(text.substr(0, close)));
    TRY_ASSIGN(const std::string secret, read(reference));
    if (reference.json_key.empty()) {
      made += secret;
    } else {
      TRY_ASSIGN(const std::string member, MemberOf(secret, reference));
      made += member;
    }
    text.remove_prefix(close + kClose.size());
  }
}

}  // namespace

Result<SecretReference> ParseSecretReference(std::string_view text) {
  const auto wrong = [&] {
    return Fail(Code::kInvalid,
                fmt::format("Incorrect format is used in the following SecretsManager dynamic "
                            "reference: [{}]",
                            text));
  };
  std::vector<std::string> parts = Split(text);
  SecretReference reference;
  std::size_t next = 1;
  reference.secret_id = parts[0];
  if (parts[0] == "arn") {  // arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME
    if (parts.size() < 7) return wrong();
    for (; next < 7; ++next) reference.secret_id += ":" + parts[next];
  }
  if (reference.secret_id.empty() || parts.size() > next + 4) return wrong();
  if (parts.size() > next && parts[next] != "SecretString" && !parts[next].empty()) return wrong();
  ++next;
  if (parts.size() > next) reference.json_key = parts[next];
  if (parts.size() > next + 1) reference.version_stage = parts[next + 1];
  if (parts.size() > next + 2) reference.version_id = parts[next + 2];
  if (!reference.version_stage.empty() && !reference.version_id.empty()) return wrong();
  return reference;
}

Result<json::value> ResolveDynamicReferences(const json::value& value, const ReadSecret& read) {
  if (value.is_string()) {
    const json::string& text = value.get_string();
    TRY_ASSIGN(const std::string made, ResolveText({text.data(), text.size()}, read));
    return json::value(json::string(made));
  }
  if (value.is_array()) {
    json::array list;
    for (const json::value& item : value.get_array()) {
      TRY_ASSIGN(json::value made, ResolveDynamicReferences(item, read));
      list.push_back(std::move(made));
    }
    return json::value(std::move(list));
  }
  if (!value.is_object()) return value;
  json::object map;
  for (const auto& member : value.get_object()) {
    TRY_ASSIGN(json::value made, ResolveDynamicReferences(member.value(), read));
    map.emplace(member.key(), std::move(made));
  }
  return json::value(std::move(map));
}

}  // namespace howdah::cfn
