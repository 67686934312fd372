// What is known of a secret except its values, and the form in which the store holds it. Store
// keys:
//   /secrets/records/<id>            a Record
//   /secrets/names/<name>            {"id": <id>}: a name is taken until its secret is purged
//   /secrets/values/<id>/<version>   {"sealed": …}, see docs/formats/vault.md
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace howdah::secrets {

inline constexpr std::string_view kCurrent = "AWSCURRENT";
inline constexpr std::string_view kPrevious = "AWSPREVIOUS";
inline constexpr std::string_view kRecordsPrefix = "/secrets/records/";

struct Version {
  WallTime created;
  bool binary = false;              // SecretBinary rather than SecretString
  std::vector<std::string> stages;  // none: deprecated
};

struct Record {
  std::string id;
  std::string name;
  std::string arn;
  std::string description;
  WallTime created;
  WallTime changed;
  std::optional<WallTime> accessed;  // the day only
  std::optional<WallTime> deletion;  // when it may be purged; set while marked for deletion
  std::map<std::string, std::string> tags;
  std::map<std::string, Version> versions;  // by version id
};

std::string RecordKey(std::string_view id);
std::string NameKey(std::string_view name);
std::string ValueKey(std::string_view id, std::string_view version_id);

std::string ToJson(const Record& record);
Result<Record> ParseRecord(std::string_view text);

}  // namespace howdah::secrets
