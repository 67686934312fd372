// See extensions.h. The table is what RDS offers of PostgreSQL's contrib, less what is not safe to
// run as a superuser's script: earthdistance (its script trusts whatever schema cube is in), xml2,
// old_snapshot. Never: adminpack, file_fdw, pageinspect, pg_surgery, pg_walinspect, plperlu,
// pltclu, plpython*.
#include "postgres/extensions.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace howdah::postgres {
namespace {

constexpr std::string_view kControlSuffix = ".control";

constexpr auto kAllowed = std::to_array<std::string_view>({
    "amcheck",
    "autoinc",
    "bloom",
    "bool_plperl",
    "btree_gin",
    "btree_gist",
    "citext",
    "cube",
    "dblink",
    "dict_int",
    "dict_xsyn",
    "fuzzystrmatch",
    "hstore",
    "hstore_plperl",
    "insert_username",
    "intagg",
    "intarray",
    "isn",
    "jsonb_plperl",
    "lo",
    "ltree",
    "moddatetime",
    "pg_buffercache",
    "pg_freespacemap",
    "pg_prewarm",
    "pg_stat_statements",
    "pg_trgm",
    "pg_visibility",
    "pgcrypto",
    "pgrowlocks",
    "pgstattuple",
    "plperl",
    "plpgsql",
    "pltcl",
    "postgres_fdw",
    "refint",
    "seg",
    "sslinfo",
    "tablefunc",
    "tcn",
    "tsm_system_rows",
    "tsm_system_time",
    "unaccent",
    "uuid-ossp",
});
static_assert(std::ranges::is_sorted(kAllowed));

// The value of `trusted` in one line, if it sets it.
std::string_view TrustedValue(std::string_view line) {
  const auto skip = [&line] {
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  };
  skip();
  if (!line.starts_with("trusted")) return "";
  line.remove_prefix(7);
  skip();
  if (line.starts_with("=")) line.remove_prefix(1);
  skip();
  return line.substr(0, line.find_first_of(" \t#\r"));
}

template <typename Visit>
void ForEachLine(std::string_view text, Visit visit) {
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    visit(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

// Where the engine has its share/…/extension; relative to the program, or Debian's place.
Result<std::string> ExtensionDir(system::Disk& disk, const Engine& engine) {
  for (const std::string& candidate :
       {engine.bin_dir + "/../share/postgresql/extension", engine.bin_dir + "/../share/extension",
        fmt::format("/usr/share/postgresql/{}/extension", engine.version.major)}) {
    TRY_ASSIGN(const bool exists, disk.Exists(candidate));
    if (exists) return candidate;
  }
  return Fail(Code::kNotFound, "no extension directory beside " + engine.bin_dir);
}

}  // namespace

std::span<const std::string_view> AllowedExtensions() {
  return kAllowed;
}

bool IsAllowedExtension(std::string_view name) {
  return std::ranges::binary_search(kAllowed, name);
}

bool IsTrustedControlFile(std::string_view control) {
  bool trusted = false;
  ForEachLine(control, [&](std::string_view line) {
    const std::string_view value = TrustedValue(line);
    if (!value.empty()) trusted = value == "true" || value == "on" || value == "1";
  });
  return trusted;
}

std::string TrustControlFile(std::string_view control) {
  if (IsTrustedControlFile(control)) return std::string(control);
  std::string text(control);
  if (!text.empty() && text.back() != '\n') text += '\n';
  return text + "# Added by Howdah: this extension is on its allow-list.\ntrusted = true\n";
}

Result<> TrustAllowedExtensions(system::Disk& disk, const std::string& extension_dir) {
  for (const std::string_view name : kAllowed) {
    const std::string path = fmt::format("{}/{}{}", extension_dir, name, kControlSuffix);
    TRY_ASSIGN(const bool exists, disk.Exists(path));
    if (!exists) continue;
    TRY_ASSIGN(const std::string control, disk.Read(path));
    const std::string trusted = TrustControlFile(control);
    if (trusted != control) TRY(disk.WriteDurably(path, trusted, 0644));
  }
  return {};
}

Result<std::vector<std::string>> CreatableExtensions(system::Disk& disk, const Engine& engine) {
  TRY_ASSIGN(const std::string directory, ExtensionDir(disk, engine));
  TRY_ASSIGN(const auto files, disk.List(directory));
  std::vector<std::string> names;
  for (const std::string& file : files) {
    if (!file.ends_with(kControlSuffix) || file.find("--") != std::string::npos) continue;
    TRY_ASSIGN(const std::string control, disk.Read(directory + "/" + file));
    if (IsTrustedControlFile(control)) {
      names.push_back(file.substr(0, file.size() - kControlSuffix.size()));
    }
  }
  return names;
}

Result<bool> HasLibrary(system::Disk& disk, const Engine& engine, std::string_view library) {
  for (const char* lib_dir : {"/../lib/postgresql/", "/../lib/"}) {
    TRY_ASSIGN(const bool exists,
               disk.Exists(fmt::format("{}{}{}.so", engine.bin_dir, lib_dir, library)));
    if (exists) return true;
  }
  return false;
}

}  // namespace howdah::postgres
