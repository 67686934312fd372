// Whatever text is put where a sealed value should be, Open answers with an error and no crash. No
// input opens: nobody finds a GCM tag by chance, so an input that opens is a finding too.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "system/fake/seeded_entropy.h"
#include "vault/crypto.h"
#include "vault/keyring.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  howdah::system::SeededEntropy entropy;
  const howdah::vault::Keyring keyring(std::string(32, 'k'), entropy);
  howdah::Check(!keyring.Open(text, "place"), "arbitrary text does not open");
  if (const auto bytes = howdah::vault::Base64Decode(text)) {
    howdah::Check(howdah::vault::Base64Encode(*bytes) == text, "base64 has one spelling");
  }
  return 0;
}
