// Howdah's own certificate authority: made on the first start, it signs one server certificate an
// instance, so that a client with HOME/ca/ca.pem can ask for sslmode=verify-full.
// Immutable after it is opened; safe from any thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "system/clock.h"
#include "system/disk.h"
#include "system/entropy.h"

namespace howdah::vault {

struct ServerCertificateRequest {
  std::string common_name;  // left out of the subject where it is longer than X.509's 64 characters
  std::vector<std::string> dns_names;
  // Each becomes an address entry and also a name entry of the same text: libpq before 15 compares
  // the text of a numeric host with names only.
  std::vector<std::string> ip_addresses;
  WallTime not_before;
  WallTime not_after;
};

struct ServerCertificate {
  std::string certificate_pem;  // the server's, then the authority's
  std::string key_pem;          // PKCS #8; secret
};

class Authority {
 public:
  // Reads HOME/ca; creates key and certificate (EC P-256, 10 years) durably on the first start.
  static Result<Authority> OpenOrCreate(system::Disk& disk, system::Entropy& entropy,
                                        const system::Clock& clock, const std::string& home);
  Authority(Authority&&) noexcept;
  Authority& operator=(Authority&&) noexcept;
  ~Authority();

  const std::string& certificate_pem() const;
  WallTime not_after() const;  // of the authority's own certificate

  // kInvalid: no name at all, an address that is none, or an end before its beginning.
  Result<ServerCertificate> IssueServerCertificate(const ServerCertificateRequest& request) const;

 private:
  struct Parts;
  explicit Authority(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

// When a certificate (the first one of a PEM text) ends; kCorrupt where it is none.
Result<WallTime> CertificateEnd(std::string_view certificate_pem);

}  // namespace howdah::vault
