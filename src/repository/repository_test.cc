// The contract on everything that is a repository. With HOWDAH_TEST_S3 (a place, and the
// credentials in the environment) also on a real S3 server: tests/conformance/test_s3.py does that.
#include <cstdlib>

#include "repository/directory.h"
#include "repository/fake_s3.h"
#include "repository/memory_repository.h"
#include "repository/open.h"
#include "repository/repository_contract.h"
#include "repository/temporary_directory.h"
#include "system/fake/memory_disk.h"
#include "system/fake/seeded_entropy.h"
#include "system/real/os_entropy.h"

namespace howdah::repository {
namespace {

INSTANTIATE_TEST_SUITE_P(Memory, RepositoryContract,
                         testing::Values([] { return std::make_unique<MemoryRepository>(); }));

// Keeps the directory that it is in.
class Owned final : public Repository {
 public:
  Owned() : repository_(*DirectoryRepository::Open(directory_.Root(), entropy_)) {}
  Result<> Put(const std::string& name, std::string_view bytes) override {
    return repository_->Put(name, bytes);
  }
  Result<std::string> Get(const std::string& name) override { return repository_->Get(name); }
  Result<std::string> GetRange(const std::string& name, std::uint64_t offset,
                               std::size_t size) override {
    return repository_->GetRange(name, offset, size);
  }
  Result<std::vector<ObjectInfo>> List(const std::string& prefix) override {
    return repository_->List(prefix);
  }
  Result<std::vector<std::string>> ListSegments(const std::string& prefix) override {
    return repository_->ListSegments(prefix);
  }
  Result<> Delete(const std::string& name) override { return repository_->Delete(name); }
  Result<std::optional<system::SpaceInfo>> Space() override { return repository_->Space(); }
  std::string Place() const override { return repository_->Place(); }

 private:
  TemporaryDirectory directory_;
  system::OsEntropy entropy_;
  std::unique_ptr<Repository> repository_;
};

INSTANTIATE_TEST_SUITE_P(Directory, RepositoryContract,
                         testing::Values([] { return std::make_unique<Owned>(); }));

// Keeps the server that it is on.
struct ServerFirst {
  std::unique_ptr<FakeS3> server = std::make_unique<FakeS3>();
  system::SeededEntropy entropy;
};
class OnFake final : private ServerFirst, public S3Repository {
 public:
  OnFake(const std::string& prefix, std::size_t page_size)
      : S3Repository(FakeSettings(*server, prefix), entropy) {
    server->page_size = page_size;
  }
};

INSTANTIATE_TEST_SUITE_P(S3, RepositoryContract,
                         testing::Values([] { return std::make_unique<OnFake>("", 1000); }));
INSTANTIATE_TEST_SUITE_P(S3BelowAPrefixInSmallPages, RepositoryContract, testing::Values([] {
                           return std::make_unique<OnFake>("howdah/prod", 2);
                         }));

// A fresh prefix of the real server for each test.
std::unique_ptr<Repository> OnRealServer() {
  static system::OsEntropy entropy;
  const char* const place = std::getenv("HOWDAH_TEST_S3");
  if (place == nullptr) return nullptr;
  std::string below(place);
  below.insert(std::min(below.find('?'), below.size()), "/" + system::RandomHex(entropy, 16));
  system::MemoryDisk disk;
  auto opened = OpenRepository(
      below,
      [](const std::string& name) {
        const char* const value = std::getenv(name.c_str());
        return value == nullptr ? std::nullopt : std::optional<std::string>(value);
      },
      disk, entropy);
  EXPECT_TRUE(opened) << opened.error().what();
  return opened ? *std::move(opened) : nullptr;
}
INSTANTIATE_TEST_SUITE_P(RealS3, RepositoryContract, testing::Values(&OnRealServer));

}  // namespace
}  // namespace howdah::repository
