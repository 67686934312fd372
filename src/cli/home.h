// Howdah's home directory as a client sees it: where it is, and the files in it that a client
// reads.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "system/disk.h"

namespace howdah::cli {

// Reads a variable of the environment; an empty one counts as absent.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;
Environment ProcessEnvironment();

// The default of --home: HOWDAH_HOME; for root /var/lib/howdah; else $XDG_STATE_HOME/howdah or
// ~/.local/state/howdah.
Result<std::string> DefaultHome(const Environment& environment, bool root);

// The same path, absolute, without "." and "..".
std::string AbsolutePath(const std::string& path);

class Home {
 public:
  explicit Home(std::string path) : path_(std::move(path)) {}
  const std::string& path() const { return path_; }
  std::string CredentialsPath() const { return path_ + "/credentials"; }
  std::string EndpointPath() const { return path_ + "/endpoint"; }
  std::string LogDirectory() const { return path_ + "/log"; }
  std::string ServeLogPath() const { return path_ + "/log/serve.log"; }
  std::string EnginesDirectory() const { return path_ + "/engines"; }

 private:
  std::string path_;
};

struct RootKey {
  std::string access_key_id;
  std::string secret_access_key;
  std::string region;  // empty where the file does not name one
};

// Reads AWS's ini form: the first section that has both halves of a key.
Result<RootKey> ParseCredentials(std::string_view text);

}  // namespace howdah::cli
