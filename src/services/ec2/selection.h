// What the Describe operations have in common: ids, filters with wildcards, pages. A kind of
// resource is described once, as a table from the names of AWS's filters to what a row says; a
// filter that is not in the table is an error, because ignoring it would select too much.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/fault.h"
#include "aws/generated/ec2.h"
#include "aws/shape.h"
#include "services/ec2/faults.h"
#include "vpc/records.h"

namespace howdah::services::ec2 {

namespace api = aws::ec2;

inline constexpr std::size_t kMaxFilterValues = 200;
inline constexpr std::int64_t kMaxPage = 1000;

// What one row says for one filter: nothing, one text, or several.
class Values {
 public:
  Values() = default;
  Values(std::string text) { texts_.push_back(std::move(text)); }       // NOLINT
  Values(std::string_view text) : Values(std::string(text)) {}          // NOLINT
  Values(const char* text) : Values(std::string(text)) {}               // NOLINT
  Values(bool flag) : Values(std::string(flag ? "true" : "false")) {}   // NOLINT
  Values(std::int64_t number) : Values(std::to_string(number)) {}       // NOLINT
  Values(std::vector<std::string> texts) : texts_(std::move(texts)) {}  // NOLINT
  Values(const std::optional<std::string>& text) {
    if (text) texts_ = {*text};
  }  // NOLINT
  const std::vector<std::string>& texts() const { return texts_; }

 private:
  std::vector<std::string> texts_;
};

// A filter by its name. Made from a lambda without captures: {"vpc-id", [](const Row& row) { … }};
// with nullptr it is a filter of AWS's that no row here ever matches.
template <typename Row>
struct Column {
  std::string_view filter;
  Values (*read)(const Row& row) = nullptr;

  constexpr Column(std::string_view name, std::nullptr_t) : filter(name) {}
  template <typename F>
  constexpr Column(std::string_view name, F) : filter(name) {
    read = [](const Row& row) { return Values(F{}(row)); };
  }
};

template <typename Row>
struct Resource {
  std::string_view ids;  // the parameter that lists ids, as AWS names it in its texts
  std::span<const Column<Row>> columns;
  std::string (*key)(const Row& row);             // the id: rows are sorted by it
  const vpc::Tags* (*tags)(const Row& row) = {};  // of "tag:KEY" and "tag-key"; none: no such
};

// '*' is any text, '?' any one character, '\' takes the next literally.
bool MatchesWildcard(std::string_view text, std::string_view pattern);
bool MatchesAny(const Values& values, const std::vector<std::string>& patterns);
bool MatchesTags(const vpc::Tags& tags, std::string_view filter,
                 const std::vector<std::string>& patterns);
bool IsAboutTags(std::string_view filter);

// Is the filter well formed? Whether there is such a filter, the caller says.
aws::Outcome<void> CheckFilter(const api::Filter& filter, bool known);

// A page's end as an opaque token and back: the key of the last row of the page before.
std::string EncodeToken(std::string_view last_key);
aws::Outcome<std::string> DecodeToken(const std::string& token);
// How many rows a page has.
aws::Outcome<std::size_t> PageSize(const std::optional<std::int64_t>& max_results);

template <typename Row>
struct Page {
  std::vector<Row> records;
  std::optional<std::string> next_token;
};

// Drops the rows that the filters do not match.
template <typename Row>
aws::Outcome<void> Filter(const Resource<Row>& resource, const aws::List<api::Filter>& filters,
                          std::vector<Row>& rows) {
  for (const api::Filter& filter : filters) {
    const std::string name = filter.name.value_or("");
    const bool about_tags = resource.tags && IsAboutTags(name);
    const auto column = std::ranges::find(resource.columns, name, &Column<Row>::filter);
    OUTCOME_TRY(CheckFilter(filter, about_tags || column != resource.columns.end()));
    std::erase_if(rows, [&](const Row& row) {
      if (about_tags) return !MatchesTags(*resource.tags(row), name, filter.values);
      return !column->read || !MatchesAny(column->read(row), filter.values);
    });
  }
  return {};
}

// Takes a page out of rows that are sorted by key.
template <typename Row>
aws::Outcome<Page<Row>> TakePage(const Resource<Row>& resource, std::vector<Row> rows,
                                 const std::optional<std::int64_t>& max_results,
                                 const std::optional<std::string>& next_token) {
  Page<Row> page;
  std::string after;
  if (next_token) {
    OUTCOME_ASSIGN(after, DecodeToken(*next_token));
  }
  OUTCOME_ASSIGN(const std::size_t limit, PageSize(max_results));
  for (Row& row : rows) {
    if (resource.key(row) <= after) continue;
    if (page.records.size() == limit) {
      page.next_token = EncodeToken(resource.key(page.records.back()));
      break;
    }
    page.records.push_back(std::move(row));
  }
  return page;
}

// The request's filters: nearly every operation calls them Filters.
template <typename Input>
const aws::List<api::Filter>& FiltersOf(const Input& in) {
  if constexpr (requires { in.filters; }) {
    return in.filters;
  } else {
    return in.filter;
  }
}

// Out of the rows that Load() has given, by key: those that the filters match, and of them a page.
template <typename Row, typename Input>
aws::Outcome<Page<Row>> Select(const Resource<Row>& resource, std::vector<Row> rows,
                               const Input& in, bool by_id) {
  if (by_id && in.max_results)
    return aws::Refuse(
        aws::InvalidParameterCombination("The parameter " + std::string(resource.ids) +
                                         " cannot be used with the parameter maxResults"));
  OUTCOME_TRY(Filter(resource, FiltersOf(in), rows));
  return TakePage(resource, std::move(rows), in.max_results, in.next_token);
}

// The records with these ids, each once, by id; of an empty list: all there are. Every one must
// exist. Few ids are looked up one by one, so that this does not grow with what there is.
template <typename T>
aws::Outcome<std::vector<T>> Load(store::Store& store, std::vector<std::string> ids) {
  if (ids.empty()) return Translated(vpc::List<T>(store));
  std::ranges::sort(ids);
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  std::vector<T> records;
  for (const std::string& id : ids) {
    OUTCOME_ASSIGN(T record, Find<T>(store, id));
    records.push_back(std::move(record));
  }
  return records;
}

}  // namespace howdah::services::ec2
