// Gives back what the archive holds: objects, opened and checked, and the files that PostgreSQL
// asks for in recovery. Blocking; safe from any thread.
#pragma once

#include <string>
#include <vector>

#include "archive/coverage.h"
#include "archive/plan.h"
#include "repository/keys.h"
#include "repository/repository.h"
#include "system/disk.h"

namespace howdah::archive {

class Reader {
 public:
  // Both outlive it.
  Reader(repository::Repository& repository, repository::Keys& keys)
      : repository_(repository), keys_(keys) {}

  // The raw bytes of an object. kNotFound, kCorrupt, or what hinders the repository.
  Result<std::string> Read(const std::string& object);
  // A file of the plan, whole: a segment has its full size.
  Result<std::string> ReadFile(const WalPlan& plan, const PlannedFile& file);

  // All that is there of an instance, with the contents of its histories.
  struct Contents {
    Listing listing;
    std::vector<History> histories;
    // Along the newest path.
    Coverage NewestCoverage() const;
  };
  Result<Contents> ReadContents(const InstanceId& instance);

 private:
  Result<std::string> ReadPart(const PlannedObject& part);
  // The object into which one that is gone was merged since the plan was made.
  Result<PlannedObject> FindSuccessor(const PlannedObject& part, const Error& missing);

  repository::Repository& repository_;
  repository::Keys& keys_;
};

}  // namespace howdah::archive
