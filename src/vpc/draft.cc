// Reading through a transaction, and keeping each key in it once, as the store asks.
#include "vpc/draft.h"

#include <algorithm>
#include <map>

namespace howdah::vpc {
namespace {

bool Contains(const std::vector<std::string>& keys, const std::string& key) {
  return std::ranges::find(keys, key) != keys.end();
}

}  // namespace

Result<> Draft::Expect(const std::string& key, store::Revision revision) {
  const auto found = std::ranges::find(transaction_.compares, key, &store::Compare::key);
  if (found == transaction_.compares.end()) {
    transaction_.compares.push_back({key, revision});
    return {};
  }
  if (found->revision != revision) return Fail(Code::kConflict, key + " has changed meanwhile");
  return {};
}

Result<std::string> Draft::Read(const std::string& key) {
  const auto put = std::ranges::find(transaction_.puts, key, &store::Put::key);
  if (put != transaction_.puts.end()) return put->value;
  if (Contains(transaction_.deletes, key)) return Fail(Code::kNotFound, key);
  auto document = store_.Get(key);
  if (!document && document.error().code() != Code::kNotFound) return Fail(document.error());
  TRY(Expect(key, document ? document->revision : 0));
  if (!document) return Fail(Code::kNotFound, key + " does not exist");
  return std::move(document->value);
}

Result<std::vector<store::Document>> Draft::Overlay(std::string_view prefix) {
  TRY_ASSIGN(store::Listing listing, store_.List(prefix));
  std::map<std::string, store::Document> by_key;
  for (store::Document& document : listing.documents) by_key[document.key] = std::move(document);
  for (const std::string& key : transaction_.deletes) by_key.erase(key);
  for (const store::Put& put : transaction_.puts)
    if (put.key.starts_with(prefix)) by_key[put.key] = {put.key, put.value, 0};
  std::vector<store::Document> documents;
  for (auto& [key, document] : by_key) documents.push_back(std::move(document));
  return documents;
}

Result<std::vector<std::string>> Draft::ReadAll(std::string_view prefix) {
  TRY_ASSIGN(std::vector<store::Document> documents, Overlay(prefix));
  std::vector<std::string> values;
  for (store::Document& document : documents) values.push_back(std::move(document.value));
  return values;
}

Result<std::vector<std::string>> Draft::Keys(std::string_view prefix) {
  TRY_ASSIGN(std::vector<store::Document> documents, Overlay(prefix));
  std::vector<std::string> keys;
  for (store::Document& document : documents) keys.push_back(std::move(document.key));
  return keys;
}

Result<> Draft::Create(const std::string& key, std::string value) {
  auto existing = Read(key);
  if (existing) return Fail(Code::kAlreadyExists, key + " exists already");
  if (existing.error().code() != Code::kNotFound) return Fail(existing.error());
  Write(key, std::move(value));
  return {};
}

void Draft::Write(const std::string& key, std::string value) {
  std::erase(transaction_.deletes, key);
  const auto put = std::ranges::find(transaction_.puts, key, &store::Put::key);
  if (put != transaction_.puts.end()) {
    put->value = std::move(value);
  } else {
    transaction_.puts.push_back({key, std::move(value), ""});
  }
}

void Draft::Erase(const std::string& key) {
  std::erase_if(transaction_.puts, [&](const store::Put& put) { return put.key == key; });
  if (!Contains(transaction_.deletes, key)) transaction_.deletes.push_back(key);
}

}  // namespace howdah::vpc
