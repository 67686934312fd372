// See quote.h.
#include "postgres/quote.h"

namespace howdah::postgres {
namespace {

std::string Doubled(std::string_view text, std::string_view what) {
  std::string out;
  for (const char c : text) {
    if (what.find(c) != std::string_view::npos) out += c;
    out += c;
  }
  return out;
}

}  // namespace

std::string QuoteIdentifier(std::string_view name) {
  return '"' + Doubled(name, "\"") + '"';
}

std::string QuoteLiteral(std::string_view text) {
  if (text.find('\\') == std::string_view::npos) return '\'' + Doubled(text, "'") + '\'';
  return "E'" + Doubled(text, "'\\") + '\'';
}

std::string QuoteConninfoValue(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

}  // namespace howdah::postgres
