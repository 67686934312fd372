#include "ha/record.h"

#include <array>
#include <utility>

#include "base/json.h"

namespace howdah::ha {

namespace {

constexpr std::array<std::pair<Phase, std::string_view>, 6> kPhases = {{
    {Phase::kSingle, "SINGLE"},
    {Phase::kSeeding, "SEEDING"},
    {Phase::kCatchup, "CATCHUP"},
    {Phase::kProtected, "PROTECTED"},
    {Phase::kDegraded, "DEGRADED"},
    {Phase::kHalted, "HALTED"},
}};

}  // namespace

std::string_view PhaseName(Phase phase) {
  for (const auto& [known, name] : kPhases) {
    if (known == phase) return name;
  }
  return "UNKNOWN";
}

std::string FormatRecord(const Record& record) {
  return json::serialize(json::object{{"phase", PhaseName(record.phase)},
                                      {"epoch", record.epoch},
                                      {"primary", record.primary.str()},
                                      {"standby", record.standby.str()},
                                      {"token", record.token},
                                      {"armed", record.armed},
                                      {"protected", record.protected_},
                                      {"seq", record.seq}});
}

Result<Record> ParseRecord(std::string_view text) {
  TRY_ASSIGN(const json::object object, ParseJsonObject(text));
  Record record;
  const std::string phase_name = JsonString(object, "phase");
  bool known = false;
  for (const auto& [phase, name] : kPhases) {
    if (name == phase_name) {
      record.phase = phase;
      known = true;
    }
  }
  if (!known) return Fail(Code::kCorrupt, "high-availability record: no such phase: " + phase_name);
  record.epoch = JsonInt(object, "epoch");
  record.primary = NodeId(JsonString(object, "primary"));
  record.standby = NodeId(JsonString(object, "standby"));
  record.token = JsonString(object, "token");
  record.armed = JsonBool(object, "armed");
  record.protected_ = JsonBool(object, "protected");
  record.seq = JsonInt(object, "seq");
  return record;
}

}  // namespace howdah::ha
