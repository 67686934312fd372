// See root_credentials.h.
#include "vault/root_credentials.h"

#include <fmt/format.h>

#include "vault/files.h"
#include "vault/private_file.h"

namespace howdah::vault {

namespace {

constexpr std::string_view kBase32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kDigits = "0123456789";

std::string_view Trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

// The two settings of the section "[default]".
RootCredentials ParseCredentials(std::string_view text) {
  RootCredentials credentials;
  bool in_default = false;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = Trim(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.starts_with('[')) in_default = line == "[default]";
    const std::size_t equals = line.find('=');
    if (!in_default || equals == std::string_view::npos) continue;
    const std::string_view name = Trim(line.substr(0, equals));
    const std::string_view value = Trim(line.substr(equals + 1));
    if (name == "aws_access_key_id") credentials.access_key_id = value;
    if (name == "aws_secret_access_key") credentials.secret_access_key = value;
  }
  return credentials;
}

}  // namespace

Result<RootCredentials> ReadRootCredentials(system::Disk& disk, const std::string& home) {
  const std::string path = CredentialsPath(home);
  TRY_ASSIGN(const std::string text, ReadPrivateFile(disk, path));
  RootCredentials credentials = ParseCredentials(text);
  if (credentials.access_key_id.empty() || credentials.secret_access_key.empty()) {
    return Fail(Code::kCorrupt, path +
                                    " names no aws_access_key_id and aws_secret_access_key in "
                                    "a section [default]");
  }
  return credentials;
}

Result<RootCredentials> OpenOrCreateRootCredentials(system::Disk& disk, system::Entropy& entropy,
                                                    const std::string& home) {
  Result<RootCredentials> known = ReadRootCredentials(disk, home);
  if (known || known.error().code() != Code::kNotFound) return known;
  RootCredentials fresh{.access_key_id = "AKIA" + system::RandomText(entropy, 16, kBase32),
                        .secret_access_key = system::RandomText(entropy, 40, kBase64)};
  TRY(disk.WriteDurably(
      CredentialsPath(home),
      fmt::format("[default]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
                  fresh.access_key_id, fresh.secret_access_key),
      0600));
  return fresh;
}

Result<std::string> OpenOrCreateAccountId(system::Disk& disk, system::Entropy& entropy,
                                          const std::string& home) {
  const std::string path = AccountPath(home);
  Result<std::string> text = disk.Read(path);
  if (!text && text.error().code() == Code::kNotFound) {
    text = system::RandomText(entropy, 1, "123456789") + system::RandomText(entropy, 11, kDigits);
    TRY(disk.WriteDurably(path, *text + "\n", 0644));
  }
  if (!text) return text;
  if (text->ends_with('\n')) text->pop_back();
  if (text->size() != 12 || text->find_first_not_of(kDigits) != std::string::npos) {
    return Fail(Code::kCorrupt, path + " does not hold an account id of 12 digits");
  }
  return text;
}

}  // namespace howdah::vault
