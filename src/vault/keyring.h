// The master key and what it protects. Every sealed value has a data key of its own, itself sealed
// under the master key (docs/formats/vault.md). Immutable after it is opened: safe from any thread
// if its entropy is.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "system/disk.h"
#include "system/entropy.h"

namespace howdah::vault {

class Keyring {
 public:
  // Reads HOME/master.key; creates it durably on the first start. kCorrupt: not 32 bytes;
  // kPermission: others may read it. `entropy` outlives the keyring.
  static Result<Keyring> OpenOrCreate(system::Disk& disk, system::Entropy& entropy,
                                      const std::string& home);
  // Of a key at hand: 32 bytes.
  Keyring(std::string master_key, system::Entropy& entropy);
  Keyring(Keyring&& other) noexcept;
  Keyring& operator=(Keyring&&) = delete;
  ~Keyring();

  // A text that only Open with the same associated data turns back. The associated data say where
  // the value belongs ("secret <id> version <id>"), so that a sealed text cannot be moved.
  std::string Seal(std::string_view plaintext, std::string_view associated_data) const;
  // kCorrupt: anything at all was changed, or it was sealed for another place or by another key.
  Result<std::string> Open(std::string_view sealed, std::string_view associated_data) const;

 private:
  std::string RandomBytes(std::size_t count) const;

  std::string master_key_;
  system::Entropy* entropy_;
};

}  // namespace howdah::vault
