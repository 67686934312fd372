// The names of the vault's files under Howdah's home, all of them here.
#pragma once

#include <string>

namespace howdah::vault {

inline std::string MasterKeyPath(const std::string& home) {
  return home + "/master.key";
}
inline std::string CredentialsPath(const std::string& home) {
  return home + "/credentials";
}
inline std::string AccountPath(const std::string& home) {
  return home + "/account";
}
inline std::string AuthorityDirectory(const std::string& home) {
  return home + "/ca";
}
inline std::string AuthorityKeyPath(const std::string& home) {
  return AuthorityDirectory(home) + "/ca.key";
}
// Public: what a client names in sslrootcert.
inline std::string AuthorityCertificatePath(const std::string& home) {
  return AuthorityDirectory(home) + "/ca.pem";
}

}  // namespace howdah::vault
