// See keys.h and docs/formats/repository.md. A key's object says for which id it was sealed, so
// that one never passes for another.
#include "repository/keys.h"

#include <fmt/format.h>

#include "repository/format.h"
#include "vault/crypto.h"

namespace howdah::repository {

namespace {

std::string NameOf(const std::string& id) {
  return "keys/" + id;
}

std::string PlaceOf(const std::string& id) {
  return "repository key " + id;
}

}  // namespace

Result<DataKey> Keys::Make() {
  std::string bytes(vault::kKeySize, '\0');
  const vault::Wiper wiper(bytes);
  entropy_.Fill(std::as_writable_bytes(std::span(bytes)));
  DataKey key{.id = system::RandomHex(entropy_, 2 * kKeyIdBytes), .key = bytes};
  TRY(repository_.Put(NameOf(key.id), keyring_.Seal(key.key, PlaceOf(key.id))));
  const std::lock_guard lock(mutex_);
  known_.insert_or_assign(key.id, key);
  return key;
}

Result<DataKey> Keys::Find(const std::string& id) {
  if (KeyIdBytes(id).empty()) return Fail(Code::kNotFound, "there is no data key " + id);
  {
    const std::lock_guard lock(mutex_);
    if (const auto known = known_.find(id); known != known_.end()) return known->second;
  }
  TRY_ASSIGN(const std::string sealed, repository_.Get(NameOf(id)));
  Result<std::string> bytes = keyring_.Open(sealed, PlaceOf(id));
  if (!bytes || bytes->size() != vault::kKeySize) {
    return Fail(Code::kCorrupt,
                fmt::format("data key {} of {} does not open: it was sealed under another master "
                            "key, or changed",
                            id, repository_.Place()));
  }
  const vault::Wiper wiper(*bytes);
  DataKey key{.id = id, .key = *bytes};
  const std::lock_guard lock(mutex_);
  known_.insert_or_assign(id, key);
  return key;
}

}  // namespace howdah::repository
