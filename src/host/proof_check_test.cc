// Pages of a copy on which checks must stop, and such as are in order.
#include "host/proof_check.h"

#include <gtest/gtest.h>

#include "backup/page_checksum.h"
#include "system/fake/memory_disk.h"

namespace howdah::host {

namespace {

constexpr std::size_t kPage = 8192;

std::string GoodPage(std::uint32_t block, char fill) {
  std::string page(kPage, fill);
  const std::uint16_t checksum = backup::PageChecksum(page.data(), block);
  page[8] = static_cast<char>(checksum & 0xff);
  page[9] = static_cast<char>(checksum >> 8);
  return page;
}

class CheckPagesTest : public testing::Test {
 protected:
  CheckPagesTest() {
    for (const char* directory : {"/data/global", "/data/base/5"}) {
      EXPECT_TRUE(disk_.MakeDirectories(directory));
    }
    Put("global/1262", GoodPage(0, 'a'));
    Put("base/5/PG_VERSION", "14\n");
    Put("base/5/16384", GoodPage(0, 'b') + std::string(kPage, '\0') + GoodPage(2, 'c'));
    Put("base/5/16384_fsm", GoodPage(0, 'd'));
  }
  void Put(const std::string& name, const std::string& bytes) {
    EXPECT_TRUE(disk_.WriteDurably("/data/" + name, bytes));
  }
  Result<nodes::Proven> Check(bool called_off = false) {
    nodes::Proven proven;
    const ProofNeeds needs{
        .connect = {}, .is_called_off = [called_off] { return called_off; }, .disk = disk_};
    TRY(CheckPages(needs, "/data", proven));
    return proven;
  }

  system::MemoryDisk disk_;
};

TEST_F(CheckPagesTest, EveryPageOfEveryRelationIsLookedAt) {
  const auto proven = Check();
  ASSERT_TRUE(proven);
  EXPECT_EQ(proven->failure, "");
  EXPECT_EQ(proven->pages, 5);
}

TEST_F(CheckPagesTest, APageThatWasChangedIsNamed) {
  std::string page = GoodPage(1, 'c');
  page[4000] ^= 1;
  Put("base/5/16385", GoodPage(0, 'b') + page);
  EXPECT_EQ(Check()->failure, "base/5/16385: block 1 has a wrong checksum");
}

TEST_F(CheckPagesTest, APageAtAnothersPlaceIsFound) {
  Put("base/5/16385.1", GoodPage(0, 'b'));
  EXPECT_EQ(Check()->failure, "base/5/16385.1: block 131072 has a wrong checksum");
}

TEST_F(CheckPagesTest, AFileThatEndsInAPageIsNamed) {
  Put("base/5/16385", GoodPage(0, 'b') + "x");
  EXPECT_EQ(Check()->failure, "base/5/16385 ends in the middle of a page");
}

TEST_F(CheckPagesTest, WhoIsCalledOffSaysNothingAboutTheCopy) {
  EXPECT_EQ(Check(true).error().code(), Code::kUnavailable);
}

}  // namespace

}  // namespace howdah::host
