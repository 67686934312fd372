// The bytes of an object's head and of what stands before each frame, exactly as
// docs/formats/repository.md says; nothing else knows where a field is. Private to the room.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace howdah::repository {

inline constexpr std::size_t kKeyIdBytes = 16;
inline constexpr std::size_t kSaltBytes = 32;
inline constexpr std::size_t kFrameHeadBytes = 12;

struct Head {
  std::string key_id;  // kKeyIdBytes, as they are
  std::string salt;    // kSaltBytes
};

std::string EncodeHead(const Head& head);  // kHeadBytes
// kCorrupt names the object.
Result<Head> DecodeHead(std::string_view name, std::string_view bytes);

struct FrameHead {
  std::uint32_t sealed_bytes = 0;  // ciphertext and tag
  std::uint32_t raw_bytes = 0;
  bool compressed = false;
  bool last = false;
};

// Writes kFrameHeadBytes.
void EncodeFrameHead(const FrameHead& head, char* out);
// `bytes`: at least kFrameHeadBytes. kCorrupt where no frame can look like that.
Result<FrameHead> DecodeFrameHead(std::string_view bytes);

void PutUint32(std::uint32_t value, char* out);  // little-endian
std::uint32_t GetUint32(const char* bytes);

std::string Hex(std::string_view bytes);
// The bytes of a data key's id; "" where it is none.
std::string KeyIdBytes(std::string_view id);

}  // namespace howdah::repository
