// Any document as the answer of an S3 server: a listing has names and says how it goes on, or is an
// error.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "repository/s3_answers.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view document(reinterpret_cast<const char*>(data), size);
  if (const auto page = howdah::repository::ParseListing(document)) {
    for (const auto& object : page->objects) howdah::Check(!object.name.empty(), "it has a name");
  }
  (void)howdah::repository::ParseFault(document);
  return 0;
}
