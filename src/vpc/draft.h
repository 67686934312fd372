// A transaction that is being written, seen as if it were already there. Every read adds a compare
// on what it read, and a read sees the transaction's own writes: so several functions of this room
// can add to one transaction of a caller, and what they decided on cannot change before it commits.
// Lives on the stack of one call; owns nothing.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/store.h"
#include "vpc/records.h"

namespace howdah::vpc {

class Draft {
 public:
  Draft(store::Store& store, store::Transaction& transaction)
      : store_(store), transaction_(transaction) {}

  // kNotFound where there is none (and that is compared too). kConflict: the transaction was built
  // on an older state; start again.
  Result<std::string> Read(const std::string& key);
  // Documents under a prefix, by key, with the transaction's own writes and without its deletions.
  // Adds no compare: what must not appear meanwhile is guarded by a record that its maker changes.
  Result<std::vector<std::string>> ReadAll(std::string_view prefix);
  Result<std::vector<std::string>> Keys(std::string_view prefix);
  // Puts a document that must not exist yet: kAlreadyExists.
  Result<> Create(const std::string& key, std::string value);
  void Write(const std::string& key, std::string value);
  void Erase(const std::string& key);

  template <typename T>
  Result<T> Load(const typename T::IdType& id) {
    TRY_ASSIGN(const std::string text, Read(KeyOf<T>(id)));
    return DecodeText<T>(text);
  }
  template <typename T>
  Result<std::vector<T>> LoadAll() {
    TRY_ASSIGN(const std::vector<std::string> texts, ReadAll(T::kKeys));
    std::vector<T> records;
    for (const std::string& text : texts) {
      TRY_ASSIGN(T record, DecodeText<T>(text));
      records.push_back(std::move(record));
    }
    return records;
  }
  template <typename T>
  void Save(const T& record) {
    Write(KeyOf<T>(record.id), Encode(record));
  }
  template <typename T>
  Result<> Add(const T& record) {
    return Create(KeyOf<T>(record.id), Encode(record));
  }
  template <typename T>
  void Remove(const T& record) {
    Erase(KeyOf<T>(record.id));
  }

 private:
  Result<> Expect(const std::string& key, store::Revision revision);
  Result<std::vector<store::Document>> Overlay(std::string_view prefix);

  store::Store& store_;
  store::Transaction& transaction_;
};

}  // namespace howdah::vpc
