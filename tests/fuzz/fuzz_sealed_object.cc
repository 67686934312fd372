// Whatever bytes stand where a sealed object should be, nothing opens and nothing crashes; and an
// object of ours in which the input changes anything does not open either.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "repository/sealed.h"
#include "system/fake/seeded_entropy.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace howdah::repository;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const DataKey key{.id = std::string(32, 'a'), .key = std::string(32, 'k')};
  howdah::Check(!OpenObject("name", input, key), "arbitrary bytes do not open");

  howdah::system::SeededEntropy entropy;
  const std::string object = SealObject("name", std::string(1000, 'x'), key, entropy);
  howdah::Check(OpenObject("name", object, key).has_value(), "what was sealed opens");
  // The input laid over the object from a place on that its first byte says.
  std::string changed = object;
  if (input.size() < 2) return 0;
  const std::size_t at = data[0] % changed.size();
  changed.replace(at, input.size() - 1, input.substr(1));
  howdah::Check(changed == object || !OpenObject("name", changed, key),
                "a changed object is found");
  return 0;
}
