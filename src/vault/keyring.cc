// See keyring.h and docs/formats/vault.md.
#include "vault/keyring.h"

#include <fmt/format.h>

#include <utility>

#include "base/check.h"
#include "vault/crypto.h"
#include "vault/files.h"
#include "vault/private_file.h"

namespace howdah::vault {

namespace {

constexpr std::string_view kVersion = "hv1";
// What the two seals are for is part of what they vouch for: one never passes for the other.
constexpr std::string_view kKeyPurpose = "howdah/v1/data-key\n";
constexpr std::string_view kValuePurpose = "howdah/v1/value\n";

std::string RandomBytesOf(system::Entropy& entropy, std::size_t count) {
  std::string bytes(count, '\0');
  entropy.Fill(std::as_writable_bytes(std::span(bytes)));
  return bytes;
}

struct Parts {
  std::string wrapped_key;  // nonce, ciphertext, tag
  std::string value;        // the same
};

Result<Parts> Split(std::string_view sealed) {
  const auto bad = [] { return Fail(Code::kCorrupt, "not a sealed text of a known version"); };
  if (!sealed.starts_with(kVersion) || sealed.size() <= kVersion.size()) return bad();
  sealed.remove_prefix(kVersion.size());
  const std::size_t dot = sealed.find('.', 1);
  if (sealed.front() != '.' || dot == std::string_view::npos) return bad();
  TRY_ASSIGN(std::string wrapped_key, Base64Decode(sealed.substr(1, dot - 1)));
  TRY_ASSIGN(std::string value, Base64Decode(sealed.substr(dot + 1)));
  if (wrapped_key.size() != kNonceSize + kKeySize + kTagSize) return bad();
  if (value.size() < kNonceSize + kTagSize) return bad();
  return Parts{.wrapped_key = std::move(wrapped_key), .value = std::move(value)};
}

Result<std::string> OpenPart(std::string_view key, std::string_view part,
                             std::string_view associated_data) {
  return GcmOpen(key, part.substr(0, kNonceSize), part.substr(kNonceSize), associated_data);
}

}  // namespace

Result<Keyring> Keyring::OpenOrCreate(system::Disk& disk, system::Entropy& entropy,
                                      const std::string& home) {
  const std::string path = MasterKeyPath(home);
  Result<std::string> key = ReadPrivateFile(disk, path);
  if (!key && key.error().code() == Code::kNotFound) {
    key = RandomBytesOf(entropy, kKeySize);
    TRY(disk.WriteDurably(path, *key, 0600));
  }
  if (!key) return Fail(key.error().During("reading the master key"));
  const Wiper wiper(*key);
  if (key->size() != kKeySize) {
    return Fail(Code::kCorrupt,
                fmt::format("{} has {} bytes, a master key has {}: restore it from your copy; "
                            "without it no stored secret can be read",
                            path, key->size(), kKeySize));
  }
  return Keyring(*key, entropy);
}

Keyring::Keyring(std::string master_key, system::Entropy& entropy)
    : master_key_(std::move(master_key)), entropy_(&entropy) {
  Check(master_key_.size() == kKeySize, "a master key has 32 bytes");
}

Keyring::Keyring(Keyring&& other) noexcept
    : master_key_(other.master_key_), entropy_(other.entropy_) {
  Wipe(other.master_key_);
}

Keyring::~Keyring() {
  Wipe(master_key_);
}

std::string Keyring::RandomBytes(std::size_t count) const {
  return RandomBytesOf(*entropy_, count);
}

std::string Keyring::Seal(std::string_view plaintext, std::string_view associated_data) const {
  std::string data_key = RandomBytes(kKeySize);
  const Wiper wiper(data_key);
  const std::string key_nonce = RandomBytes(kNonceSize);
  const std::string value_nonce = RandomBytes(kNonceSize);
  const std::string place(associated_data);
  const std::string wrapped =
      GcmSeal(master_key_, key_nonce, data_key, std::string(kKeyPurpose) + place);
  const std::string value =
      GcmSeal(data_key, value_nonce, plaintext, std::string(kValuePurpose) + place);
  return fmt::format("{}.{}.{}", kVersion, Base64Encode(key_nonce + wrapped),
                     Base64Encode(value_nonce + value));
}

Result<std::string> Keyring::Open(std::string_view sealed, std::string_view associated_data) const {
  TRY_ASSIGN(const Parts parts, Split(sealed));
  const std::string place(associated_data);
  TRY_ASSIGN(std::string data_key,
             OpenPart(master_key_, parts.wrapped_key, std::string(kKeyPurpose) + place));
  const Wiper wiper(data_key);
  return OpenPart(data_key, parts.value, std::string(kValuePurpose) + place);
}

}  // namespace howdah::vault
