// Any text as a route table, and as the epochs that a gateway keeps: what can be read comes back
// the same from its own format.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "gateway/route_book.h"
#include "gateway/routes.h"

using namespace howdah;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto message = ParseJsonObject({reinterpret_cast<const char*>(data), size});
  if (!message) return 0;
  if (const auto book = gateway::RouteBook::Parse(*message)) {
    const auto epochs = json::serialize(book->Format());
    const auto back = gateway::RouteBook::Parse(ParseJsonObject(epochs).value());
    if (!back || json::serialize(back->Format()) != epochs) std::abort();
  }
  const auto parsed = gateway::ParseRouteTable(*message);
  if (!parsed) return 0;
  const auto text = json::serialize(gateway::FormatRouteTable(parsed->table));
  const auto again = gateway::ParseRouteTable(ParseJsonObject(text).value());
  if (!again || !again->errors.empty() || again->table.routes != parsed->table.routes) std::abort();
  return 0;
}
