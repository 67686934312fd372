// Looks whether backups are whole: every object is there, every frame opens, every block has the
// hash that it had when it was read, WAL is where it belongs; and, with all backups of an instance,
// its WAL archive. A pack that several backups use is read once.
#pragma once

#include <string>
#include <vector>

#include "backup/job.h"
#include "backup/manifest.h"
#include "backup/objects.h"

namespace howdah::backup {

struct VerifyRequest {
  InstanceId instance;
  std::string backup;    // empty: all of the instance
  unsigned threads = 0;  // 0: DefaultThreads()
};

struct VerifyOutcome {
  std::vector<std::string> backups;  // that were looked at and could be read
  std::vector<std::string> damages;  // each names an object; at most kMostDamages of them
  std::uint64_t damage_count = 0;
  bool ok() const { return damage_count == 0; }
};

inline constexpr std::size_t kMostDamages = 1000;

// Errors only where verifying itself fails: kNotFound: no such backup; kUnavailable: cancelled, or
// the repository is not there.
Result<VerifyOutcome> VerifyBackups(const VerifyRequest& request, const Needs& needs, Job& job);

}  // namespace howdah::backup
