// See format.h.
#include "repository/format.h"

#include <fmt/format.h>

#include "repository/sealed.h"
#include "vault/crypto.h"

namespace howdah::repository {

namespace {

// The line ends in it show a transfer that took the object for a text.
constexpr std::string_view kMagic = "HWDOBJ\r\n";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kVersionAt = 8;
constexpr std::size_t kReservedAt = 12;
constexpr std::size_t kKeyIdAt = 16;
constexpr std::size_t kSaltAt = kKeyIdAt + kKeyIdBytes;
static_assert(kSaltAt + kSaltBytes == kHeadBytes);

constexpr std::uint32_t kCompressedFlag = 1;
constexpr std::uint32_t kLastFlag = 2;

bool Possible(const FrameHead& head) {
  constexpr auto kTag = std::uint32_t{vault::kTagSize};
  if (head.last) return head.raw_bytes == 0 && head.sealed_bytes == kTag && !head.compressed;
  if (head.raw_bytes == 0 || head.raw_bytes > kMostFrameBytes) return false;
  if (!head.compressed) return head.sealed_bytes == head.raw_bytes + kTag;
  return head.sealed_bytes > kTag && head.sealed_bytes < head.raw_bytes + kTag;
}

}  // namespace

void PutUint32(std::uint32_t value, char* out) {
  for (int i = 0; i < 4; ++i) out[i] = static_cast<char>(value >> (8 * i));
}

std::uint32_t GetUint32(const char* bytes) {
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value |= std::uint32_t{static_cast<unsigned char>(bytes[i])} << 8 * i;
  return value;
}

std::string EncodeHead(const Head& head) {
  std::string bytes(kHeadBytes, '\0');
  bytes.replace(0, kMagic.size(), kMagic);
  PutUint32(kVersion, bytes.data() + kVersionAt);
  bytes.replace(kKeyIdAt, kKeyIdBytes, head.key_id);
  bytes.replace(kSaltAt, kSaltBytes, head.salt);
  return bytes;
}

Result<Head> DecodeHead(std::string_view name, std::string_view bytes) {
  const auto bad = [&](std::string_view what) {
    return Fail(Code::kCorrupt, fmt::format("object {}: {}", name, what));
  };
  if (bytes.size() < kHeadBytes) {
    return bad(fmt::format("it has only {} bytes, its head is cut off", bytes.size()));
  }
  if (!bytes.starts_with(kMagic)) return bad("it is no sealed object");
  const std::uint32_t version = GetUint32(bytes.data() + kVersionAt);
  if (version != kVersion) {
    return bad(fmt::format("its format is {}, this Howdah reads format {}", version, kVersion));
  }
  if (GetUint32(bytes.data() + kReservedAt) != 0) return bad("its head was changed");
  return Head{.key_id = std::string(bytes.substr(kKeyIdAt, kKeyIdBytes)),
              .salt = std::string(bytes.substr(kSaltAt, kSaltBytes))};
}

void EncodeFrameHead(const FrameHead& head, char* out) {
  PutUint32(head.sealed_bytes, out);
  PutUint32(head.raw_bytes, out + 4);
  PutUint32((head.compressed ? kCompressedFlag : 0) | (head.last ? kLastFlag : 0), out + 8);
}

Result<FrameHead> DecodeFrameHead(std::string_view bytes) {
  const std::uint32_t flags = GetUint32(bytes.data() + 8);
  const FrameHead head{.sealed_bytes = GetUint32(bytes.data()),
                       .raw_bytes = GetUint32(bytes.data() + 4),
                       .compressed = (flags & kCompressedFlag) != 0,
                       .last = (flags & kLastFlag) != 0};
  if (flags > (kCompressedFlag | kLastFlag) || !Possible(head)) {
    return Fail(Code::kCorrupt, "its length or flags are impossible");
  }
  return head;
}

std::string Hex(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return text;
}

std::string KeyIdBytes(std::string_view id) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  if (id.size() != 2 * kKeyIdBytes || id.find_first_not_of(kDigits) != id.npos) return {};
  std::string bytes;
  for (std::size_t i = 0; i < id.size(); i += 2) {
    bytes += static_cast<char>(kDigits.find(id[i]) * 16 + kDigits.find(id[i + 1]));
  }
  return bytes;
}

}  // namespace howdah::repository
