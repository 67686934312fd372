// One resource at a time.
#include "services/cloudformation/drift.h"

#include <algorithm>

namespace howdah::cfn {

namespace {

// Only what could be compared is shown; a secret is neither.
json::object Comparable(const json::object& expected, const json::object& actual) {
  json::object made;
  for (const auto& member : expected) {
    if (actual.contains(member.key())) made.emplace(member.key(), member.value());
  }
  return made;
}

json::object WithoutReferences(const json::object& properties) {
  json::object made;
  for (const auto& member : properties) {
    if (json::serialize(member.value()).find("{{resolve:") != std::string::npos) continue;
    made.emplace(member.key(), member.value());
  }
  return made;
}

}  // namespace

aws::Outcome<ResourceDrift> LookForDrift(Session& session, const ResourceRecord& record,
                                         const Side& side) {
  ResourceDrift drift{.logical_id = record.logical_id,
                      .physical_id = record.physical_id,
                      .type = record.type,
                      .status = "DELETED",
                      .expected = {},
                      .actual = {},
                      .differences = {},
                      .time = session.now()};
  auto properties = session.Properties(record, side);
  const json::object expected = properties ? WithoutReferences(*properties) : json::object();
  auto actual = session.ProviderOf(record).Read(session.SubjectOf(record, side), expected);
  if (!actual && IsNotFound(actual.error())) actual = std::nullopt;
  if (!actual) return std::unexpected(actual.error());
  if (!*actual) {
    drift.expected = json::serialize(expected);
    return drift;
  }
  // It is there, but something that its properties refer to is not.
  if (!properties) return std::unexpected(properties.error());
  const json::object comparable = Comparable(expected, **actual);
  drift.differences = FindDifferences(comparable, **actual);
  drift.status = drift.differences.empty() ? "IN_SYNC" : "MODIFIED";
  drift.expected = json::serialize(comparable);
  drift.actual = json::serialize(Comparable(**actual, comparable));
  return drift;
}

std::string DriftKey(const Stack& stack, std::string_view logical_id) {
  return DriftPrefix(stack.id) + std::string(logical_id);
}

std::string SealDrift(const Sealer& sealer, const Stack& stack, const ResourceDrift& drift) {
  json::array differences;
  for (const Difference& one : drift.differences) {
    differences.push_back(json::object{{"path", one.path},
                                       {"kind", static_cast<std::int64_t>(one.kind)},
                                       {"expected", one.expected},
                                       {"actual", one.actual}});
  }
  return SealObject(sealer,
                    {{"logical_id", drift.logical_id},
                     {"physical_id", drift.physical_id},
                     {"type", drift.type},
                     {"status", drift.status},
                     {"expected", drift.expected},
                     {"actual", drift.actual},
                     {"differences", std::move(differences)},
                     {"time", ToMicros(drift.time)}},
                    stack.id);
}

Result<ResourceDrift> OpenDrift(const Sealer& sealer, const Stack& stack, std::string_view sealed) {
  TRY_ASSIGN(const json::object from, OpenObject(sealer, sealed, stack.id));
  ResourceDrift drift{.logical_id = JsonString(from, "logical_id"),
                      .physical_id = JsonString(from, "physical_id"),
                      .type = JsonString(from, "type"),
                      .status = JsonString(from, "status"),
                      .expected = JsonString(from, "expected"),
                      .actual = JsonString(from, "actual"),
                      .differences = {},
                      .time = FromMicros(JsonInt(from, "time"))};
  const json::value* list = from.if_contains("differences");
  if (list == nullptr || !list->is_array()) return drift;
  for (const json::value& item : list->get_array()) {
    if (!item.is_object()) continue;
    const json::object& one = item.get_object();
    drift.differences.push_back({JsonString(one, "path"),
                                 static_cast<Difference::Kind>(JsonInt(one, "kind")),
                                 JsonString(one, "expected"), JsonString(one, "actual")});
  }
  return drift;
}

}  // namespace howdah::cfn
