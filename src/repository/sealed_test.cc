// What was sealed comes back; nothing changed, cut, swapped, moved or foreign ever does.
#include "repository/sealed.h"

#include <gtest/gtest.h>

#include <thread>

#include "repository/format.h"
#include "system/fake/seeded_entropy.h"

namespace howdah::repository {
namespace {

const std::string kName = "instances/db-1/wal/1/1/range";

class SealedTest : public testing::Test {
 protected:
  std::string Noise(std::size_t size) {
    std::string bytes(size, '\0');
    entropy_.Fill(std::as_writable_bytes(std::span(bytes)));
    return bytes;
  }
  std::string Seal(std::string_view raw, const std::string& name = kName) {
    return SealObject(name, raw, key_, entropy_);
  }
  static void ExpectCorrupt(const Result<std::string>& opened, std::size_t where) {
    ASSERT_FALSE(opened) << where;
    EXPECT_EQ(opened.error().code(), Code::kCorrupt) << where;
    EXPECT_NE(opened.error().what().find(kName), std::string::npos) << opened.error().what();
  }

  system::SeededEntropy entropy_;
  const DataKey key_{.id = std::string(32, 'a'), .key = std::string(32, 'k')};
};

TEST_F(SealedTest, WhatIsSealedOpens) {
  for (const std::string& raw : {std::string(), std::string("a"), std::string(100'000, 'x'),
                                 Noise(100'000), std::string(kMostFrameBytes, 'y'),
                                 Noise(kMostFrameBytes), Noise(2 * kMostFrameBytes + 7)}) {
    const std::string object = Seal(raw);
    const Result<std::string> opened = OpenObject(kName, object, key_);
    ASSERT_TRUE(opened) << opened.error().what();
    EXPECT_TRUE(*opened == raw) << raw.size();
    EXPECT_LE(object.size(), raw.size() + kHeadBytes + 28 * (raw.size() / kMostFrameBytes + 2));
  }
}

TEST_F(SealedTest, WhatRepeatsIsSmallAndNothingShows) {
  const std::string text = "CREATE TABLE secret_names ();";
  std::string raw;
  for (int i = 0; i < 1000; ++i) raw += text;
  const std::string object = Seal(raw);
  EXPECT_LT(object.size(), 1000U);
  EXPECT_EQ(Seal(text).find("secret"), std::string::npos);
  EXPECT_NE(Seal(raw), Seal(raw));
}

TEST_F(SealedTest, FramesOpenByThemselvesInAnyOrder) {
  ObjectWriter writer(kName, key_, entropy_);
  EXPECT_EQ(writer.size_bytes(), kHeadBytes);
  const std::vector<std::string> raws{std::string(8192, 'a'), Noise(5000), "c",
                                      std::string(kMostFrameBytes, 'd')};
  std::vector<FrameRef> refs;
  for (const std::string& raw : raws) {
    refs.push_back(writer.Add(raw));
    EXPECT_EQ(refs.back().number, refs.size() - 1);
    EXPECT_EQ(refs.back().raw_bytes, raw.size());
    EXPECT_EQ(refs.back().offset + refs.back().stored_bytes, writer.size_bytes());
  }
  const std::string object = writer.Finish();
  const auto reader = ObjectReader::Open(kName, object.substr(0, kHeadBytes), key_);
  ASSERT_TRUE(reader);
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&] {
      for (std::size_t i = raws.size(); i-- > 0;) {
        const auto stored = std::string_view(object).substr(refs[i].offset, refs[i].stored_bytes);
        EXPECT_TRUE(reader->Frame(refs[i], stored).value_or("") == raws[i]) << i;
      }
    });
  }
}

TEST_F(SealedTest, EveryFlippedBitIsFound) {
  const std::string noise = Noise(64);
  for (const std::string& raw : {std::string(300, 'x'), noise, std::string()}) {
    std::string object = Seal(raw);
    for (std::size_t i = 0; i < object.size(); ++i) {
      for (const int bit : {0, 3, 7}) {
        object[i] = static_cast<char>(object[i] ^ (1 << bit));
        ExpectCorrupt(OpenObject(kName, object, key_), i);
        object[i] = static_cast<char>(object[i] ^ (1 << bit));
      }
    }
  }
}

TEST_F(SealedTest, EveryTruncationAndAdditionIsFound) {
  ObjectWriter writer(kName, key_, entropy_);
  writer.Add("first");
  writer.Add(std::string(500, 'x'));
  const std::string object = writer.Finish();
  for (std::size_t size = 0; size < object.size(); ++size) {
    ExpectCorrupt(OpenObject(kName, object.substr(0, size), key_), size);
  }
  ExpectCorrupt(OpenObject(kName, object + std::string(1, '\0'), key_), 0);
  ExpectCorrupt(OpenObject(kName, object + object.substr(kHeadBytes), key_), 1);
}

TEST_F(SealedTest, SwappedRepeatedAndDroppedFramesAreFound) {
  ObjectWriter writer(kName, key_, entropy_);
  const FrameRef one = writer.Add("first, of this length");
  const FrameRef two = writer.Add("other, of this length");
  const std::string object = writer.Finish();
  const std::string head = object.substr(0, kHeadBytes);
  const std::string first = object.substr(one.offset, one.stored_bytes);
  const std::string second = object.substr(two.offset, two.stored_bytes);
  const std::string end = object.substr(two.offset + two.stored_bytes);
  EXPECT_TRUE(OpenObject(kName, head + first + second + end, key_));
  ExpectCorrupt(OpenObject(kName, head + second + first + end, key_), 0);
  ExpectCorrupt(OpenObject(kName, head + first + first + end, key_), 1);
  ExpectCorrupt(OpenObject(kName, head + first + end, key_), 2);
  ExpectCorrupt(OpenObject(kName, head + end, key_), 3);
  const auto reader = ObjectReader::Open(kName, head, key_);
  ASSERT_TRUE(reader);
  ExpectCorrupt(reader->Frame(one, second), 4);
  ExpectCorrupt(reader->Frame(one, first.substr(1)), 5);
  ExpectCorrupt(reader->Frame(one, ""), 6);
  FrameRef wrong = one;
  wrong.raw_bytes += 1;
  ExpectCorrupt(reader->Frame(wrong, first), 7);
}

TEST_F(SealedTest, FramesOfAnotherObjectAreFound) {
  const std::string one = Seal("the same");
  const std::string other = Seal("the same");
  ExpectCorrupt(OpenObject(kName, one.substr(0, kHeadBytes) + other.substr(kHeadBytes), key_), 0);
}

TEST_F(SealedTest, AnObjectOpensOnlyUnderItsNameAndKey) {
  const std::string object = Seal("contents", "instances/db-2/wal/1/1/range");
  ExpectCorrupt(OpenObject(kName, object, key_), 0);
  const std::string mine = Seal("contents");
  const DataKey same_id{.id = key_.id, .key = std::string(32, 'o')};
  ExpectCorrupt(OpenObject(kName, mine, same_id), 1);
  const DataKey other{.id = std::string(32, 'b'), .key = key_.key};
  const auto opened = OpenObject(kName, mine, other);
  ExpectCorrupt(opened, 2);
  EXPECT_NE(opened.error().what().find(other.id), std::string::npos);
}

TEST_F(SealedTest, TheKeyIsNamedInTheHead) {
  const std::string object = Seal("contents");
  EXPECT_EQ(*KeyIdOf(kName, object.substr(0, kHeadBytes)), key_.id);
  ExpectCorrupt(KeyIdOf(kName, object.substr(0, kHeadBytes - 1)), 0);
  ExpectCorrupt(KeyIdOf(kName, std::string(kHeadBytes, 'x')), 1);
}

TEST_F(SealedTest, AnotherFormatIsNamed) {
  std::string object = Seal("contents");
  PutUint32(2, object.data() + 8);
  const auto opened = OpenObject(kName, object, key_);
  ExpectCorrupt(opened, 0);
  EXPECT_NE(opened.error().what().find("format is 2"), std::string::npos);
}

// The format is a promise: an object of today must open tomorrow.
TEST_F(SealedTest, TheFormatStands) {
  system::SeededEntropy entropy(7);
  const std::string object = SealObject(kName, "howdah", key_, entropy);
  EXPECT_EQ(object.substr(0, 16), std::string("HWDOBJ\r\n\1\0\0\0\0\0\0\0", 16));
  EXPECT_EQ(Hex(object.substr(16, 16)), key_.id);
  EXPECT_EQ(Hex(object.substr(64, 12)), "160000000600000000000000");
  EXPECT_EQ(Hex(object.substr(76)),
            "e9ea42f1fedc0a42b62513edf46f93cfe9d422f118c610000000000000000200"
            "0000df22a3ec12c594892b7976775070dd17");
}

}  // namespace
}  // namespace howdah::repository
