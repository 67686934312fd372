// See certificates.h.
#include "host/certificates.h"

#include <fmt/format.h>

namespace howdah::host {
namespace {

constexpr auto kCertificateLife = std::chrono::hours(24 * 365 * 5);
constexpr auto kRenewBefore = std::chrono::hours(24 * 30);

}  // namespace

Result<CertificateFiles> EnsureCertificate(const Needs& needs, const std::string& directory,
                                           const std::string& host_address,
                                           const std::string& private_address) {
  CertificateFiles files{.certificate_file = fmt::format("{}/{}.crt", directory, host_address),
                         .key_file = fmt::format("{}/{}.key", directory, host_address)};
  const WallTime now = needs.clock.Now();
  if (const Result<std::string> present = needs.disk.Read(files.certificate_file)) {
    const Result<WallTime> end = vault::CertificateEnd(*present);
    if (end && *end > now + kRenewBefore) return files;
  }
  TRY_ASSIGN(
      const vault::ServerCertificate certificate,
      needs.authority.IssueServerCertificate({.common_name = host_address,
                                              .ip_addresses = {host_address, private_address},
                                              .not_before = now - 1h,
                                              .not_after = now + kCertificateLife}));
  TRY(needs.disk.MakeDirectories(directory, 0700));
  TRY(needs.disk.WriteDurably(files.key_file, certificate.key_pem, 0600));
  TRY(needs.disk.WriteDurably(files.certificate_file, certificate.certificate_pem, 0600));
  files.is_new = true;
  return files;
}

}  // namespace howdah::host
