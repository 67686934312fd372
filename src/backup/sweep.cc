#include "backup/sweep.h"

#include <algorithm>
#include <map>
#include <set>

#include "backup/catalogue.h"
#include "backup/names.h"

namespace howdah::backup {

namespace {

class Sweeping {
 public:
  Sweeping(const SweepRequest& request, const Needs& needs) : request_(request), needs_(needs) {}

  Result<SweepOutcome> Run() {
    for (const std::string& backup : request_.remove) {
      TRY(needs_.repository.Delete(
          NameOf(request_.instance, {.backup = backup, .kind = ObjectKind::kManifest})));
    }
    // Only what is listed from here on counts: a backup that began before builds on manifests that
    // are perhaps gone, and then its `begun` is seen.
    TRY_ASSIGN(objects_, needs_.repository.List(BackupsPrefix(request_.instance)));
    TRY_ASSIGN(const Catalogue catalogue, ListBackups(needs_, request_.instance));
    for (const Manifest& manifest : catalogue.backups) {
      finished_.insert(manifest.id);
      has_manifest_.insert(manifest.id);
      for (const PackUse& pack : manifest.packs) live_.insert(PackName(request_.instance, pack));
    }
    TRY(FindUnfinished());
    if (!catalogue.unreadable.empty()) outcome_.kept = catalogue.unreadable.front();
    for (const auto& object : objects_) TRY(Look(object));
    return outcome_;
  }

 private:
  Result<> FindUnfinished() {
    for (const auto& object : objects_) {
      const auto name = ParseBackupObject(request_.instance, object.name);
      if (!name) continue;
      if (name->kind == ObjectKind::kManifest) has_manifest_.insert(name->backup);
      if (name->kind != ObjectKind::kBegun || finished_.contains(name->backup)) continue;
      TRY_ASSIGN(const bool young, IsYoung(object.name));
      if (!young) continue;
      unfinished_.insert(name->backup);
      outcome_.kept = name->backup + " is being taken";
    }
    return {};
  }

  // A clock that was set back must not make an unfinished backup look old.
  Result<bool> IsYoung(const std::string& name) {
    const auto text = ReadObject(needs_, name);
    if (!text && text.error().code() == Code::kUnavailable) return Fail(text.error());
    if (!text && text.error().code() == Code::kNotFound) return false;
    if (!text) return true;
    const auto begun = ParseBegun(*text);
    return !begun || needs_.clock.Now() - begun->started < request_.safe_age;
  }

  bool MayGo(const BackupObject& name, const std::string& full_name) const {
    if (unfinished_.contains(name.backup)) return false;
    if (name.kind == ObjectKind::kPack) return outcome_.kept.empty() && !live_.contains(full_name);
    if (!has_manifest_.contains(name.backup)) return true;
    // Of a backup that is there: what was needed only until then.
    return finished_.contains(name.backup) &&
           (name.kind == ObjectKind::kBegun || name.kind == ObjectKind::kPart);
  }

  Result<> Look(const repository::ObjectInfo& object) {
    const auto name = ParseBackupObject(request_.instance, object.name);
    if (!name || !MayGo(*name, object.name)) return {};
    TRY(needs_.repository.Delete(object.name));
    ++outcome_.removed_objects;
    outcome_.removed_bytes += object.size_bytes;
    return {};
  }

  const SweepRequest& request_;
  const Needs& needs_;
  std::vector<repository::ObjectInfo> objects_;
  std::set<std::string> finished_;      // backups whose manifest can be read
  std::set<std::string> has_manifest_;  // or not
  std::set<std::string> unfinished_;
  std::set<std::string> live_;  // names of packs
  SweepOutcome outcome_;
};

}  // namespace

Result<SweepOutcome> Sweep(const SweepRequest& request, const Needs& needs) {
  return Sweeping(request, needs).Run();
}

}  // namespace howdah::backup
