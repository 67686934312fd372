// Events as RDS has them: what happened to a source, in a sentence and categories. Added to the
// transaction that makes the thing true, so an event never tells what did not happen.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "store/store.h"

namespace howdah::fleet {

inline constexpr Duration kEventsKept = std::chrono::hours(14 * 24);  // as on RDS

struct Event {
  std::string id;           // set when it is read; sorts by time
  std::string source_type;  // "db-instance"
  std::string source_id;    // the identifier
  std::string source_arn;
  std::string message;
  std::vector<std::string> categories;
  WallTime date;
};

// `nonce` tells events of the same microsecond apart.
void AddEvent(store::Transaction& transaction, const Event& event, std::string_view nonce);
Result<std::vector<Event>> ListEvents(store::Store& store);  // oldest first
// Only those of that time are parsed; both ends belong to it.
Result<std::vector<Event>> ListEvents(store::Store& store, WallTime begin, WallTime end);
// Deletes events older than kEventsKept.
Result<> PruneEvents(store::Store& store, WallTime now);

}  // namespace howdah::fleet
