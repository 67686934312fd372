// Where backups live: objects under names, in a directory (directory.h) or in S3 (s3.h). Nothing
// above this room knows which. An object is whole or not there, and never changes: what grows is
// made of more objects. Names are paths of [A-Za-z0-9._-] segments, "instances/db-ABC/wal/…", of at
// most 900 characters; a segment has at most 200 and begins with no dot (names.h). No name is the
// beginning of the way to another: below "a/b" there is nothing where "a/b" is an object.
//
// Errors: kNotFound; kAlreadyExists; kInvalid (a name that is none); kUnavailable (full, gone, or
// too slow: worth trying again); kPermission. Safe from any thread; blocking, every wait bounded.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "system/disk.h"

namespace howdah::repository {

inline constexpr std::uint64_t kMostObjectBytes = 1ULL << 30;

struct ObjectInfo {
  std::string name;
  std::uint64_t size_bytes = 0;
};

class Repository {
 public:
  virtual ~Repository() = default;

  // Durable before it returns. kAlreadyExists where there is an object of that name, unless it has
  // exactly these bytes; what is there stays as it is. At most kMostObjectBytes.
  virtual Result<> Put(const std::string& name, std::string_view bytes) = 0;
  virtual Result<std::string> Get(const std::string& name) = 0;
  // Exactly that many bytes; kCorrupt where the object has fewer.
  virtual Result<std::string> GetRange(const std::string& name, std::uint64_t offset,
                                       std::size_t size) = 0;
  // All objects whose name begins so, sorted by name.
  virtual Result<std::vector<ObjectInfo>> List(const std::string& prefix) = 0;
  // The first name segments after `prefix`, which ends with "/": like the names in a directory.
  virtual Result<std::vector<std::string>> ListSegments(const std::string& prefix) = 0;
  // Durable before it returns; absent is no error.
  virtual Result<> Delete(const std::string& name) = 0;
  // nullopt: without a bound that can be known.
  virtual Result<std::optional<system::SpaceInfo>> Space() = 0;
  // For people: "/var/backups/howdah", "s3://bucket/prefix".
  virtual std::string Place() const = 0;
};

}  // namespace howdah::repository
