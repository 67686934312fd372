// A repository in memory with its keys, and a data directory of plain files, for tests.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "backup/objects.h"
#include "repository/memory_repository.h"
#include "system/real/os_entropy.h"
#include "system/real/posix_disk.h"
#include "system/real/real_clock.h"
#include "vault/keyring.h"

namespace howdah::backup {

struct TestRepository {
  repository::MemoryRepository objects;
  system::OsEntropy entropy;
  system::PosixDisk disk;
  system::RealClock clock;
  Log log;
  vault::Keyring keyring{std::string(32, 'k'), entropy};
  repository::Keys keys{objects, keyring, entropy};
  Needs needs{objects, keys, entropy, disk, clock, log};

  std::vector<std::string> Names(const std::string& prefix = "instances/") {
    std::vector<std::string> names;
    for (const auto& object : objects.List(prefix).value()) names.push_back(object.name);
    return names;
  }
  // One bit of a byte of an object; the same again mends it.
  void Flip(const std::string& name, std::size_t at) {
    std::string bytes = objects.Get(name).value();
    bytes[at] = static_cast<char>(bytes[at] ^ 1);
    objects.Overwrite(name, bytes);
  }
};

class PlainDirectory {
 public:
  PlainDirectory() {
    std::string pattern = "/tmp/hd-backup-XXXXXX";
    EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
    root = pattern;
  }
  ~PlainDirectory() { std::filesystem::remove_all(root); }

  void Write(const std::string& path, std::string_view bytes) const {
    const std::filesystem::path full = root + "/" + path;
    std::filesystem::create_directories(full.parent_path());
    std::ofstream(full, std::ios::binary) << bytes;
  }

  std::string root;
};

}  // namespace howdah::backup

#define ASSERT_RESULT(expression)                               \
  do {                                                          \
    const auto& assert_result = (expression);                   \
    ASSERT_TRUE(assert_result) << assert_result.error().what(); \
  } while (false)
