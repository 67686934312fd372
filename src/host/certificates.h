// The certificates of endpoints on this host, issued by Howdah's authority: one a directory and
// address, renewed a month before its end.
#pragma once

#include <string>

#include "host/needs.h"

namespace howdah::host {

struct CertificateFiles {
  std::string certificate_file;
  std::string key_file;  // 0600
  bool is_new = false;   // written by this call: who uses it must read it again
};

// DIRECTORY/<host_address>.crt and .key, naming both addresses. Durable when it returns.
Result<CertificateFiles> EnsureCertificate(const Needs& needs, const std::string& directory,
                                           const std::string& host_address,
                                           const std::string& private_address);

}  // namespace howdah::host
