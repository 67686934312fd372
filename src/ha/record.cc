#include "ha/record.h"

#include <array>
#include <utility>

#include "base/json.h"

namespace howdah::ha {

namespace {

constexpr std::array<std::pair<Phase, std::string_view>, 11> kPhases = {{
    {Phase::kSingle, "SINGLE"},
    {Phase::kSeeding, "SEEDING"},
    {Phase::kCatchup, "CATCHUP"},
    {Phase::kProtected, "PROTECTED"},
    {Phase::kDegraded, "DEGRADED"},
    {Phase::kPrepare, "PREPARE"},
    {Phase::kSwitch, "SWITCH"},
    {Phase::kFailover, "FAILOVER"},
    {Phase::kPromoting, "PROMOTING"},
    {Phase::kRejoin, "REJOIN"},
    {Phase::kHalted, "HALTED"},
}};

constexpr std::array<std::pair<Cause, std::string_view>, 7> kCauses = {{
    {Cause::kNone, ""},
    {Cause::kPrimaryDown, "the primary's server ended"},
    {Cause::kPrimaryUnresponsive, "the primary did not answer"},
    {Cause::kPrimaryFailed, "the primary could not be started"},
    {Cause::kSwitchover, "requested"},
    {Cause::kTurnedBack, "the standby could not take over"},
    {Cause::kDataLossAccepted, "requested, accepting the loss of data"},
}};

template <typename Enum, std::size_t N>
std::string_view NameOf(const std::array<std::pair<Enum, std::string_view>, N>& names, Enum value) {
  for (const auto& [known, name] : names) {
    if (known == value) return name;
  }
  return "UNKNOWN";
}

template <typename Enum, std::size_t N>
Result<Enum> ValueOf(const std::array<std::pair<Enum, std::string_view>, N>& names,
                     const std::string& name) {
  for (const auto& [value, known] : names) {
    if (known == name) return value;
  }
  return Fail(Code::kCorrupt, "high-availability record: no such word: " + name);
}

}  // namespace

std::string_view PhaseName(Phase phase) {
  return NameOf(kPhases, phase);
}

std::string_view CauseName(Cause cause) {
  return NameOf(kCauses, cause);
}

bool IsChangingRoles(const Record& record) {
  return record.phase == Phase::kPrepare || record.phase == Phase::kSwitch ||
         record.phase == Phase::kFailover || record.phase == Phase::kPromoting;
}

std::string FormatRecord(const Record& record) {
  json::array failovers;
  for (const MonotonicTime& time : record.failovers) {
    failovers.push_back(
        std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count());
  }
  return json::serialize(json::object{{"phase", PhaseName(record.phase)},
                                      {"epoch", record.epoch},
                                      {"primary", record.primary.str()},
                                      {"standby", record.standby.str()},
                                      {"token", record.token},
                                      {"armed", record.armed},
                                      {"protected", record.protected_},
                                      {"cause", CauseName(record.cause)},
                                      {"revive", record.revive},
                                      {"checkpoint", record.checkpoint},
                                      {"shutdown_lsn", record.shutdown_lsn},
                                      {"failovers", failovers},
                                      {"seq", record.seq}});
}

Result<Record> ParseRecord(std::string_view text) {
  TRY_ASSIGN(const json::object object, ParseJsonObject(text));
  Record record;
  TRY_ASSIGN(record.phase, ValueOf(kPhases, JsonString(object, "phase")));
  record.epoch = JsonInt(object, "epoch");
  record.primary = NodeId(JsonString(object, "primary"));
  record.standby = NodeId(JsonString(object, "standby"));
  record.token = JsonString(object, "token");
  record.armed = JsonBool(object, "armed");
  record.protected_ = JsonBool(object, "protected");
  TRY_ASSIGN(record.cause, ValueOf(kCauses, JsonString(object, "cause")));
  record.revive = JsonInt(object, "revive");
  record.checkpoint = JsonInt(object, "checkpoint");
  record.shutdown_lsn = JsonInt(object, "shutdown_lsn");
  const json::value* failovers = object.if_contains("failovers");
  if (failovers && failovers->is_array()) {
    for (const json::value& time : failovers->get_array()) {
      if (!time.is_int64()) return Fail(Code::kCorrupt, "high-availability record: failovers");
      record.failovers.emplace_back(std::chrono::milliseconds(time.get_int64()));
    }
  }
  record.seq = JsonInt(object, "seq");
  return record;
}

}  // namespace howdah::ha
