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

// "db-Credentials" is two words; a search for all of them finds them in any order.
Texts WordsOf(const std::string& text) {
  Texts words(1);
  for (const char c : Lower(text)) {
    const bool part = std::isalnum(static_cast<unsigned char>(c)) != 0;
    if (part) words.back() += c;
    if (!part && !words.back().empty()) words.emplace_back();
  }
  if (words.back().empty() && words.size() > 1) words.pop_back();
  return words;
}

// What a filter looks at; lower case where case does not count.
Texts TextsOf(const secrets::Record& record, const std::string& key) {
  Texts texts;
  if (key == "name") texts.push_back(record.name);
  if (key == "description") texts.push_back(Lower(record.description));
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

bool AnyBeginsWith(const Texts& texts, const std::string& value) {
  return std::ranges::any_of(texts,
                             [&](const std::string& text) { return text.starts_with(value); });
}

bool ValueMatches(const Texts& texts, const std::string& key, const std::string& value) {
  if (key == "description") return AnyBeginsWith(texts, Lower(value));
  if (key != "all") return AnyBeginsWith(texts, value);
  return std::ranges::all_of(WordsOf(value),
                             [&](const std::string& word) { return AnyBeginsWith(texts, word); });
}

// One of the values, if there are any without "!", and none of those with it.
bool FilterMatches(const secrets::Record& record, const aws::secretsmanager::Filter& filter) {
  const std::string key = filter.key.value_or("all");
  const Texts texts = TextsOf(record, key);
  bool wanted = false;
  bool found = false;
  for (const std::string& value : filter.values) {
    if (value.starts_with('!')) {
      if (ValueMatches(texts, key, value.substr(1))) return false;
    } else {
      wanted = true;
      found = found || ValueMatches(texts, key, value);
    }
  }
  return found || !wanted;
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
