// Whatever bytes stand where a base backup's tar stream should be: no crash, no path that leaves
// the directory, and no more data for a file than its header promised.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "postgres/tar.h"

namespace {

class Auditor final : public howdah::postgres::TarSink {
 public:
  howdah::Result<> OnEntry(const howdah::postgres::TarEntry& entry) override {
    const std::string framed = "/" + entry.path + "/";
    howdah::Check(framed.find("/../") == std::string::npos, "a path leaves the directory");
    howdah::Check(!entry.path.starts_with("/"), "a path is absolute");
    left_ = entry.size_bytes;
    return {};
  }
  howdah::Result<> OnData(std::string_view bytes) override {
    howdah::Check(bytes.size() <= left_, "more data than promised");
    left_ -= bytes.size();
    return {};
  }
  howdah::Result<> OnEntryEnd() override {
    howdah::Check(left_ == 0, "less data than promised");
    return {};
  }

 private:
  std::uint64_t left_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Auditor auditor;
  howdah::postgres::TarReader reader(auditor);
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (reader.Feed(bytes.substr(0, size / 2)) && reader.Feed(bytes.substr(size / 2))) {
    (void)reader.Finish();
  }
  return 0;
}
