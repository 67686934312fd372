// See filters.h. The rules are those of the ListSecrets API reference.
#include "services/secretsmanager/filters.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace howdah::services::secretsmanager {

namespace {

using Texts = std::vector<std::string>;

std::string Lower(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// The text itself and every word in it.
void AddWords(const std::string& text, Texts& words) {
  words.push_back(Lower(text));
  for (std::size_t i = 1; i < text.size(); ++i) {
    const bool starts = std::isalnum(static_cast<unsigned char>(text[i])) != 0 &&
                        std::isalnum(static_cast<unsigned char>(text[i - 1])) == 0;
    if (starts) words.push_back(Lower(text.substr(i)));
  }
}

// What a filter looks at; lower case where case does not count.
Texts TextsOf(const secrets::Record& record, const std::string& key) {
  Texts texts;
  if (key == "name") texts.push_back(record.name);
  if (key == "description") AddWords(record.description, texts);
  for (const auto& [name, value] : record.tags) {
    if (key == "tag-key") texts.push_back(name);
    if (key == "tag-value") texts.push_back(value);
    if (key == "all") AddWords(name, texts);
    if (key == "all") AddWords(value, texts);
  }
  if (key == "all") AddWords(record.name, texts);
  if (key == "all") AddWords(record.description, texts);
  return texts;  // nothing has a primary region or an owning service yet
}

bool ValueMatches(const Texts& texts, std::string value, bool fold) {
  const bool negated = value.starts_with('!');
  if (negated) value.erase(0, 1);
  if (fold) value = Lower(std::move(value));
  const bool found =
      std::ranges::any_of(texts, [&](const std::string& text) { return text.starts_with(value); });
  return found != negated;
}

bool FilterMatches(const secrets::Record& record, const aws::secretsmanager::Filter& filter) {
  const std::string key = filter.key.value_or("all");
  const bool fold = key == "description" || key == "all";
  const Texts texts = TextsOf(record, key);
  return std::ranges::any_of(
      filter.values, [&](const std::string& value) { return ValueMatches(texts, value, fold); });
}

std::string TimeKey(WallTime time) {
  return fmt::format("{:020}", ToMicros(time));
}

}  // namespace

bool Matches(const secrets::Record& record, const aws::List<aws::secretsmanager::Filter>& filters) {
  return std::ranges::all_of(filters, [&](const aws::secretsmanager::Filter& filter) {
    return FilterMatches(record, filter);
  });
}

aws::Outcome<std::string> SortKey(const secrets::Record& record, const std::string& sort_by) {
  if (sort_by == "name") return record.name;
  if (sort_by == "last-changed-date") return TimeKey(record.changed) + record.name;
  if (sort_by == "last-accessed-date") {
    return TimeKey(record.accessed.value_or(FromMicros(0))) + record.name;
  }
  if (sort_by.empty() || sort_by == "created-date") return TimeKey(record.created) + record.name;
  return aws::Refuse(
      aws::secretsmanager::fault::InvalidParameterException("Unknown SortBy: " + sort_by));
}

}  // namespace howdah::services::secretsmanager
