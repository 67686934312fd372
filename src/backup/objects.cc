#include "backup/objects.h"

namespace howdah::backup {

namespace {

Error Naming(const Error& error, const std::string& name) {
  if (error.what().find(name) != std::string::npos) return error;
  return error.During(name);
}

Result<repository::DataKey> KeyOf(const Needs& needs, const std::string& name,
                                  std::string_view object) {
  TRY_ASSIGN(const std::string id,
             repository::KeyIdOf(name, object.substr(0, repository::kHeadBytes)));
  auto key = needs.keys.Find(id);
  if (key) return key;
  const Error error = key.error().During("the data key of " + name);
  // The object is there: what is missing is not it.
  if (error.code() == Code::kNotFound) return Fail(Code::kCorrupt, error.what());
  return Fail(error);
}

}  // namespace

Result<std::string> ReadObject(const Needs& needs, const std::string& name) {
  auto object = needs.repository.Get(name);
  if (!object) return Fail(Naming(object.error(), name));
  TRY_ASSIGN(const repository::DataKey key, KeyOf(needs, name, *object));
  auto contents = repository::OpenObject(name, *object, key);
  if (!contents) return Fail(Naming(contents.error(), name));
  return contents;
}

Result<std::uint64_t> WriteObject(const Needs& needs, const repository::DataKey& key,
                                  const std::string& name, std::string_view contents) {
  const std::string object = repository::SealObject(name, contents, key, needs.entropy);
  if (auto put = needs.repository.Put(name, object); !put) return Fail(Naming(put.error(), name));
  return object.size();
}

Result<const repository::ObjectReader*> Packs::Open(const std::string& name) {
  const std::lock_guard lock(mutex_);
  auto& reader = open_[name];
  if (!reader) {
    TRY_ASSIGN(reader, Read(name));
  }
  return reader.get();
}

Result<std::unique_ptr<repository::ObjectReader>> Packs::Read(const std::string& name) {
  const auto head = needs_.repository.GetRange(name, 0, repository::kHeadBytes);
  if (!head) return Fail(Naming(head.error(), name));
  TRY_ASSIGN(const repository::DataKey key, KeyOf(needs_, name, *head));
  TRY_ASSIGN(auto reader, repository::ObjectReader::Open(name, *head, key));
  return std::make_unique<repository::ObjectReader>(std::move(reader));
}

}  // namespace howdah::backup
