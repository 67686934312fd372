#include "fleet/event.h"

#include <fmt/format.h>

#include "base/json.h"
#include "fleet/keys.h"

namespace howdah::fleet {

namespace {

// Sorts by time as text; read back by PruneEvents.
std::string EventId(WallTime date, std::string_view nonce) {
  return fmt::format("{:020}-{}", ToMicros(date), nonce);
}

}  // namespace

void AddEvent(store::Transaction& transaction, const Event& event, std::string_view nonce) {
  transaction.puts.push_back(
      {.key = EventKey(EventId(event.date, nonce)),
       .value = json::serialize(json::object{{"source_type", event.source_type},
                                             {"source_id", event.source_id},
                                             {"source_arn", event.source_arn},
                                             {"message", event.message},
                                             {"categories", ToJsonArray(event.categories)},
                                             {"date", ToMicros(event.date)}}),
       .lease = ""});
}

Result<std::vector<Event>> ListEvents(store::Store& store) {
  return ListEvents(store, WallTime{}, WallTime::max());
}

Result<std::vector<Event>> ListEvents(store::Store& store, WallTime begin, WallTime end) {
  const std::string first = EventKey(EventId(begin, ""));
  const std::string last = EventKey(EventId(end, "~"));
  TRY_ASSIGN(const store::Listing listing, store.List(kEventsPrefix));
  std::vector<Event> events;
  for (const store::Document& document : listing.documents) {
    if (document.key < first || document.key > last) continue;
    TRY_ASSIGN(const json::object object, ParseJsonObject(document.value));
    events.push_back({.id = document.key.substr(kEventsPrefix.size()),
                      .source_type = JsonString(object, "source_type"),
                      .source_id = JsonString(object, "source_id"),
                      .source_arn = JsonString(object, "source_arn"),
                      .message = JsonString(object, "message"),
                      .categories = JsonStrings(object, "categories"),
                      .date = FromMicros(JsonInt(object, "date"))});
  }
  return events;
}

Result<> PruneEvents(store::Store& store, WallTime now) {
  const std::string oldest_kept = EventKey(EventId(now - kEventsKept, ""));
  TRY_ASSIGN(const store::Listing listing, store.List(kEventsPrefix));
  store::Transaction transaction;
  for (const store::Document& document : listing.documents) {
    if (document.key < oldest_kept) transaction.deletes.push_back(document.key);
  }
  if (transaction.deletes.empty()) return {};
  TRY(store.Commit(transaction));
  return {};
}

}  // namespace howdah::fleet
