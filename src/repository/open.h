// Opens the repository that a person has named (place.h).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "repository/repository.h"
#include "system/disk.h"
#include "system/entropy.h"

namespace howdah::repository {

// The value of an environment variable, if it is set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

// A directory is made and becomes a repository where it is empty; S3 is not asked anything yet. The
// credentials for S3 are in the file that the place names (an AWS credentials file, its profile
// [default], mode 0600), or in AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN.
// kInvalid: the place is none; kPermission: the file is not private. Entropy outlives the
// repository.
Result<std::unique_ptr<Repository>> OpenRepository(const std::string& place,
                                                   const Environment& environment,
                                                   system::Disk& disk, system::Entropy& entropy);

}  // namespace howdah::repository
