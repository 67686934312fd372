// OpenSSL's certificate handles as owned values, and the few steps that both kinds of certificate
// share. Private to the vault.
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "system/entropy.h"

namespace howdah::vault {

template <auto Free>
struct Freer {
  template <typename T>
  void operator()(T* handle) const {
    Free(handle);
  }
};

using Certificate = std::unique_ptr<X509, Freer<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using GeneralNames = std::unique_ptr<GENERAL_NAMES, Freer<GENERAL_NAMES_free>>;

// An Error with the last reason that OpenSSL gives; empties its queue.
std::unexpected<Error> FailOpenSsl(std::string_view doing);

Result<Key> GenerateKey();  // EC P-256
Result<std::string> KeyPem(EVP_PKEY& key);
Result<std::string> CertificatePem(X509& certificate);
Result<Key> ParseKey(std::string_view pem);
Result<Certificate> ParseCertificate(std::string_view pem);
Result<WallTime> EndOf(const X509& certificate);

struct CertificateSpec {
  std::string common_name;  // may be empty
  WallTime not_before;
  WallTime not_after;
};

// A version 3 certificate with a random serial, subject (O=Howdah, CN), dates and public key; not
// signed yet.
Result<Certificate> NewCertificate(const CertificateSpec& spec, EVP_PKEY& key,
                                   system::Entropy& entropy);
// Adds an extension written in OpenSSL's configuration syntax: constant texts only, for a value
// with foreign text could say more than it should.
Result<> AddExtension(X509& certificate, X509& issuer, int nid, const char* value);
Result<> Sign(X509& certificate, EVP_PKEY& issuer_key);

}  // namespace howdah::vault
