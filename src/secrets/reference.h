// Dynamic references of templates,
// {{resolve:secretsmanager:SECRET:SecretString:KEY:STAGE:VERSION}}, and the values that a template
// lets Howdah draw (GenerateSecretString).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "secrets/secrets.h"
#include "vault/password.h"

namespace howdah::secrets {

struct Reference {
  std::string secret_id;      // a name or an ARN
  std::string json_key;       // empty: the whole string
  std::string version_stage;  // empty: AWSCURRENT
  std::string version_id;
};

// A whole reference, with or without its braces. kInvalid.
Result<Reference> ParseReference(std::string_view text);

// What the reference stands for. kNotFound: no such secret, version or key; kInvalid: the version
// is binary, or a key is asked of a text that is no JSON object. Errors hold no part of the value.
Result<std::string> ResolveReference(Secrets& secrets, const Reference& reference);
Result<std::string> ResolveReference(Secrets& secrets, std::string_view reference);

// A password by the rules, alone or as the member `key` added to the JSON object `string_template`.
// kInvalid: only one of the two is given, or the template is no object.
Result<std::string> GenerateSecretString(system::Entropy& entropy,
                                         const vault::PasswordRules& rules,
                                         std::string_view string_template, std::string_view key);

}  // namespace howdah::secrets
