#include "cli/home.h"

#include <cstdlib>
#include <filesystem>

namespace howdah::cli {
namespace {

std::string_view Trim(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return "";
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

bool IsWhole(const RootKey& key) {
  return !key.access_key_id.empty() && !key.secret_access_key.empty();
}

void ReadSetting(std::string_view line, RootKey& key) {
  const auto equals = line.find('=');
  if (equals == std::string_view::npos) return;
  const auto name = Trim(line.substr(0, equals));
  const std::string value(Trim(line.substr(equals + 1)));
  if (name == "aws_access_key_id") key.access_key_id = value;
  if (name == "aws_secret_access_key") key.secret_access_key = value;
  if (name == "region") key.region = value;
}

}  // namespace

Environment ProcessEnvironment() {
  return [](const std::string& name) -> std::optional<std::string> {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing in this program sets the environment
    const char* value = std::getenv(name.c_str());
    if (value == nullptr || *value == '\0') return std::nullopt;
    return value;
  };
}

Result<std::string> DefaultHome(const Environment& environment, bool root) {
  if (auto home = environment("HOWDAH_HOME")) return AbsolutePath(*home);
  if (root) return "/var/lib/howdah";
  if (auto state = environment("XDG_STATE_HOME")) return AbsolutePath(*state + "/howdah");
  if (auto user = environment("HOME")) return AbsolutePath(*user + "/.local/state/howdah");
  return Fail(Code::kInvalid, "neither HOWDAH_HOME nor HOME is set");
}

std::string AbsolutePath(const std::string& path) {
  std::error_code ignored;
  auto absolute = std::filesystem::absolute(path, ignored).lexically_normal().string();
  if (absolute.size() > 1 && absolute.ends_with('/')) absolute.pop_back();
  return absolute;
}

Result<RootKey> ParseCredentials(std::string_view text) {
  RootKey key;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto line = Trim(text.substr(0, end));
    text = end == std::string_view::npos ? "" : text.substr(end + 1);
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    if (line.front() == '[') {
      if (IsWhole(key)) break;
      key = RootKey();
      continue;
    }
    ReadSetting(line, key);
  }
  if (!IsWhole(key)) return Fail(Code::kCorrupt, "no access key in the credentials file");
  return key;
}

}  // namespace howdah::cli
