// See x509.h.
#include "vault/x509.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <array>
#include <ctime>
#include <span>

namespace howdah::vault {

namespace {

using Memory = std::unique_ptr<BIO, Freer<BIO_free_all>>;
using Extension = std::unique_ptr<X509_EXTENSION, Freer<X509_EXTENSION_free>>;
using BigNumber = std::unique_ptr<BIGNUM, Freer<BN_clear_free>>;

std::string Contents(BIO& memory) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(&memory, &data);
  return std::string(data, static_cast<std::size_t>(size));
}

Memory Reader(std::string_view text) {
  return Memory(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::time_t Seconds(WallTime time) {
  return std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
}

bool SetSerial(X509& certificate, system::Entropy& entropy) {
  std::array<unsigned char, 16> bytes{};
  entropy.Fill(std::as_writable_bytes(std::span(bytes)));
  bytes[0] = static_cast<unsigned char>((bytes[0] & 0x7fU) | 0x40U);  // positive, never zero
  const BigNumber number(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
  return number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(&certificate)) != nullptr;
}

bool AddName(X509_NAME* name, const char* field, const std::string& value) {
  return X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(value.data()),
                                    static_cast<int>(value.size()), -1, 0) == 1;
}

// No password is ever asked for at a terminal.
int NoPassword(char*, int, int, void*) {
  return -1;
}

}  // namespace

std::unexpected<Error> FailOpenSsl(std::string_view doing) {
  char text[256] = "unknown reason";
  if (const unsigned long number = ERR_peek_last_error(); number != 0) {
    ERR_error_string_n(number, text, sizeof text);
  }
  ERR_clear_error();
  return Fail(Code::kInternal, std::string(doing) + ": " + text);
}

Result<Key> GenerateKey() {
  Key key(EVP_EC_gen("P-256"));
  if (!key) return FailOpenSsl("generating a key");
  return key;
}

Result<std::string> KeyPem(EVP_PKEY& key) {
  const Memory memory(BIO_new(BIO_s_secmem()));
  if (!memory || PEM_write_bio_PKCS8PrivateKey(memory.get(), &key, nullptr, nullptr, 0, nullptr,
                                               nullptr) != 1) {
    return FailOpenSsl("writing a key");
  }
  return Contents(*memory);
}

Result<std::string> CertificatePem(X509& certificate) {
  const Memory memory(BIO_new(BIO_s_mem()));
  if (!memory || PEM_write_bio_X509(memory.get(), &certificate) != 1) {
    return FailOpenSsl("writing a certificate");
  }
  return Contents(*memory);
}

Result<Key> ParseKey(std::string_view pem) {
  const Memory memory = Reader(pem);
  Key key(memory ? PEM_read_bio_PrivateKey(memory.get(), nullptr, NoPassword, nullptr) : nullptr);
  if (key) return key;
  ERR_clear_error();
  return Fail(Code::kCorrupt, "not a private key in PEM form");
}

Result<Certificate> ParseCertificate(std::string_view pem) {
  const Memory memory = Reader(pem);
  Certificate certificate(memory ? PEM_read_bio_X509(memory.get(), nullptr, NoPassword, nullptr)
                                 : nullptr);
  if (certificate) return certificate;
  ERR_clear_error();
  return Fail(Code::kCorrupt, "not a certificate in PEM form");
}

Result<WallTime> EndOf(const X509& certificate) {
  std::tm fields{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(&certificate), &fields) != 1) {
    return FailOpenSsl("reading a certificate's end");
  }
  const std::chrono::year_month_day day(
      std::chrono::year(fields.tm_year + 1900),
      std::chrono::month(static_cast<unsigned>(fields.tm_mon) + 1),
      std::chrono::day(static_cast<unsigned>(fields.tm_mday)));
  return WallTime(std::chrono::sys_days(day) + std::chrono::hours(fields.tm_hour) +
                  std::chrono::minutes(fields.tm_min) + std::chrono::seconds(fields.tm_sec));
}

Result<Certificate> NewCertificate(const CertificateSpec& spec, EVP_PKEY& key,
                                   system::Entropy& entropy) {
  Certificate certificate(X509_new());
  if (!certificate) return FailOpenSsl("creating a certificate");
  X509* const x509 = certificate.get();
  X509_NAME* const subject = X509_get_subject_name(x509);
  const bool made = X509_set_version(x509, X509_VERSION_3) == 1 && SetSerial(*x509, entropy) &&
                    AddName(subject, "O", "Howdah") &&
                    (spec.common_name.empty() || AddName(subject, "CN", spec.common_name)) &&
                    ASN1_TIME_set(X509_getm_notBefore(x509), Seconds(spec.not_before)) != nullptr &&
                    ASN1_TIME_set(X509_getm_notAfter(x509), Seconds(spec.not_after)) != nullptr &&
                    X509_set_pubkey(x509, &key) == 1;
  if (!made) return FailOpenSsl("filling a certificate");
  return certificate;
}

Result<> AddExtension(X509& certificate, X509& issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, &issuer, &certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value));
  if (!extension || X509_add_ext(&certificate, extension.get(), -1) != 1) {
    return FailOpenSsl("adding an extension");
  }
  return {};
}

Result<> Sign(X509& certificate, EVP_PKEY& issuer_key) {
  if (X509_sign(&certificate, &issuer_key, EVP_sha256()) == 0) {
    return FailOpenSsl("signing a certificate");
  }
  return {};
}

}  // namespace howdah::vault
