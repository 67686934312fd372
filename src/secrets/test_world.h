// A test aid: secrets in a store of their own, in a directory that goes with them.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <string>

#include "secrets/secrets.h"
#include "store/sqlite/sqlite_store.h"
#include "system/fake/fake_clock.h"
#include "system/fake/seeded_entropy.h"

namespace howdah::secrets {

class TestWorld {
 public:
  TestWorld() {
    std::string name = (std::filesystem::temp_directory_path() / "howdah-secrets-XXXXXX").string();
    path_ = mkdtemp(name.data());
    store_ =
        *store::OpenSqlite((path_ / "store.db").string(), clock_, entropy_, {.durable = false});
    secrets_ =
        std::make_unique<Secrets>(*store_, keyring_, clock_, entropy_,
                                  Secrets::Place{.region = "us-west-2", .account = "123456789012"});
  }
  ~TestWorld() {
    secrets_.reset();
    store_.reset();
    std::filesystem::remove_all(path_);
  }
  TestWorld(const TestWorld&) = delete;
  TestWorld& operator=(const TestWorld&) = delete;

  Secrets& secrets() { return *secrets_; }
  store::Store& store() { return *store_; }
  system::FakeClock& clock() { return clock_; }
  system::SeededEntropy& entropy() { return entropy_; }

 private:
  std::filesystem::path path_;
  system::FakeClock clock_;
  system::SeededEntropy entropy_;
  vault::Keyring keyring_{std::string(32, 'k'), entropy_};
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Secrets> secrets_;
};

}  // namespace howdah::secrets
