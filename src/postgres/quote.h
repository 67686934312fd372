// SQL quoting for names and texts that are not under our control. Pure.
#pragma once

#include <string>
#include <string_view>

namespace howdah::postgres {

std::string QuoteIdentifier(std::string_view name);  // "it""s"
// Right whatever standard_conforming_strings says: E'…' where there is a backslash.
std::string QuoteLiteral(std::string_view text);
// A libpq connection string value: 'it\'s'.
std::string QuoteConninfoValue(std::string_view text);

}  // namespace howdah::postgres
