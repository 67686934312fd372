// See open.h.
#include "repository/open.h"

#include <utility>

#include "repository/directory.h"
#include "repository/place.h"
#include "repository/s3.h"
#include "vault/crypto.h"
#include "vault/private_file.h"

namespace howdah::repository {

namespace {

std::string_view Trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

// What the section "[default]" sets.
S3Credentials ParseCredentials(std::string_view text) {
  S3Credentials credentials;
  bool in_default = false;
  while (!text.empty()) {
    const std::string_view whole = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(whole.size() + 1, text.size()));
    const std::string_view line = Trim(whole);
    if (line.starts_with('[')) in_default = line == "[default]";
    const std::size_t equals = line.find('=');
    if (!in_default || equals == line.npos) continue;
    const std::string_view name = Trim(line.substr(0, equals));
    const std::string_view value = Trim(line.substr(equals + 1));
    if (name == "aws_access_key_id") credentials.access_key_id = value;
    if (name == "aws_secret_access_key") credentials.secret_access_key = value;
    if (name == "aws_session_token") credentials.session_token = value;
  }
  return credentials;
}

Result<S3Credentials> FindCredentials(const S3Place& place, const Environment& environment,
                                      system::Disk& disk) {
  S3Credentials found;
  if (!place.credentials_path.empty()) {
    Result<std::string> text = vault::ReadPrivateFile(disk, place.credentials_path);
    if (!text) {
      const Error error = text.error().During("reading the credentials for S3");
      // Not found is what an object is, never what is missing to look for it.
      if (error.code() == Code::kNotFound) return Fail(Code::kInvalid, error.what());
      return Fail(error);
    }
    const vault::Wiper wiper(*text);
    found = ParseCredentials(*text);
  } else {
    found.access_key_id = environment("AWS_ACCESS_KEY_ID").value_or("");
    found.secret_access_key = environment("AWS_SECRET_ACCESS_KEY").value_or("");
    found.session_token = environment("AWS_SESSION_TOKEN").value_or("");
  }
  if (!found.access_key_id.empty() && !found.secret_access_key.empty()) return found;
  if (!place.credentials_path.empty()) {
    return Fail(Code::kInvalid, place.credentials_path +
                                    " sets no aws_access_key_id and aws_secret_access_key in a "
                                    "section [default]");
  }
  return Fail(Code::kInvalid,
              "there are no credentials for S3: name a file of mode 0600 with "
              "&credentials=/path, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
}

}  // namespace

Result<std::unique_ptr<Repository>> OpenRepository(const std::string& place,
                                                   const Environment& environment,
                                                   system::Disk& disk, system::Entropy& entropy) {
  TRY_ASSIGN(const Place parsed, ParsePlace(place));
  if (const auto* directory = std::get_if<DirectoryPlace>(&parsed)) {
    return DirectoryRepository::Open(directory->path, entropy);
  }
  const auto& s3 = std::get<S3Place>(parsed);
  TRY_ASSIGN(S3Credentials credentials, FindCredentials(s3, environment, disk));
  return std::make_unique<S3Repository>(S3Settings{.bucket = s3.bucket,
                                                   .prefix = s3.prefix,
                                                   .region = s3.region,
                                                   .endpoint = s3.endpoint,
                                                   .path_style = s3.path_style,
                                                   .credentials = std::move(credentials)},
                                        entropy);
}

}  // namespace howdah::repository
