// Protects: a tar stream is read the same however it is cut, and nothing leaves the directory.
#include "postgres/tar.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <vector>

namespace howdah::postgres {
namespace {

std::string Header(const std::string& name, char type, std::size_t size,
                   const std::string& link = "") {
  std::string block(512, '\0');
  const auto put = [&](std::size_t at, const std::string& text) {
    block.replace(at, text.size(), text);
  };
  put(0, name.substr(0, 100));
  put(100, "0000600");
  put(124, fmt::format("{:011o}", size));
  block[156] = type;
  put(157, link);
  put(257, "ustar");
  put(148, "        ");
  unsigned sum = 0;
  for (const char c : block) sum += static_cast<unsigned char>(c);
  put(148, fmt::format("{:06o}", sum) + '\0');
  return block;
}

std::string Entry(const std::string& name, char type, const std::string& data) {
  return Header(name, type, data.size()) + data +
         std::string((512 - data.size() % 512) % 512, '\0');
}

class Recorder final : public TarSink {
 public:
  Result<> OnEntry(const TarEntry& entry) override {
    text += fmt::format("<{} {} {}>", entry.path, static_cast<int>(entry.type), entry.size_bytes);
    return {};
  }
  Result<> OnData(std::string_view bytes) override {
    text += bytes;
    return {};
  }
  Result<> OnEntryEnd() override {
    text += ";";
    return {};
  }
  std::string text;
};

Result<std::string> ReadAll(std::string_view bytes, std::size_t piece) {
  Recorder recorder;
  TarReader reader(recorder);
  while (!bytes.empty()) {
    TRY(reader.Feed(bytes.substr(0, piece)));
    bytes.remove_prefix(std::min(piece, bytes.size()));
  }
  TRY(reader.Finish());
  return recorder.text;
}

TEST(Tar, IsReadTheSameHoweverItIsCut) {
  const std::string path(150, 'p');
  const std::string stream =
      Entry("./base/", '5', "") + Entry("base/1", '0', std::string(600, 'x')) +
      Entry("empty", '0', "") + Entry("@LongLink", 'L', path) + Entry("short", '0', "abc") +
      Entry("pax", 'x', "16 path=from/px\n") + Entry("other", '0', "d") + std::string(1024, '\0');
  const std::string wanted = "<base 1 0>;<base/1 0 600>" + std::string(600, 'x') +
                             ";<empty 0 0>;<" + path + " 0 3>abc;<from/px 0 1>d;";
  for (const std::size_t piece : {1UL, 7UL, 511UL, 512UL, 513UL, 100000UL}) {
    const auto text = ReadAll(stream, piece);
    ASSERT_TRUE(text) << piece << ": " << text.error().what();
    EXPECT_EQ(*text, wanted) << piece;
  }
}

TEST(Tar, NothingLeavesTheDirectory) {
  for (const char* bad : {"/etc/passwd", "../x", "a/../../x", "a/.."}) {
    EXPECT_FALSE(ReadAll(Entry(bad, '0', "x"), 512)) << bad;
  }
  EXPECT_FALSE(ReadAll(Entry("pax", 'x', "13 path=../x\n") + Entry("fine", '0', "d"), 512));
}

TEST(Tar, BrokenStreamsAreRefused) {
  const std::string good = Entry("a", '0', std::string(100, 'x'));
  EXPECT_TRUE(ReadAll(good, 512));
  EXPECT_FALSE(ReadAll(good.substr(0, 550), 512)) << "cut in the data";
  EXPECT_FALSE(ReadAll(good.substr(0, 100), 512)) << "cut in the header";
  std::string flipped = good;
  flipped[0] = 'b';
  EXPECT_FALSE(ReadAll(flipped, 512)) << "wrong checksum";
  EXPECT_FALSE(ReadAll(Entry("device", '3', ""), 512)) << "a device";
}

}  // namespace
}  // namespace howdah::postgres
