// AES-256-GCM over the frames of one object: one context, keyed once, its nonce the frame's number.
// OpenSSL stays in the .cc file. Private to the room.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace howdah::repository {

// The key of one object's frames. The caller wipes it.
std::string ObjectKey(std::string_view data_key, std::string_view salt);

// One thread at a time.
class FrameCipher {
 public:
  enum class Use { kSeal, kOpen };

  // `place` is what every frame vouches for beside itself: the object's name and head.
  FrameCipher(Use use, std::string_view object_key, std::string place);
  FrameCipher(FrameCipher&&) noexcept;
  FrameCipher& operator=(FrameCipher&&) noexcept;
  ~FrameCipher();

  // Writes the ciphertext and its tag; `out` may be `plain` itself.
  void Seal(std::uint32_t number, std::string_view frame_head, std::string_view plain, char* out);
  // Writes the plaintext of `sealed`, which ends with its tag; false where anything was changed,
  // and then `out` holds nothing that may be used.
  [[nodiscard]] bool Open(std::uint32_t number, std::string_view frame_head,
                          std::string_view sealed, char* out);

 private:
  struct Context;
  void Start(std::uint32_t number, std::string_view frame_head);

  std::unique_ptr<Context> context_;
  std::string place_;
};

}  // namespace howdah::repository
