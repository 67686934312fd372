// What is wrong with client tokens.
#include "services/ec2/client_tokens.h"

namespace howdah::services::ec2 {

aws::Outcome<void> CheckClientToken(const std::optional<std::string>& token) {
  if (token.value_or("").size() <= kMaxClientToken) return {};
  return aws::Refuse(InvalidValue("…", "clientToken", "It is longer than 64 characters."));
}

aws::Fault TokenMismatch() {
  return {"IdempotentParameterMismatch", 400,
          "The client token was used before with other parameters.", true};
}

}  // namespace howdah::services::ec2
