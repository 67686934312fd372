// An archive for tests: a repository in memory, keys, and what a test asks of it again and again.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "archive/reader.h"
#include "archive/writer.h"
#include "repository/memory_repository.h"
#include "system/fake/seeded_entropy.h"
#include "vault/keyring.h"

namespace howdah::archive {

inline const InstanceId kTrialInstance("db-TRIAL");

struct Trial {
  system::SeededEntropy entropy;
  vault::Keyring keyring{std::string(32, 'm'), entropy};
  repository::MemoryRepository repository;
  repository::Keys keys{repository, keyring, entropy};
  Reader reader{repository, keys};

  Reader::Contents Read() {
    auto contents = reader.ReadContents(kTrialInstance);
    EXPECT_TRUE(contents) << contents.error().what();
    return contents.value_or(Reader::Contents());
  }
  // Puts WAL there, as a primary of that epoch would.
  void PutWal(const Range& range, const std::string& bytes) {
    const auto key = keys.Make();
    ASSERT_TRUE(key);
    const std::string name = ObjectName(kTrialInstance, range);
    ASSERT_TRUE(repository.Put(name, repository::SealObject(name, bytes, *key, entropy)));
  }
  void PutHistory(const HistoryRef& ref, const std::string& text) {
    const auto key = keys.Make();
    ASSERT_TRUE(key);
    const std::string name = ObjectName(kTrialInstance, ref);
    ASSERT_TRUE(repository.Put(name, repository::SealObject(name, text, *key, entropy)));
  }
};

}  // namespace howdah::archive
