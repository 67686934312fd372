// See catalogue.h. End-of-life dates: the PostgreSQL project's versioning policy.
#include "postgres/catalogue.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace howdah::postgres {
namespace {

constexpr const char* kDistributionRoot = "/usr/lib/postgresql";
constexpr Duration kVersionLimit = std::chrono::seconds(10);

bool ParsePart(std::string_view text, int& value) {
  if (text.empty() || text.size() > 3 || (text.size() > 1 && text.front() == '0')) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && value >= 0;
}

// By the name that the dynamic linker goes by: libssl.so.1.1, libssl.so.3.
std::string OwnTlsLibrary(system::Disk& disk, const std::string& library_dir) {
  constexpr std::string_view kName = "libssl.so.";
  const auto names = disk.List(library_dir);
  if (!names) return "";
  for (const std::string& name : *names) {
    if (name.starts_with(kName)) return "OpenSSL " + name.substr(kName.size());
  }
  return "";
}

Result<std::vector<Engine>> FindBelow(system::Disk& disk, system::Processes& processes,
                                      const std::string& root, EngineSource source) {
  TRY_ASSIGN(const bool exists, disk.Exists(root));
  if (!exists) return std::vector<Engine>();
  TRY_ASSIGN(const auto names, disk.List(root));
  std::vector<Engine> engines;
  for (const std::string& name : names) {
    if (name.starts_with(".")) continue;  // an installation under way
    const std::string bin_dir = root + "/" + name + "/bin";
    const auto has_server = disk.Exists(bin_dir + "/postgres");
    const auto has_initdb = disk.Exists(bin_dir + "/initdb");
    if (!has_server || !*has_server || !has_initdb || !*has_initdb) continue;
    const auto version = AskVersion(processes, bin_dir);
    if (!version || version->major < kOldestMajor || version->major > kNewestMajor) continue;
    engines.push_back({.version = *version,
                       .bin_dir = bin_dir,
                       .source = source,
                       .own_tls_library = OwnTlsLibrary(disk, root + "/" + name + "/lib")});
  }
  return engines;
}

}  // namespace

Result<EngineVersion> EngineVersion::Parse(std::string_view text) {
  const auto dot = text.find('.');
  EngineVersion version;
  if (dot == std::string_view::npos || !ParsePart(text.substr(0, dot), version.major) ||
      !ParsePart(text.substr(dot + 1), version.minor) || version.major < 10) {
    return Fail(Code::kInvalid, fmt::format("not a PostgreSQL version such as 14.17: '{}'", text));
  }
  return version;
}

std::string EngineVersion::Format() const {
  return fmt::format("{}.{}", major, minor);
}

bool Engine::TlsIsPastEndOfLife() const {
  return own_tls_library.starts_with("OpenSSL 1.") || own_tls_library.starts_with("OpenSSL 0.");
}

std::string_view EngineSourceName(EngineSource source) {
  return source == EngineSource::kHome ? "home" : "distribution";
}

Result<EngineVersion> ParseVersionOutput(std::string_view output) {
  constexpr std::string_view kMark = "(PostgreSQL) ";
  const auto mark = output.find(kMark);
  if (mark == std::string_view::npos) {
    return Fail(Code::kInvalid,
                fmt::format("not PostgreSQL's version line: '{}'",
                            output.substr(0, std::min<std::size_t>(80, output.find('\n')))));
  }
  output.remove_prefix(mark + kMark.size());
  return EngineVersion::Parse(output.substr(0, output.find_first_not_of("0123456789.")));
}

Result<EngineVersion> AskVersion(system::Processes& processes, const std::string& bin_dir) {
  TRY_ASSIGN(const auto outcome, processes.Run({.argv = {bin_dir + "/postgres", "--version"},
                                                .env = {{"LC_ALL", "C"}, {"PATH", "/usr/bin:/bin"}},
                                                .working_directory = "/",
                                                .output_path = ""},
                                               kVersionLimit));
  if (outcome.exit_code != 0) {
    return Fail(Code::kFailedState, fmt::format("{}/postgres --version failed: {}", bin_dir,
                                                outcome.output.substr(0, 300)));
  }
  return ParseVersionOutput(outcome.output);
}

Result<std::vector<Engine>> FindEngines(system::Disk& disk, system::Processes& processes,
                                        const std::string& home) {
  TRY_ASSIGN(std::vector<Engine> engines,
             FindBelow(disk, processes, home + "/engines", EngineSource::kHome));
  TRY_ASSIGN(const std::vector<Engine> others,
             FindBelow(disk, processes, kDistributionRoot, EngineSource::kDistribution));
  engines.insert(engines.end(), others.begin(), others.end());
  std::ranges::sort(engines, [](const Engine& a, const Engine& b) {
    if (a.version != b.version) return a.version < b.version;
    return a.source == EngineSource::kHome && b.source != EngineSource::kHome;
  });
  const auto repeated = std::ranges::unique(engines, {}, &Engine::version);
  engines.erase(repeated.begin(), repeated.end());
  return engines;
}

Result<Engine> FindEngine(const std::vector<Engine>& engines, std::string_view version) {
  TRY_ASSIGN(const EngineVersion wanted, EngineVersion::Parse(version));
  const auto found = std::ranges::find(engines, wanted, &Engine::version);
  if (found != engines.end()) return *found;
  return Fail(Code::kNotFound, fmt::format("PostgreSQL {0} is not installed here; install it with: "
                                           "howdah engine install {0}",
                                           wanted.Format()));
}

std::optional<std::chrono::year_month_day> EndOfLife(int major) {
  using namespace std::chrono;
  switch (major) {
    case 14:
      return 2026y / November / 12;
    case 15:
      return 2027y / November / 11;
    case 16:
      return 2028y / November / 9;
    case 17:
      return 2029y / November / 8;
    case 18:
      return 2030y / November / 14;
    default:
      return std::nullopt;
  }
}

bool IsPastEndOfLife(int major, std::chrono::year_month_day today) {
  const auto end = EndOfLife(major);
  return end && today > *end;
}

std::vector<UpgradeTarget> ValidUpgradeTargets(EngineVersion from,
                                               const std::vector<Engine>& engines) {
  std::vector<UpgradeTarget> targets;
  for (const Engine& engine : engines) {
    if (engine.version <= from) continue;
    targets.push_back({.version = engine.version, .is_major = engine.version.major != from.major});
  }
  return targets;
}

}  // namespace howdah::postgres
