// Which parts of a data directory a base backup holds, by their paths. Pure. What a server makes
// anew at its start, what belongs to the running one and what the control plane decides anew is
// left out. Sources: PostgreSQL's documentation, "Making a Base Backup Using the Low Level API" and
// "Database Page Layout", and the protocol's BASE_BACKUP.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace howdah::backup {

inline constexpr std::string_view kControlFile = "global/pg_control";

enum class Inclusion {
  kWhole,  // a file, or a directory with what is in it
  kEmpty,  // a directory that must be there, without what is in it
  kNot,
};
Inclusion InclusionOf(std::string_view path, bool directory);

// A file of a relation: its pages carry checksums.
struct RelationFile {
  std::string_view relation;  // "base/5/16384": without fork and segment
  std::string_view fork;      // "", "fsm", "vm", "init"
  std::uint32_t segment = 0;  // of 1 GiB
  std::uint32_t FirstBlock() const { return segment * (std::uint32_t{1} << 17); }
};
std::optional<RelationFile> ParseRelationFile(std::string_view path);

// Files of unlogged relations are made anew from their init fork when recovery ends: all others of
// theirs are left out. `initialized`: the relations that have such a fork.
bool IsReset(const RelationFile& file, const std::set<std::string, std::less<>>& initialized);

}  // namespace howdah::backup
