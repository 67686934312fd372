// Who the operator is to the AWS face: one access key and one account, made on the first start.
#pragma once

#include <string>

#include "base/result.h"
#include "system/disk.h"
#include "system/entropy.h"

namespace howdah::vault {

struct RootCredentials {
  std::string access_key_id;      // "AKIA" and 16 characters
  std::string secret_access_key;  // 40 characters
};

// HOME/credentials, an AWS credentials file with a profile "default", 0600. kNotFound before the
// first start.
Result<RootCredentials> ReadRootCredentials(system::Disk& disk, const std::string& home);
Result<RootCredentials> OpenOrCreateRootCredentials(system::Disk& disk, system::Entropy& entropy,
                                                    const std::string& home);

// HOME/account: 12 digits, generated once and kept, for they are in every ARN.
Result<std::string> OpenOrCreateAccountId(system::Disk& disk, system::Entropy& entropy,
                                          const std::string& home);

}  // namespace howdah::vault
