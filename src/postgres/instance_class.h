// The instance classes that PostgreSQL on RDS offers: what sizes a server's memory.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/result.h"

namespace howdah::postgres {

struct InstanceClass {
  std::string_view name;  // "db.t3.micro"
  int vcpus = 0;
  std::uint64_t memory_mib = 0;

  // The variable DBInstanceClassMemory of RDS's formulas: what is left for PostgreSQL after the
  // operating system's share, taken as 192 MiB + 5 %. RDS does not publish the share; this one
  // gives max_connections 85 for db.t3.micro (seen on RDS: 81 to 87) and about 835 for 8 GiB (seen:
  // 839).
  std::uint64_t MemoryForDatabaseBytes() const;
};

std::span<const InstanceClass> InstanceClasses();  // in the order of families and sizes
Result<InstanceClass> FindInstanceClass(std::string_view name);  // kNotFound

}  // namespace howdah::postgres
