// The engine catalogue: which PostgreSQL versions, by exact minor version, this machine can run.
// A version that is asked for is the version that runs, or the request is refused.
#pragma once

#include <chrono>
#include <compare>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "system/disk.h"
#include "system/processes.h"

namespace howdah::postgres {

// "14.17". Since PostgreSQL 10 a version has exactly two parts.
struct EngineVersion {
  int major = 0;
  int minor = 0;
  // Only "N.M", no leading zeros: the text is used as a directory's name.
  static Result<EngineVersion> Parse(std::string_view text);
  std::string Format() const;
  auto operator<=>(const EngineVersion&) const = default;
};

constexpr int kOldestMajor = 14;
constexpr int kNewestMajor = 18;

enum class EngineSource { kDistribution, kHome };
std::string_view EngineSourceName(EngineSource source);

struct Engine {
  EngineVersion version;
  std::string bin_dir;  // holds postgres, initdb, pg_ctl; perhaps more
  EngineSource source = EngineSource::kDistribution;
  // The TLS library that it brings along, such as "OpenSSL 1.1"; empty where it uses the machine's,
  // which the distribution keeps mended.
  std::string own_tls_library;

  // OpenSSL 1.1.1 ended on 2023-09-11: clients' TLS is not left to it.
  bool TlsIsPastEndOfLife() const;
  std::string Program(std::string_view name) const { return bin_dir + "/" + std::string(name); }
};

// Looks in /usr/lib/postgresql/*/bin and in HOME/engines/*/bin and asks each `postgres --version`.
// Sorted by version; of two equal ones Howdah's own copy wins. Starts processes: let the caller
// keep the answer. An engine that does not answer, or of an unserved major version, is left out.
Result<std::vector<Engine>> FindEngines(system::Disk& disk, system::Processes& processes,
                                        const std::string& home);

// kNotFound, with the command that would install it, where the version is not there.
Result<Engine> FindEngine(const std::vector<Engine>& engines, std::string_view version);

// "postgres (PostgreSQL) 15.14 (Debian …)" to 15.14.
Result<EngineVersion> ParseVersionOutput(std::string_view output);
Result<EngineVersion> AskVersion(system::Processes& processes, const std::string& bin_dir);

// The day after which the community mends nothing more, where known.
std::optional<std::chrono::year_month_day> EndOfLife(int major);
bool IsPastEndOfLife(int major, std::chrono::year_month_day today);

// Later minors of the same major, and any later major: what RDS calls ValidUpgradeTarget, narrowed
// to what can run here. A major upgrade is marked, since it needs pg_upgrade.
struct UpgradeTarget {
  EngineVersion version;
  bool is_major = false;
};
std::vector<UpgradeTarget> ValidUpgradeTargets(EngineVersion from,
                                               const std::vector<Engine>& engines);

}  // namespace howdah::postgres
