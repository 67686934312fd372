#include "bin/privileges.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "vault/crypto.h"
#include "vault/files.h"

namespace howdah::bin {

namespace {

Result<> EnsureHome(const std::string& home) {
  struct stat info{};
  if (stat(home.c_str(), &info) == 0) {
    if (S_ISDIR(info.st_mode)) return {};
    return Fail(Code::kInvalid, fmt::format("the home {} is not a directory", home));
  }
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(home).parent_path(), error);
  if (error)
    return Fail(Code::kPermission, fmt::format("creating the home {}: {}", home, error.message()));
  if (mkdir(home.c_str(), 0700) != 0 && errno != EEXIST) {
    return Fail(ErrnoError("creating the home " + home, errno));
  }
  return {};
}

Result<> GiveTo(const std::string& home, const passwd& user) {
  struct stat info{};
  if (stat(home.c_str(), &info) != 0) return Fail(ErrnoError("looking at " + home, errno));
  if (info.st_uid == user.pw_uid) return {};
  if (info.st_uid != 0) {
    return Fail(Code::kPermission,
                fmt::format("the home {} belongs to another user (uid {}); start howdah as that "
                            "user, or choose another --home",
                            home, info.st_uid));
  }
  if (chown(home.c_str(), user.pw_uid, user.pw_gid) != 0) {
    return Fail(ErrnoError("giving " + home + " to the user " + kSystemUser, errno));
  }
  return {};
}

// A master key that root has put back from its copy. Only what looks like one: the directory is the
// user's, and must not be a way to other files of root's.
Result<> GiveKeyTo(const std::string& home, const passwd& user) {
  const std::string path = vault::MasterKeyPath(home);
  const int file = open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return {};
  struct stat info{};
  const bool is_roots_key = fstat(file, &info) == 0 && S_ISREG(info.st_mode) && info.st_uid == 0 &&
                            info.st_nlink == 1 &&
                            static_cast<std::size_t>(info.st_size) == vault::kKeySize;
  const bool given = !is_roots_key || (fchown(file, user.pw_uid, user.pw_gid) == 0 &&
                                       fchmod(file, S_IRUSR | S_IWUSR) == 0);
  const int error = errno;
  close(file);
  if (!given) return Fail(ErrnoError("giving " + path + " to the user " + kSystemUser, error));
  return {};
}

}  // namespace

Result<> EnsureHomeFor(const std::string& home) {
  TRY(EnsureHome(home));
  if (geteuid() != 0) return {};
  const passwd* user = getpwnam(kSystemUser);
  if (user == nullptr) {
    return Fail(
        Code::kNotFound,
        fmt::format("there is no system user '{0}', which Howdah becomes when it is started "
                    "as root. Make it: adduser --system --group --no-create-home --home "
                    "/var/lib/howdah {0}",
                    kSystemUser));
  }
  TRY(GiveTo(home, *user));
  return GiveKeyTo(home, *user);
}

Result<> BecomeOrdinary(const std::string& home) {
  TRY(EnsureHomeFor(home));
  if (geteuid() != 0) return {};
  const passwd* user = getpwnam(kSystemUser);
  if (initgroups(kSystemUser, user->pw_gid) != 0 || setgid(user->pw_gid) != 0 ||
      setuid(user->pw_uid) != 0) {
    return Fail(ErrnoError(fmt::format("becoming the user {}", kSystemUser), errno));
  }
  return {};
}

Result<> ShareEngines(const std::string& home) {
  if (geteuid() != 0) return {};
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::path engines = home + "/engines";
  fs::permissions(engines, fs::perms(0755), error);
  for (auto it = fs::recursive_directory_iterator(engines, error);
       !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
    if (it->is_symlink()) continue;
    const bool runs = it->is_directory() ||
                      (it->status().permissions() & fs::perms::owner_exec) != fs::perms::none;
    fs::permissions(it->path(), runs ? fs::perms(0755) : fs::perms(0644), error);
  }
  if (error) return Fail(Code::kInternal, "sharing the engines: " + error.message());
  return {};
}

}  // namespace howdah::bin
