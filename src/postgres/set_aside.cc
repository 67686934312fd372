#include "postgres/set_aside.h"

#include <fmt/format.h>

#include "postgres/wal_end.h"

namespace howdah::postgres {

Result<std::uint64_t> SetWalAside(system::Disk& disk, const SetAsideSpec& spec) {
  TRY_ASSIGN(const auto names, disk.List(spec.wal_directory));  // sorted: from the fork on
  TRY(disk.MakeDirectories(spec.target));
  std::uint64_t copied = 0;
  for (const std::string& name : names) {
    const auto file = ParseWalFileName(name);
    const bool is_beyond = file && file->timeline == spec.timeline &&
                           file->start.value() + kWalSegment > spec.fork.value() &&
                           (spec.end.IsNone() || file->start < spec.end);
    if (!is_beyond) continue;
    if (copied + kWalSegment > spec.most) break;
    TRY_ASSIGN(const std::string bytes, disk.Read(spec.wal_directory + "/" + name));
    TRY(disk.WriteDurably(spec.target + "/" + name, bytes, 0600));
    copied += bytes.size();
  }
  TRY(disk.WriteDurably(
      spec.target + "/README",
      fmt::format("WAL of timeline {} from {} to {}, which the new primary's history does not "
                  "have.\nTo read it: pg_waldump --start={} --timeline={} --path=.\n",
                  ToNumber(spec.timeline), spec.fork.Format(),
                  spec.end.IsNone() ? "an unknown end" : spec.end.Format(), spec.fork.Format(),
                  ToNumber(spec.timeline)),
      0600));
  return copied;
}

Result<> KeepNewest(system::Disk& disk, const std::string& directory, std::size_t most) {
  TRY_ASSIGN(const auto names, disk.List(directory));
  for (std::size_t i = 0; i + most < names.size(); ++i) {
    TRY(disk.RemoveTree(directory + "/" + names[i]));
  }
  return {};
}

}  // namespace howdah::postgres
