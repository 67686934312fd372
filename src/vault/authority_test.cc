// Certificates verify as a client verifies them: chain, name, address, purpose.
#include "vault/authority.h"

#include <gtest/gtest.h>
#include <openssl/x509_vfy.h>

#include "system/fake/fake_clock.h"
#include "system/fake/memory_disk.h"
#include "system/fake/seeded_entropy.h"
#include "vault/files.h"
#include "vault/x509.h"

namespace howdah::vault {
namespace {

class AuthorityTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(disk_.MakeDirectories("/home")); }
  Result<Authority> Open() { return Authority::OpenOrCreate(disk_, entropy_, clock_, "/home"); }
  ServerCertificateRequest Request() {
    return {.common_name = "prod-e-db",
            .dns_names = {"prod-e-db.example"},
            .ip_addresses = {"10.0.1.5", "127.0.1.5"},
            .not_before = clock_.Now() - 1h,
            .not_after = clock_.Now() + std::chrono::days(365)};
  }

  system::MemoryDisk disk_;
  system::SeededEntropy entropy_;
  system::FakeClock clock_;
};

// X509_V_OK, or why a TLS client would refuse.
int Verify(const std::string& ca_pem, X509* certificate, WallTime now) {
  X509_STORE* store = X509_STORE_new();
  const Certificate ca = *ParseCertificate(ca_pem);
  X509_STORE_add_cert(store, ca.get());
  X509_STORE_CTX* context = X509_STORE_CTX_new();
  X509_STORE_CTX_init(context, store, certificate, nullptr);
  X509_STORE_CTX_set_purpose(context, X509_PURPOSE_SSL_SERVER);
  X509_STORE_CTX_set_time(context, 0, static_cast<time_t>(ToMicros(now) / 1'000'000));
  X509_STORE_CTX_set_flags(context, X509_V_FLAG_X509_STRICT);
  X509_verify_cert(context);
  const int outcome = X509_STORE_CTX_get_error(context);
  X509_STORE_CTX_free(context);
  X509_STORE_free(store);
  return outcome;
}

TEST_F(AuthorityTest, IsMadeOnceWithAPrivateKey) {
  const std::string first = Open()->certificate_pem();
  EXPECT_EQ(disk_.Inspect(AuthorityKeyPath("/home"))->mode, 0600U);
  EXPECT_EQ(Open()->certificate_pem(), first);
  EXPECT_EQ(*disk_.Read(AuthorityCertificatePath("/home")), first);
  EXPECT_GT(Open()->not_after(), clock_.Now() + std::chrono::days(3650));
}

TEST_F(AuthorityTest, ACrashBetweenKeyAndCertificateIsMended) {
  ASSERT_TRUE(Open());
  ASSERT_TRUE(disk_.RemoveTree(AuthorityCertificatePath("/home")));
  EXPECT_TRUE(Open());
}

TEST_F(AuthorityTest, ALostOrForeignKeyStopsTheStart) {
  ASSERT_TRUE(Open());
  const std::string certificate = *disk_.Read(AuthorityCertificatePath("/home"));
  ASSERT_TRUE(disk_.RemoveTree(AuthorityKeyPath("/home")));
  EXPECT_EQ(Open().error().code(), Code::kCorrupt);
  ASSERT_TRUE(disk_.RemoveTree(AuthorityCertificatePath("/home")));
  ASSERT_TRUE(Open());
  ASSERT_TRUE(disk_.WriteDurably(AuthorityCertificatePath("/home"), certificate, 0644));
  EXPECT_EQ(Open().error().code(), Code::kCorrupt);
}

TEST_F(AuthorityTest, AServerCertificateVerifiesByNameAndByAddress) {
  const Authority authority = *Open();
  const ServerCertificate issued = *authority.IssueServerCertificate(Request());
  const Certificate certificate = *ParseCertificate(issued.certificate_pem);
  EXPECT_EQ(Verify(authority.certificate_pem(), certificate.get(), clock_.Now()), X509_V_OK);
  EXPECT_EQ(X509_check_host(certificate.get(), "prod-e-db.example", 0, 0, nullptr), 1);
  EXPECT_EQ(X509_check_host(certificate.get(), "127.0.1.5", 0, 0, nullptr), 1);  // libpq < 15
  EXPECT_EQ(X509_check_ip_asc(certificate.get(), "127.0.1.5", 0), 1);
  EXPECT_EQ(X509_check_host(certificate.get(), "other.example", 0, 0, nullptr), 0);
  EXPECT_EQ(X509_check_private_key(certificate.get(), ParseKey(issued.key_pem)->get()), 1);
  EXPECT_TRUE(issued.certificate_pem.ends_with(authority.certificate_pem()));
}

TEST_F(AuthorityTest, ACertificateEndsWhenAskedAndNeverAfterItsAuthority) {
  const Authority authority = *Open();
  ServerCertificateRequest request = Request();
  const ServerCertificate issued = *authority.IssueServerCertificate(request);
  EXPECT_EQ(*CertificateEnd(issued.certificate_pem), request.not_after);
  const Certificate certificate = *ParseCertificate(issued.certificate_pem);
  EXPECT_EQ(Verify(authority.certificate_pem(), certificate.get(), request.not_after + 1s),
            X509_V_ERR_CERT_HAS_EXPIRED);
  request.not_after += std::chrono::days(36500);
  EXPECT_EQ(*CertificateEnd(authority.IssueServerCertificate(request)->certificate_pem),
            authority.not_after());
}

TEST_F(AuthorityTest, ALongNameStaysOutOfTheSubjectAndInTheNames) {
  ServerCertificateRequest request = Request();
  request.common_name = std::string(65, 'n');
  request.dns_names = {std::string(60, 'n') + "." + std::string(60, 'm')};
  const ServerCertificate issued = *Open()->IssueServerCertificate(request);
  const Certificate certificate = *ParseCertificate(issued.certificate_pem);
  EXPECT_EQ(X509_check_host(certificate.get(), request.dns_names[0].c_str(), 0, 0, nullptr), 1);
}

TEST_F(AuthorityTest, ARequestThatMakesNoSenseIsRefused) {
  const Authority authority = *Open();
  ServerCertificateRequest request = Request();
  request.ip_addresses = {"10.0.0.256"};
  EXPECT_EQ(authority.IssueServerCertificate(request).error().code(), Code::kInvalid);
  request = Request();
  request.dns_names = {"a,DNS:b\n"};
  EXPECT_EQ(authority.IssueServerCertificate(request).error().code(), Code::kInvalid);
  request = Request();
  request.dns_names.clear();
  request.ip_addresses.clear();
  EXPECT_EQ(authority.IssueServerCertificate(request).error().code(), Code::kInvalid);
  request = Request();
  request.not_after = request.not_before;
  EXPECT_EQ(authority.IssueServerCertificate(request).error().code(), Code::kInvalid);
  EXPECT_EQ(CertificateEnd("no").error().code(), Code::kCorrupt);
}

}  // namespace
}  // namespace howdah::vault
