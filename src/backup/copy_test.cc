// Copying plain files: what changes while it is read, pages whose checksum is wrong, contents that
// are known already.
#include "backup/copy.h"

#include <gmock/gmock.h>

#include <cstring>
#include <random>
#include <thread>

#include "backup/page_checksum.h"
#include "backup/test_repository.h"

namespace howdah::backup {
namespace {

using testing::ElementsAre;

std::string RandomBytes(std::size_t size, unsigned seed) {
  std::minstd_rand random(seed);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

// A page as PostgreSQL would have written it.
std::string Page(std::uint32_t block, std::uint64_t lsn, char fill) {
  std::string page(kBlockBytes, fill);
  const std::uint32_t halves[] = {static_cast<std::uint32_t>(lsn >> 32),
                                  static_cast<std::uint32_t>(lsn)};
  std::memcpy(page.data(), halves, sizeof(halves));
  const std::uint16_t sum = PageChecksum(page.data(), block);
  std::memcpy(page.data() + 8, &sum, sizeof(sum));
  return page;
}

class CopyTest : public testing::Test {
 protected:
  CopyTest() : key_(repository_.keys.Make().value()) {}

  // Scans, lets `between` change things, copies.
  Result<CopyOutcome> Run(const std::function<void()>& between = {},
                          std::span<const KnownBlocks> known = {}) {
    TRY_ASSIGN(const Scanned scanned, ScanDataDirectory(repository_.disk, directory_.root));
    if (between) between();
    next_number_ += 100;
    store_ = std::make_unique<PackStore>(
        repository_.needs, key_,
        PackStore::Place{
            .instance = InstanceId("db-A"), .backup = "b-1", .first_number = next_number_},
        PackStore::Known{});
    CopyOptions options{
        .root = directory_.root, .threads = 2, .checksums = true, .start = postgres::Lsn(1000)};
    Copy copy(repository_.needs, options, known, *store_, job_);
    TRY(copy.CopyFiles(scanned));
    TRY(copy.Finish());
    TRY(store_->Finish());
    return copy.Take();
  }

  std::vector<std::string> Paths(const CopyOutcome& outcome) {
    std::vector<std::string> paths;
    for (const FileEntry& file : outcome.files) paths.push_back(file.path);
    return paths;
  }

  TestRepository repository_;
  PlainDirectory directory_;
  repository::DataKey key_;
  Job job_;
  std::unique_ptr<PackStore> store_;
  std::uint32_t next_number_ = 0;
};

TEST_F(CopyTest, FileThatVanishesIsLeftOut) {
  directory_.Write("base/1/1", Page(0, 1, 'a'));
  directory_.Write("base/1/2", Page(0, 1, 'b'));
  const auto outcome = Run([&] { std::filesystem::remove(directory_.root + "/base/1/1"); });
  ASSERT_RESULT(outcome);
  EXPECT_THAT(Paths(*outcome), ElementsAre("base/1/2"));
}

TEST_F(CopyTest, FileThatIsTruncatedIsWhatWasThere) {
  directory_.Write("base/1/1", Page(0, 1, 'a') + Page(1, 1, 'b') + Page(2, 1, 'c'));
  const auto outcome =
      Run([&] { std::filesystem::resize_file(directory_.root + "/base/1/1", kBlockBytes + 100); });
  ASSERT_RESULT(outcome);
  EXPECT_EQ(outcome->files[0].size_bytes, kBlockBytes);
  EXPECT_EQ(outcome->pages[0].size(), 1U);
  EXPECT_EQ(outcome->bad_page_count, 0U);
}

TEST_F(CopyTest, FileThatGrowsIsWhatItWas) {
  directory_.Write("base/1/1", Page(0, 1, 'a'));
  const auto outcome =
      Run([&] { directory_.Write("base/1/1", Page(0, 1, 'a') + Page(1, 1, 'b')); });
  ASSERT_RESULT(outcome);
  EXPECT_EQ(outcome->files[0].size_bytes, kBlockBytes);
}

TEST_F(CopyTest, PageWithWrongChecksumIsReported) {
  std::string page = Page(1, 1, 'b');
  page[5000] = 'x';
  directory_.Write("base/1/1", Page(0, 1, 'a') + page);
  directory_.Write("base/1/notes", page);  // no relation
  const auto outcome = Run();
  ASSERT_RESULT(outcome);
  EXPECT_THAT(outcome->bad_pages, ElementsAre(BadPage{.path = "base/1/1", .block = 1}));
}

TEST_F(CopyTest, PageThatChangedSinceTheStartIsHealedByWal) {
  std::string page = Page(0, 2000, 'b');
  page[5000] = 'x';
  directory_.Write("base/1/1", page);
  const auto outcome = Run();
  ASSERT_RESULT(outcome);
  EXPECT_EQ(outcome->bad_page_count, 0U);
}

TEST_F(CopyTest, NewPagesAreGood) {
  directory_.Write("base/1/1", std::string(2 * kBlockBytes, '\0'));
  EXPECT_EQ(Run()->bad_page_count, 0U);
}

TEST_F(CopyTest, PageThatIsBeingWrittenIsReadAgain) {
  const std::string one = Page(0, 1, 'a'), other = Page(0, 2, 'b');
  directory_.Write("base/1/1", one);
  std::atomic<bool> stop = false;
  std::jthread writer([&] {
    for (bool flip = false; !stop; flip = !flip) {
      std::fstream file(directory_.root + "/base/1/1",
                        std::ios::binary | std::ios::in | std::ios::out);
      const std::string& page = flip ? one : other;
      file.write(page.data(), 4096).flush();
      file.write(page.data() + 4096, 4096).flush();
    }
  });
  std::uint64_t bad = 0;
  for (int i = 0; i < 50; ++i) bad += Run()->bad_page_count;
  stop = true;
  EXPECT_LE(bad, 1U);
}

TEST_F(CopyTest, SymbolicLinksAreRefused) {
  directory_.Write("base/1/1", Page(0, 1, 'a'));
  std::filesystem::create_symlink("1", directory_.root + "/base/1/2");
  EXPECT_FALSE(Run());
}

TEST_F(CopyTest, CancelledEndsSoon) {
  directory_.Write("base/1/1", Page(0, 1, 'a'));
  job_.Cancel();
  EXPECT_EQ(Run().error().code(), Code::kUnavailable);
}

TEST_F(CopyTest, RepositoryThatFailsEndsIt) {
  for (int i = 0; i < 40; ++i) {
    directory_.Write("base/1/x" + std::to_string(i), RandomBytes(5 << 20, i));
  }
  repository_.objects.FailAfter(2, Error(Code::kExhausted, "full"));
  EXPECT_EQ(Run().error().code(), Code::kExhausted);
}

TEST_F(CopyTest, ContentsThatAreKnownAreNotStoredAgain) {
  const std::string big = RandomBytes(3 << 20, 1);
  directory_.Write("base/1/x", big);
  directory_.Write("PG_VERSION", "14\n");
  auto first = Run();
  ASSERT_RESULT(first);
  FileTable table{.packs = store_->all().frames, .files = first->files};
  const std::vector<bool> avoid(table.packs.size());
  const KnownBlocks known = KnownBlocks::Of(table, first->pages, avoid);
  const auto second = Run({}, std::span(&known, 1));
  ASSERT_RESULT(second);
  EXPECT_EQ(second->files, first->files);
  EXPECT_TRUE(store_->all().packs.empty());
  // One block in the middle.
  directory_.Write("base/1/x", std::string(big).replace(100 * kBlockBytes, 4, "abcd"));
  const auto third = Run({}, std::span(&known, 1));
  ASSERT_RESULT(third);
  ASSERT_EQ(store_->all().frames.size(), 1U);
  EXPECT_EQ(store_->all().frames[0][0].raw_bytes, kBlockBytes);
}

}  // namespace
}  // namespace howdah::backup
