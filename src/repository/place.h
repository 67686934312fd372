// How a person names a repository: "/var/backups/howdah", or
// "s3://bucket/prefix?region=eu-central-1". Pure: nothing is opened here.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"

namespace howdah::repository {

struct DirectoryPlace {
  std::string path;  // absolute, without "/" at its end
};

struct S3Place {
  std::string bucket;
  std::string prefix;
  std::string region;
  std::string endpoint;          // "" for AWS
  std::string credentials_path;  // "": they are in the environment
  bool path_style = false;
};

using Place = std::variant<DirectoryPlace, S3Place>;

// kInvalid says what is wrong and how it should be.
Result<Place> ParsePlace(std::string_view text);

}  // namespace howdah::repository
