// What the tests of this room share: a SQLite store without fsync in a directory of its own.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "store/sqlite/sqlite_store.h"
#include "system/fake/fake_clock.h"
#include "system/fake/seeded_entropy.h"

namespace howdah::workflow {

class TestStore {
 public:
  TestStore() {
    // The harness makes thousands of these: in memory where the system has such a directory.
    const std::filesystem::path memory = "/dev/shm";
    const bool has_memory = access(memory.c_str(), W_OK | X_OK) == 0;
    const auto parent = has_memory ? memory : std::filesystem::temp_directory_path();
    std::string name = (parent / "howdah-runs-XXXXXX").string();
    directory_ = mkdtemp(name.data());
    store_ =
        *store::OpenSqlite((directory_ / "store").string(), clock, entropy_, {.durable = false});
  }
  ~TestStore() {
    store_.reset();
    std::filesystem::remove_all(directory_);
  }
  TestStore(const TestStore&) = delete;
  TestStore& operator=(const TestStore&) = delete;

  store::Store& operator*() { return *store_; }
  store::Store* operator->() { return store_.get(); }

  system::FakeClock clock;

 private:
  system::SeededEntropy entropy_;
  std::filesystem::path directory_;
  std::unique_ptr<store::Store> store_;
};

}  // namespace howdah::workflow
