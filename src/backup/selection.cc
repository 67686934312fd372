#include "backup/selection.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace howdah::backup {

namespace {

constexpr std::array<std::string_view, 9> kEmptyDirectories = {
    "pg_dynshmem", "pg_notify",   "pg_replslot", "pg_serial", "pg_snapshots",
    "pg_stat_tmp", "pg_subtrans", "pg_wal",      "pg_tblspc"};

// In the data directory itself.
constexpr std::array<std::string_view, 13> kNotAtTop = {
    "postmaster.pid",          "postmaster.opts",    "backup_label",     "backup_label.old",
    "tablespace_map",          "tablespace_map.old", "backup_manifest",  "standby.signal",
    "recovery.signal",         "recovery.done",      "current_logfiles", "current_logfiles.tmp",
    "postgresql.auto.conf.tmp"};

std::string_view NameIn(std::string_view path) {
  return path.substr(path.rfind('/') + 1);  // npos + 1 is 0: the whole
}

bool IsDigits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// "t3_16384", with fork and segment: of a session's temporary relation, which ended with it.
bool IsTemporaryRelation(std::string_view name) {
  if (!name.starts_with('t')) return false;
  const std::size_t underscore = name.find('_');
  if (underscore == std::string_view::npos) return false;
  const std::string_view rest = name.substr(underscore + 1);
  return IsDigits(name.substr(1, underscore - 1)) &&
         IsDigits(rest.substr(0, rest.find_first_of("_.")));
}

template <std::size_t N>
bool Contains(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

}  // namespace

Inclusion InclusionOf(std::string_view path, bool directory) {
  const std::string_view name = NameIn(path);
  const bool top = name.size() == path.size();
  if (directory && top && Contains(kEmptyDirectories, name)) return Inclusion::kEmpty;
  if (name.starts_with("pgsql_tmp")) return Inclusion::kNot;
  if (name.starts_with("pg_internal.init")) return Inclusion::kNot;  // relation cache, made anew
  if (top && Contains(kNotAtTop, name)) return Inclusion::kNot;
  if (!directory && path.starts_with("base/") && IsTemporaryRelation(name)) {
    return Inclusion::kNot;
  }
  return Inclusion::kWhole;
}

std::optional<RelationFile> ParseRelationFile(std::string_view path) {
  if (!path.starts_with("base/") && !path.starts_with("global/")) return std::nullopt;
  const std::string_view name = NameIn(path);
  const std::size_t number_end = std::min(name.find_first_not_of("0123456789"), name.size());
  if (number_end == 0) return std::nullopt;
  RelationFile file;
  file.relation = path.substr(0, path.size() - name.size() + number_end);
  std::string_view rest = name.substr(number_end);
  for (const std::string_view fork : {"fsm", "vm", "init"}) {
    if (!rest.starts_with('_') || !rest.substr(1).starts_with(fork)) continue;
    file.fork = rest.substr(1, fork.size());
    rest.remove_prefix(1 + fork.size());
    break;
  }
  if (rest.empty()) return file;
  if (rest.front() != '.') return std::nullopt;
  rest.remove_prefix(1);
  constexpr std::uint32_t kMostSegments = 1 << 15;  // 2^32 blocks in all
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), file.segment);
  const bool is_number = error == std::errc() && end == rest.data() + rest.size();
  if (!is_number || file.segment >= kMostSegments) return std::nullopt;
  return file;
}

bool IsReset(const RelationFile& file, const std::set<std::string, std::less<>>& initialized) {
  return file.fork != "init" && initialized.contains(file.relation);
}

}  // namespace howdah::backup
