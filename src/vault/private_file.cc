// See private_file.h.
#include "vault/private_file.h"

#include <fmt/format.h>

namespace howdah::vault {

Result<std::string> ReadPrivateFile(system::Disk& disk, const std::string& path) {
  TRY_ASSIGN(const system::FileInfo info, disk.Inspect(path));
  if (info.is_directory) return Fail(Code::kCorrupt, path + " is a directory, not a file");
  if ((info.mode & 077U) != 0) {
    return Fail(Code::kPermission,
                fmt::format("{0} holds a secret but has mode {1:04o}: others may have read it. "
                            "Make it private with: chmod 600 {0}",
                            path, info.mode));
  }
  return disk.Read(path);
}

}  // namespace howdah::vault
