// How stages move between the versions of a secret. Pure. The rule above all: a stage is on at most
// one version, and AWSPREVIOUS follows AWSCURRENT.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "secrets/record.h"

namespace howdah::secrets {

inline constexpr std::size_t kMaximumStages = 20;     // of one version
inline constexpr std::size_t kMaximumVersions = 100;  // beyond it, old ones without a stage go
inline constexpr std::size_t kHardMaximumVersions = 1000;

// The version that has the stage.
std::optional<std::string> HolderOf(const Record& record, std::string_view stage);

// Moves the stages to a version of the record. The version that loses AWSCURRENT gets AWSPREVIOUS.
void AttachStages(Record& record, const std::string& version_id,
                  const std::vector<std::string>& stages);

struct StageMove {
  std::string stage;
  std::string from;  // empty: it is on no version yet
  std::string to;    // empty: it is only taken away
};
// UpdateSecretVersionStage. kInvalid and kNotFound in AWS's words.
Result<> MoveStage(Record& record, const StageMove& move);

// Takes the oldest versions without a stage out of the record while there are more than 100; none
// that is younger than a day. Returns their ids.
std::vector<std::string> Prune(Record& record, WallTime now);

}  // namespace howdah::secrets
