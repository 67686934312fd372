// See frame_cipher.h. Only the first use of a context looks the cipher up and expands the key: for
// each frame after that there is a new nonce and nothing else.
#include "repository/frame_cipher.h"

#include <openssl/evp.h>

#include "base/check.h"
#include "repository/format.h"
#include "vault/crypto.h"

namespace howdah::repository {

namespace {

constexpr std::string_view kPurpose = "howdah/repository/v1/object\n";

const unsigned char* Bytes(const char* text) {
  return reinterpret_cast<const unsigned char*>(text);
}
unsigned char* Bytes(char* text) {
  return reinterpret_cast<unsigned char*>(text);
}

struct ContextCloser {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};

}  // namespace

struct FrameCipher::Context {
  std::unique_ptr<EVP_CIPHER_CTX, ContextCloser> handle{EVP_CIPHER_CTX_new()};
  int seal = 0;
};

std::string ObjectKey(std::string_view data_key, std::string_view salt) {
  return vault::HmacSha256(data_key, std::string(kPurpose).append(salt));
}

FrameCipher::FrameCipher(Use use, std::string_view object_key, std::string place)
    : context_(std::make_unique<Context>()), place_(std::move(place)) {
  Check(object_key.size() == vault::kKeySize, "AES-256 has keys of 32 bytes");
  context_->seal = use == Use::kSeal ? 1 : 0;
  Check(context_->handle &&
            EVP_CipherInit_ex2(context_->handle.get(), EVP_aes_256_gcm(), Bytes(object_key.data()),
                               nullptr, context_->seal, nullptr) == 1,
        "AES-256-GCM takes a key");
}

FrameCipher::FrameCipher(FrameCipher&&) noexcept = default;
FrameCipher& FrameCipher::operator=(FrameCipher&&) noexcept = default;
FrameCipher::~FrameCipher() = default;

void FrameCipher::Start(std::uint32_t number, std::string_view frame_head) {
  char nonce[vault::kNonceSize] = {};
  PutUint32(number, nonce);
  EVP_CIPHER_CTX* handle = context_->handle.get();
  Check(EVP_CipherInit_ex2(handle, nullptr, nullptr, Bytes(nonce), context_->seal, nullptr) == 1,
        "AES-256-GCM takes a nonce");
  for (const std::string_view part : {std::string_view(place_), frame_head}) {
    int size = 0;
    Check(EVP_CipherUpdate(handle, nullptr, &size, Bytes(part.data()),
                           static_cast<int>(part.size())) == 1,
          "AES-256-GCM takes associated data");
  }
}

void FrameCipher::Seal(std::uint32_t number, std::string_view frame_head, std::string_view plain,
                       char* out) {
  Start(number, frame_head);
  EVP_CIPHER_CTX* handle = context_->handle.get();
  int size = 0;
  Check(plain.empty() || EVP_CipherUpdate(handle, Bytes(out), &size, Bytes(plain.data()),
                                          static_cast<int>(plain.size())) == 1,
        "AES-256-GCM seals");
  char* tag = out + plain.size();
  unsigned char none[vault::kTagSize];
  Check(EVP_CipherFinal_ex(handle, none, &size) == 1 &&
            EVP_CIPHER_CTX_ctrl(handle, EVP_CTRL_AEAD_GET_TAG, vault::kTagSize, tag) == 1,
        "AES-256-GCM ends");
}

bool FrameCipher::Open(std::uint32_t number, std::string_view frame_head, std::string_view sealed,
                       char* out) {
  Check(sealed.size() >= vault::kTagSize, "a sealed frame has a tag");
  const std::string_view ciphertext = sealed.substr(0, sealed.size() - vault::kTagSize);
  std::string tag(sealed.substr(ciphertext.size()));
  Start(number, frame_head);
  EVP_CIPHER_CTX* handle = context_->handle.get();
  int size = 0;
  Check(ciphertext.empty() || EVP_CipherUpdate(handle, Bytes(out), &size, Bytes(ciphertext.data()),
                                               static_cast<int>(ciphertext.size())) == 1,
        "AES-256-GCM opens");
  unsigned char none[vault::kTagSize];
  return EVP_CIPHER_CTX_ctrl(handle, EVP_CTRL_AEAD_SET_TAG, vault::kTagSize, tag.data()) == 1 &&
         EVP_CipherFinal_ex(handle, none, &size) == 1;
}

}  // namespace howdah::repository
