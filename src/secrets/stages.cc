// See stages.h.
#include "secrets/stages.h"

#include <fmt/format.h>

#include <algorithm>

namespace howdah::secrets {

namespace {

void Attach(Record& record, const std::string& version_id, const std::string& stage) {
  for (auto& [id, version] : record.versions) std::erase(version.stages, stage);
  record.versions[version_id].stages.push_back(stage);
}

void MakeCurrent(Record& record, const std::string& version_id) {
  const std::optional<std::string> before = HolderOf(record, kCurrent);
  if (before == version_id) return;
  Attach(record, version_id, std::string(kCurrent));
  if (before) Attach(record, *before, std::string(kPrevious));
}

std::unexpected<Error> NoSuchVersion(const std::string& version_id) {
  return Fail(Code::kNotFound,
              "Secrets Manager can't find the specified secret value for VersionId: " + version_id);
}

Result<> CheckMove(const Record& record, const StageMove& move) {
  if (move.from.empty() && move.to.empty()) {
    return Fail(Code::kInvalid, "You must provide RemoveFromVersionId, MoveToVersionId or both.");
  }
  for (const std::string& id : {move.from, move.to}) {
    if (!id.empty() && !record.versions.contains(id)) return NoSuchVersion(id);
  }
  const std::optional<std::string> holder = HolderOf(record, move.stage);
  if (!move.from.empty() && holder != move.from) {
    return Fail(Code::kInvalid, fmt::format("The staging label {} isn't attached to version {}.",
                                            move.stage, move.from));
  }
  if (move.from.empty() && holder && holder != move.to) {
    return Fail(Code::kInvalid,
                fmt::format("The parameter RemoveFromVersionId can't be empty. Staging label {} is "
                            "currently attached to version {}, so you must explicitly reference "
                            "that version in RemoveFromVersionId.",
                            move.stage, *holder));
  }
  if (move.to.empty() && move.stage == kCurrent) {
    return Fail(Code::kInvalid,
                "You can only move staging label AWSCURRENT to a different secret version. It "
                "can't be completely removed.");
  }
  return {};
}

}  // namespace

std::optional<std::string> HolderOf(const Record& record, std::string_view stage) {
  for (const auto& [id, version] : record.versions) {
    if (std::ranges::find(version.stages, stage) != version.stages.end()) return id;
  }
  return std::nullopt;
}

void AttachStages(Record& record, const std::string& version_id,
                  const std::vector<std::string>& stages) {
  for (const std::string& stage : stages) {
    if (stage != kCurrent) Attach(record, version_id, stage);
  }
  if (std::ranges::find(stages, kCurrent) != stages.end()) MakeCurrent(record, version_id);
}

Result<> MoveStage(Record& record, const StageMove& move) {
  TRY(CheckMove(record, move));
  if (!move.from.empty() && move.to.empty()) {
    std::erase(record.versions[move.from].stages, move.stage);
    return {};
  }
  AttachStages(record, move.to, {move.stage});
  if (record.versions[move.to].stages.size() > kMaximumStages) {
    return Fail(Code::kExhausted, "A secret version can have at most 20 staging labels.");
  }
  return {};
}

std::vector<std::string> Prune(Record& record, WallTime now) {
  std::vector<std::pair<WallTime, std::string>> old;
  for (const auto& [id, version] : record.versions) {
    if (version.stages.empty() && version.created + 24h < now)
      old.emplace_back(version.created, id);
  }
  std::ranges::sort(old);
  std::vector<std::string> pruned;
  for (const auto& [created, id] : old) {
    if (record.versions.size() <= kMaximumVersions) break;
    record.versions.erase(id);
    pruned.push_back(id);
  }
  return pruned;
}

}  // namespace howdah::secrets
