// The table of instance classes. Sizes from the AWS documentation of DB instance classes.
#include "postgres/instance_class.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace howdah::postgres {
namespace {

constexpr std::uint64_t kGiB = 1024;
constexpr std::uint64_t kMiBInBytes = 1024 * 1024;

constexpr auto kClasses = std::to_array<InstanceClass>({
    {"db.t3.micro", 2, 1 * kGiB},      {"db.t3.small", 2, 2 * kGiB},
    {"db.t3.medium", 2, 4 * kGiB},     {"db.t3.large", 2, 8 * kGiB},
    {"db.t3.xlarge", 4, 16 * kGiB},    {"db.t3.2xlarge", 8, 32 * kGiB},
    {"db.t4g.micro", 2, 1 * kGiB},     {"db.t4g.small", 2, 2 * kGiB},
    {"db.t4g.medium", 2, 4 * kGiB},    {"db.t4g.large", 2, 8 * kGiB},
    {"db.t4g.xlarge", 4, 16 * kGiB},   {"db.t4g.2xlarge", 8, 32 * kGiB},
    {"db.m5.large", 2, 8 * kGiB},      {"db.m5.xlarge", 4, 16 * kGiB},
    {"db.m5.2xlarge", 8, 32 * kGiB},   {"db.m5.4xlarge", 16, 64 * kGiB},
    {"db.m5.8xlarge", 32, 128 * kGiB}, {"db.m5.12xlarge", 48, 192 * kGiB},
    {"db.m6g.large", 2, 8 * kGiB},     {"db.m6g.xlarge", 4, 16 * kGiB},
    {"db.m6g.2xlarge", 8, 32 * kGiB},  {"db.m6g.4xlarge", 16, 64 * kGiB},
    {"db.m6i.large", 2, 8 * kGiB},     {"db.m6i.xlarge", 4, 16 * kGiB},
    {"db.m6i.2xlarge", 8, 32 * kGiB},  {"db.m6i.4xlarge", 16, 64 * kGiB},
    {"db.m7g.large", 2, 8 * kGiB},     {"db.m7g.xlarge", 4, 16 * kGiB},
    {"db.m7g.2xlarge", 8, 32 * kGiB},  {"db.m7g.4xlarge", 16, 64 * kGiB},
    {"db.m7i.large", 2, 8 * kGiB},     {"db.m7i.xlarge", 4, 16 * kGiB},
    {"db.m7i.2xlarge", 8, 32 * kGiB},  {"db.m7i.4xlarge", 16, 64 * kGiB},
    {"db.r5.large", 2, 16 * kGiB},     {"db.r5.xlarge", 4, 32 * kGiB},
    {"db.r5.2xlarge", 8, 64 * kGiB},   {"db.r5.4xlarge", 16, 128 * kGiB},
    {"db.r5.8xlarge", 32, 256 * kGiB}, {"db.r5.12xlarge", 48, 384 * kGiB},
    {"db.r6g.large", 2, 16 * kGiB},    {"db.r6g.xlarge", 4, 32 * kGiB},
    {"db.r6g.2xlarge", 8, 64 * kGiB},  {"db.r6g.4xlarge", 16, 128 * kGiB},
    {"db.r6i.large", 2, 16 * kGiB},    {"db.r6i.xlarge", 4, 32 * kGiB},
    {"db.r6i.2xlarge", 8, 64 * kGiB},  {"db.r6i.4xlarge", 16, 128 * kGiB},
    {"db.r7g.large", 2, 16 * kGiB},    {"db.r7g.xlarge", 4, 32 * kGiB},
    {"db.r7g.2xlarge", 8, 64 * kGiB},  {"db.r7g.4xlarge", 16, 128 * kGiB},
    {"db.r7i.large", 2, 16 * kGiB},    {"db.r7i.xlarge", 4, 32 * kGiB},
    {"db.r7i.2xlarge", 8, 64 * kGiB},  {"db.r7i.4xlarge", 16, 128 * kGiB},
});

}  // namespace

std::uint64_t InstanceClass::MemoryForDatabaseBytes() const {
  const std::uint64_t memory = memory_mib * kMiBInBytes;
  return memory - memory / 20 - 192 * kMiBInBytes;
}

std::span<const InstanceClass> InstanceClasses() {
  return kClasses;
}

Result<InstanceClass> FindInstanceClass(std::string_view name) {
  const auto found = std::ranges::find(kClasses, name, &InstanceClass::name);
  if (found == kClasses.end()) {
    return Fail(Code::kNotFound, fmt::format("no such instance class for PostgreSQL: {}", name));
  }
  return *found;
}

}  // namespace howdah::postgres
