// Dynamic references: {{resolve:secretsmanager:SECRET:SecretString:KEY:STAGE:VERSION}}. Found and
// resolved only at the moment in which a resource is made; what they give is never stored, logged
// or repeated in an error. Pure but for the function that reads a secret.
#pragma once

#include <functional>
#include <string>

#include "base/json.h"
#include "base/result.h"

namespace howdah::cfn {

struct SecretReference {
  std::string secret_id;  // a name or an ARN
  std::string json_key;   // empty: the whole string
  std::string version_stage;
  std::string version_id;
};

// What stands between "{{resolve:secretsmanager:" and "}}".
Result<SecretReference> ParseSecretReference(std::string_view text);

// Gives the SecretString of a version.
using ReadSecret = std::function<Result<std::string>(const SecretReference&)>;

// Replaces every dynamic reference within the value.
Result<json::value> ResolveDynamicReferences(const json::value& value, const ReadSecret& read);

}  // namespace howdah::cfn
