// See record.h.
#include "secrets/record.h"

#include "base/json.h"

namespace howdah::secrets {

namespace {

std::optional<WallTime> OptionalTime(const json::object& object, std::string_view name) {
  if (!object.contains(name)) return std::nullopt;
  return FromMicros(JsonInt(object, name));
}

Version ParseVersion(const json::object& object) {
  return {.created = FromMicros(JsonInt(object, "created")),
          .binary = JsonBool(object, "binary"),
          .stages = JsonStrings(object, "stages")};
}

}  // namespace

std::string RecordKey(std::string_view id) {
  return std::string(kRecordsPrefix) + std::string(id);
}

std::string NameKey(std::string_view name) {
  return "/secrets/names/" + std::string(name);
}

std::string ValueKey(std::string_view id, std::string_view version_id) {
  return "/secrets/values/" + std::string(id) + "/" + std::string(version_id);
}

std::string ToJson(const Record& record) {
  json::object versions;
  for (const auto& [id, version] : record.versions) {
    versions[id] = json::object{{"created", ToMicros(version.created)},
                                {"binary", version.binary},
                                {"stages", ToJsonArray(version.stages)}};
  }
  json::object tags;
  for (const auto& [key, value] : record.tags) tags[key] = value;
  json::object object{{"id", record.id},
                      {"name", record.name},
                      {"arn", record.arn},
                      {"description", record.description},
                      {"created", ToMicros(record.created)},
                      {"changed", ToMicros(record.changed)},
                      {"tags", std::move(tags)},
                      {"versions", std::move(versions)}};
  if (record.accessed) object["accessed"] = ToMicros(*record.accessed);
  if (record.deletion) object["deletion"] = ToMicros(*record.deletion);
  return json::serialize(object);
}

Result<Record> ParseRecord(std::string_view text) {
  TRY_ASSIGN(const json::object object, ParseJsonObject(text));
  Record record{.id = JsonString(object, "id"),
                .name = JsonString(object, "name"),
                .arn = JsonString(object, "arn"),
                .description = JsonString(object, "description"),
                .created = FromMicros(JsonInt(object, "created")),
                .changed = FromMicros(JsonInt(object, "changed")),
                .accessed = OptionalTime(object, "accessed"),
                .deletion = OptionalTime(object, "deletion")};
  const json::object tags = JsonObject(object, "tags");
  for (const auto& tag : tags) record.tags[tag.key()] = JsonString(tags, tag.key());
  const json::object versions = JsonObject(object, "versions");
  for (const auto& version : versions) {
    record.versions[version.key()] = ParseVersion(JsonObject(versions, version.key()));
  }
  if (record.id.empty() || record.name.empty()) {
    return Fail(Code::kCorrupt, "a secret's record without id or name");
  }
  return record;
}

}  // namespace howdah::secrets
