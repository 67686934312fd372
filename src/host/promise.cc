#include "host/promise.h"

#include <fmt/format.h>

#include <charconv>

namespace howdah::host {

namespace {

std::string PathIn(const std::string& root) {
  return root + "/promise";
}

}  // namespace

Result<std::int64_t> ReadPromise(system::Disk& disk, const std::string& root) {
  const Result<std::string> text = disk.Read(PathIn(root));
  if (!text && text.error().code() == Code::kNotFound) return 0;
  if (!text) return Fail(text.error());
  std::int64_t epoch = 0;
  const char* last = text->data() + text->size();
  const auto [end, error] = std::from_chars(text->data(), last, epoch);
  if (error != std::errc() || epoch < 1 || std::string_view(end, last) != "\n") {
    return Fail(Code::kCorrupt, fmt::format("{} holds no epoch: the node obeys nothing until it "
                                            "is mended or the DB instance is deleted",
                                            PathIn(root)));
  }
  return epoch;
}

Result<> WritePromise(system::Disk& disk, const std::string& root, std::int64_t epoch) {
  TRY(disk.MakeDirectories(root, 0700));
  return disk.WriteDurably(PathIn(root), fmt::format("{}\n", epoch));
}

}  // namespace howdah::host
