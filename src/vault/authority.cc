// See authority.h.
#include "vault/authority.h"

#include <algorithm>

#include "vault/files.h"
#include "vault/private_file.h"
#include "vault/x509.h"

namespace howdah::vault {

namespace {

constexpr auto kAuthorityLife = std::chrono::days(3652);
// A client's clock may be behind ours.
constexpr auto kClockSkew = std::chrono::hours(24);
constexpr std::size_t kMaximumCommonName = 64;  // X.520's ub-common-name

bool AddDnsName(GENERAL_NAMES* names, const std::string& text) {
  ASN1_IA5STRING* value = ASN1_IA5STRING_new();
  GENERAL_NAME* name = GENERAL_NAME_new();
  if (value == nullptr || name == nullptr ||
      ASN1_STRING_set(value, text.data(), static_cast<int>(text.size())) != 1) {
    ASN1_IA5STRING_free(value);
    GENERAL_NAME_free(name);
    return false;
  }
  GENERAL_NAME_set0_value(name, GEN_DNS, value);
  if (sk_GENERAL_NAME_push(names, name) > 0) return true;
  GENERAL_NAME_free(name);
  return false;
}

bool AddAddress(GENERAL_NAMES* names, const std::string& text) {
  ASN1_OCTET_STRING* value = a2i_IPADDRESS(text.c_str());
  if (value == nullptr) return false;
  GENERAL_NAME* name = GENERAL_NAME_new();
  if (name == nullptr) {
    ASN1_OCTET_STRING_free(value);
    return false;
  }
  GENERAL_NAME_set0_value(name, GEN_IPADD, value);
  if (sk_GENERAL_NAME_push(names, name) > 0) return true;
  GENERAL_NAME_free(name);
  return false;
}

bool IsNameText(const std::string& text) {
  return !text.empty() && text.size() <= 253 &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

Result<GeneralNames> AlternativeNames(const ServerCertificateRequest& request) {
  GeneralNames names(GENERAL_NAMES_new());
  if (!names) return FailOpenSsl("creating names");
  std::vector<std::string> texts = request.dns_names;
  texts.insert(texts.end(), request.ip_addresses.begin(), request.ip_addresses.end());
  if (texts.empty()) return Fail(Code::kInvalid, "a server certificate needs a name");
  for (const std::string& address : request.ip_addresses) {
    if (!IsNameText(address) || !AddAddress(names.get(), address)) {
      return Fail(Code::kInvalid, "not an IP address: " + address);
    }
  }
  for (const std::string& text : texts) {
    if (!IsNameText(text)) return Fail(Code::kInvalid, "not a DNS name: " + text);
    if (!AddDnsName(names.get(), text)) return FailOpenSsl("adding a name");
  }
  return names;
}

Result<Certificate> MakeAuthorityCertificate(EVP_PKEY& key, system::Entropy& entropy,
                                             const system::Clock& clock) {
  const WallTime now = clock.Now();
  // The name carries a few random characters, so that the certificates of two installations are
  // never taken for each other.
  const CertificateSpec spec{.common_name = "Howdah CA " + system::RandomHex(entropy, 8),
                             .not_before = now - kClockSkew,
                             .not_after = now + kAuthorityLife};
  TRY_ASSIGN(Certificate certificate, NewCertificate(spec, key, entropy));
  X509& x509 = *certificate;
  if (X509_set_issuer_name(&x509, X509_get_subject_name(&x509)) != 1) {
    return FailOpenSsl("naming the issuer");
  }
  TRY(AddExtension(x509, x509, NID_basic_constraints, "critical,CA:TRUE,pathlen:0"));
  TRY(AddExtension(x509, x509, NID_key_usage, "critical,keyCertSign,cRLSign"));
  TRY(AddExtension(x509, x509, NID_subject_key_identifier, "hash"));
  TRY(Sign(x509, key));
  return certificate;
}

// The key comes first: a crash between the two leaves a key, of which the certificate is made anew.
Result<Key> OpenOrCreateKey(system::Disk& disk, const std::string& home) {
  const std::string path = AuthorityKeyPath(home);
  const Result<std::string> pem = ReadPrivateFile(disk, path);
  if (pem) return ParseKey(*pem);
  if (pem.error().code() != Code::kNotFound) return Fail(pem.error());
  TRY_ASSIGN(const bool certified, disk.Exists(AuthorityCertificatePath(home)));
  if (certified) {
    return Fail(Code::kCorrupt, path +
                                    " is missing although its certificate is there: restore it, "
                                    "or remove the certificate to start a new authority");
  }
  TRY_ASSIGN(Key key, GenerateKey());
  TRY_ASSIGN(const std::string fresh, KeyPem(*key));
  TRY(disk.WriteDurably(path, fresh, 0600));
  return key;
}

Result<Certificate> OpenOrCreateCertificate(system::Disk& disk, system::Entropy& entropy,
                                            const system::Clock& clock, const std::string& home,
                                            EVP_PKEY& key) {
  const std::string path = AuthorityCertificatePath(home);
  const Result<std::string> pem = disk.Read(path);
  if (pem) {
    TRY_ASSIGN(Certificate known, ParseCertificate(*pem));
    if (X509_check_private_key(known.get(), &key) == 1) return known;
    return Fail(Code::kCorrupt, path + " does not belong to the key beside it");
  }
  if (pem.error().code() != Code::kNotFound) return Fail(pem.error());
  TRY_ASSIGN(Certificate certificate, MakeAuthorityCertificate(key, entropy, clock));
  TRY_ASSIGN(const std::string fresh, CertificatePem(*certificate));
  TRY(disk.WriteDurably(path, fresh, 0644));
  return certificate;
}

}  // namespace

struct Authority::Parts {
  system::Entropy& entropy;
  Key key;
  Certificate certificate;
  std::string pem;
  WallTime not_after;
};

Authority::Authority(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Authority::Authority(Authority&&) noexcept = default;
Authority& Authority::operator=(Authority&&) noexcept = default;
Authority::~Authority() = default;

Result<Authority> Authority::OpenOrCreate(system::Disk& disk, system::Entropy& entropy,
                                          const system::Clock& clock, const std::string& home) {
  TRY(disk.MakeDirectories(AuthorityDirectory(home)));
  TRY_ASSIGN(Key key, OpenOrCreateKey(disk, home));
  TRY_ASSIGN(Certificate certificate, OpenOrCreateCertificate(disk, entropy, clock, home, *key));
  TRY_ASSIGN(std::string pem, CertificatePem(*certificate));
  TRY_ASSIGN(const WallTime end, EndOf(*certificate));
  return Authority(std::unique_ptr<Parts>(
      new Parts{entropy, std::move(key), std::move(certificate), std::move(pem), end}));
}

const std::string& Authority::certificate_pem() const {
  return parts_->pem;
}

WallTime Authority::not_after() const {
  return parts_->not_after;
}

Result<ServerCertificate> Authority::IssueServerCertificate(
    const ServerCertificateRequest& request) const {
  if (request.not_after <= request.not_before) {
    return Fail(Code::kInvalid, "a certificate cannot end before it begins");
  }
  TRY_ASSIGN(const GeneralNames names, AlternativeNames(request));
  TRY_ASSIGN(const Key key, GenerateKey());
  const bool name_fits = request.common_name.size() <= kMaximumCommonName;
  const CertificateSpec spec{.common_name = name_fits ? request.common_name : "",
                             .not_before = request.not_before,
                             .not_after = std::min(request.not_after, parts_->not_after)};
  TRY_ASSIGN(const Certificate certificate, NewCertificate(spec, *key, parts_->entropy));
  X509& x509 = *certificate;
  X509& issuer = *parts_->certificate;
  if (X509_set_issuer_name(&x509, X509_get_subject_name(&issuer)) != 1 ||
      X509_add1_ext_i2d(&x509, NID_subject_alt_name, names.get(), 0, X509V3_ADD_DEFAULT) != 1) {
    return FailOpenSsl("filling a server certificate");
  }
  TRY(AddExtension(x509, issuer, NID_basic_constraints, "critical,CA:FALSE"));
  TRY(AddExtension(x509, issuer, NID_key_usage, "critical,digitalSignature"));
  TRY(AddExtension(x509, issuer, NID_ext_key_usage, "serverAuth"));
  TRY(AddExtension(x509, issuer, NID_subject_key_identifier, "hash"));
  TRY(AddExtension(x509, issuer, NID_authority_key_identifier, "keyid:always"));
  TRY(Sign(x509, *parts_->key));
  TRY_ASSIGN(const std::string certificate_pem, CertificatePem(x509));
  TRY_ASSIGN(std::string key_pem, KeyPem(*key));
  return ServerCertificate{.certificate_pem = certificate_pem + parts_->pem,
                           .key_pem = std::move(key_pem)};
}

Result<WallTime> CertificateEnd(std::string_view certificate_pem) {
  TRY_ASSIGN(const Certificate certificate, ParseCertificate(certificate_pem));
  return EndOf(*certificate);
}

}  // namespace howdah::vault
