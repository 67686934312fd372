#include "bin/backups.h"

#include <cstdlib>

#include "archive/restore_wal.h"
#include "backup/catalogue.h"
#include "backup/verify.h"
#include "repository/open.h"
#include "repository/place.h"
#include "system/real/os_entropy.h"
#include "system/real/posix_disk.h"
#include "system/real/real_clock.h"
#include "vault/files.h"

namespace howdah::bin {

namespace {

std::optional<std::string> EnvironmentValue(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

}  // namespace

Result<repository::Repository*> LateRepository::Inner() {
  const std::lock_guard lock(mutex_);
  if (inner_) return inner_.get();
  TRY_ASSIGN(inner_, open_());
  return inner_.get();
}

Result<> LateRepository::Put(const std::string& name, std::string_view bytes) {
  TRY_ASSIGN(repository::Repository* const inner, Inner());
  return inner->Put(name, bytes);
}

Result<std::string> LateRepository::Get(const std::string& name) {
  TRY_ASSIGN(repository::Repository* const inner, Inner());
  return inner->Get(name);
}

Result<std::string> LateRepository::GetRange(const std::string& name, std::uint64_t offset,
                                             std::size_t size) {
  TRY_ASSIGN(repository::Repository* const inner, Inner());
  return inner->GetRange(name, offset, size);
}

Result<std::vector<repository::ObjectInfo>> LateRepository::List(const std::string& prefix) {
  TRY_ASSIGN(repository::Repository* const inner, Inner());
  return inner->List(prefix);
}

Result<std::vector<std::string>> LateRepository::ListSegments(const std::string& prefix) {
  TRY_ASSIGN(repository::Repository* const inner, Inner());
  return inner->ListSegments(prefix);
}

Result<> LateRepository::Delete(const std::string& name) {
  TRY_ASSIGN(repository::Repository* const inner, Inner());
  return inner->Delete(name);
}

Result<std::optional<system::SpaceInfo>> LateRepository::Space() {
  TRY_ASSIGN(repository::Repository* const inner, Inner());
  return inner->Space();
}

Backups::Backups(const BackupsInput& input)
    : repository_(input.place,
                  [input] {
                    return repository::OpenRepository(input.place, EnvironmentValue, input.disk,
                                                      input.entropy);
                  }),
      keys_(repository_, input.keyring, input.entropy),
      needs_{.repository = repository_,
             .keys = keys_,
             .entropy = input.entropy,
             .disk = input.disk,
             .clock = input.clock,
             .log = input.log} {}

std::string RepositoryPlace(const std::string& named, const std::string& home) {
  return named.empty() ? home + "/backups" : named;
}

// The servers that recover read the repository themselves, and the environment of a server, which
// its superusers can look at, holds no keys.
Result<> CheckRepositoryPlace(const std::string& place) {
  TRY_ASSIGN(const repository::Place parsed, repository::ParsePlace(place));
  const auto* s3 = std::get_if<repository::S3Place>(&parsed);
  if (s3 == nullptr || !s3->credentials_path.empty()) return {};
  return Fail(Code::kInvalid,
              "repository '" + place +
                  "': name the file with its keys, an AWS credentials file of mode 0600 that the "
                  "daemon's user can read, with credentials=/path behind the '?'");
}

namespace {

// A home's key, the seams, and its repository, for programs that end soon.
struct Offline {
  system::RealClock clock;
  system::OsEntropy entropy;
  system::PosixDisk disk;
  std::optional<vault::Keyring> keyring;
  std::optional<Backups> backups;

  Result<> Open(const std::string& home, const std::string& place, const Log& log) {
    const Result<bool> has_key = disk.Exists(vault::MasterKeyPath(home));
    if (!has_key || !*has_key) return Fail(Code::kNotFound, home + " has no master.key");
    TRY_ASSIGN(vault::Keyring opened, vault::Keyring::OpenOrCreate(disk, entropy, home));
    keyring.emplace(std::move(opened));
    backups.emplace(BackupsInput{.place = RepositoryPlace(place, home),
                                 .disk = disk,
                                 .clock = clock,
                                 .entropy = entropy,
                                 .keyring = *keyring,
                                 .log = log});
    return {};
  }
};

}  // namespace

Result<cli::VerifyResult> VerifyBackups(const cli::VerifyInput& input,
                                        const std::function<void(std::string_view)>& say,
                                        const Log& log) {
  Offline offline;
  TRY(offline.Open(input.home, input.repository, log));
  const backup::Needs& needs = offline.backups->needs();
  std::vector<InstanceId> instances{InstanceId(input.instance)};
  if (input.instance.empty()) {
    TRY_ASSIGN(instances, backup::ListInstances(needs));
  }
  cli::VerifyResult result;
  for (const InstanceId& instance : instances) {
    say(instance.str());
    backup::Job job;
    TRY_ASSIGN(const backup::VerifyOutcome outcome,
               backup::VerifyBackups({.instance = instance}, needs, job));
    TRY_ASSIGN(const auto objects, needs.repository.List("instances/" + instance.str() + "/"));
    if (objects.empty()) {
      return Fail(Code::kNotFound, "the repository has nothing of " + instance.str());
    }
    result.damage_count += outcome.damage_count;
    result.backups.insert(result.backups.end(), outcome.backups.begin(), outcome.backups.end());
    result.damages.insert(result.damages.end(), outcome.damages.begin(), outcome.damages.end());
  }
  return result;
}

int RestoreWal(const cli::RestoreWalOptions& options, const Log& log) {
  Offline offline;
  if (const Result<> opened = offline.Open(options.home, options.repository, log); !opened) {
    log.Error("restore-wal: {}", opened.error().what());
    return archive::kRestoreWalFailed;
  }
  const backup::Needs& needs = offline.backups->needs();
  return archive::RestoreWal(options.plan, options.file, options.target, needs.repository,
                             needs.keys, offline.disk, log);
}

}  // namespace howdah::bin
