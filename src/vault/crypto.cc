// See crypto.h. A primitive that fails on well-formed input means a broken library: Check.
#include "vault/crypto.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <memory>

#include "base/check.h"

namespace howdah::vault {

namespace {

using Cipher = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* Bytes(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}
int Size(std::string_view text) {
  return static_cast<int>(text.size());
}

Cipher StartGcm(bool seal, std::string_view key, std::string_view nonce) {
  Check(key.size() == kKeySize && nonce.size() == kNonceSize, "AES-256-GCM key and nonce sizes");
  Cipher cipher(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  Check(cipher && EVP_CipherInit_ex2(cipher.get(), EVP_aes_256_gcm(), Bytes(key), Bytes(nonce),
                                     seal ? 1 : 0, nullptr) == 1,
        "AES-256-GCM starts");
  return cipher;
}

std::string RunGcm(EVP_CIPHER_CTX* cipher, std::string_view input, std::string_view associated) {
  int size = 0;
  Check(EVP_CipherUpdate(cipher, nullptr, &size, Bytes(associated), Size(associated)) == 1,
        "AES-256-GCM takes associated data");
  std::string output(input.size(), '\0');
  Check(EVP_CipherUpdate(cipher, Bytes(output), &size, Bytes(input), Size(input)) == 1,
        "AES-256-GCM takes input");
  return output;
}

}  // namespace

std::string Base64Encode(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // OpenSSL ends it with a NUL
  text.resize(static_cast<std::size_t>(EVP_EncodeBlock(Bytes(text), Bytes(bytes), Size(bytes))));
  return text;
}

Result<std::string> Base64Decode(std::string_view text) {
  const auto bad = [] { return Fail(Code::kCorrupt, "not base64"); };
  if (text.size() % 4 != 0 || text.size() > (1U << 26U)) return bad();
  std::string bytes(text.size() / 4 * 3, '\0');
  if (EVP_DecodeBlock(Bytes(bytes), Bytes(text), Size(text)) < 0) return bad();
  if (text.ends_with("=")) bytes.pop_back();
  if (text.ends_with("==")) bytes.pop_back();
  if (Base64Encode(bytes) != text) return bad();  // OpenSSL forgives more than we do
  return bytes;
}

std::string Sha256(std::string_view bytes) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(Bytes(bytes), bytes.size(), Bytes(digest));
  return digest;
}

std::string HmacSha256(std::string_view key, std::string_view bytes) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  Check(HMAC(EVP_sha256(), key.data(), Size(key), Bytes(bytes), bytes.size(), Bytes(digest),
             nullptr) != nullptr,
        "HMAC-SHA-256 works");
  return digest;
}

std::string Pbkdf2Sha256(std::string_view password, std::string_view salt, int iterations) {
  std::string key(SHA256_DIGEST_LENGTH, '\0');
  Check(PKCS5_PBKDF2_HMAC(password.data(), Size(password), Bytes(salt), Size(salt), iterations,
                          EVP_sha256(), Size(key), Bytes(key)) == 1,
        "PBKDF2 works");
  return key;
}

std::string GcmSeal(std::string_view key, std::string_view nonce, std::string_view plaintext,
                    std::string_view associated_data) {
  const Cipher cipher = StartGcm(true, key, nonce);
  std::string sealed = RunGcm(cipher.get(), plaintext, associated_data);
  std::string tag(kTagSize, '\0');
  int size = 0;
  unsigned char none[16];
  Check(EVP_CipherFinal_ex(cipher.get(), none, &size) == 1 &&
            EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_GET_TAG, kTagSize, tag.data()) == 1,
        "AES-256-GCM ends");
  return sealed + tag;
}

Result<std::string> GcmOpen(std::string_view key, std::string_view nonce, std::string_view sealed,
                            std::string_view associated_data) {
  if (sealed.size() < kTagSize) return Fail(Code::kCorrupt, "sealed text is too short");
  const std::string_view ciphertext = sealed.substr(0, sealed.size() - kTagSize);
  std::string tag(sealed.substr(ciphertext.size()));
  const Cipher cipher = StartGcm(false, key, nonce);
  std::string plaintext = RunGcm(cipher.get(), ciphertext, associated_data);
  int size = 0;
  unsigned char none[16];
  if (EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_SET_TAG, kTagSize, tag.data()) != 1 ||
      EVP_CipherFinal_ex(cipher.get(), none, &size) != 1) {
    Wipe(plaintext);
    return Fail(Code::kCorrupt, "sealed text was changed, or belongs to another key or place");
  }
  return plaintext;
}

bool EqualSecrets(std::string_view one, std::string_view other) {
  return one.size() == other.size() && CRYPTO_memcmp(one.data(), other.data(), one.size()) == 0;
}

void Wipe(std::string& secret) {
  OPENSSL_cleanse(secret.data(), secret.size());
}

}  // namespace howdah::vault
