// See place.h.
#include "repository/place.h"

#include <algorithm>

#include "repository/names.h"

namespace howdah::repository {

namespace {

constexpr std::string_view kScheme = "s3://";
constexpr std::size_t kMostPrefixBytes = 100;  // with a name's 900, S3's 1024 hold both

std::unexpected<Error> Bad(std::string_view text, std::string_view what) {
  return Fail(Code::kInvalid, "repository '" + std::string(text) + "': " + std::string(what));
}

bool AllOf(std::string_view text, std::string_view extra) {
  return std::ranges::all_of(text, [extra](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || extra.contains(c);
  });
}

bool IsBucket(std::string_view bucket) {
  return bucket.size() >= 3 && bucket.size() <= 63 && AllOf(bucket, ".-") &&
         AllOf(bucket.substr(0, 1), "") && AllOf(bucket.substr(bucket.size() - 1), "") &&
         !bucket.contains("..");
}

bool IsEndpoint(std::string_view endpoint) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!endpoint.starts_with(scheme)) continue;
    endpoint.remove_prefix(scheme.size());
    return !endpoint.empty() && AllOf(endpoint, ".-:[]ABCDEFGHIJKLMNOPQRSTUVWXYZ");
  }
  return false;
}

Result<DirectoryPlace> ParseDirectory(std::string_view text) {
  std::string path(text);
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  const bool steps_up = (path + "/").contains("/../");
  if (path == "/" || steps_up || path.contains('\0')) {
    return Bad(text, "name a directory of its own, for example /var/backups/howdah");
  }
  return DirectoryPlace{.path = path};
}

// One "name=value" of the query.
Result<> TakeParameter(std::string_view text, std::string_view parameter, S3Place& place) {
  const std::size_t equals = parameter.find('=');
  const std::string_view name = parameter.substr(0, equals);
  const std::string value(equals == parameter.npos ? "" : parameter.substr(equals + 1));
  if (name == "region") {
    if (value.empty() || !AllOf(value, "-")) return Bad(text, "a region is like eu-central-1");
    place.region = value;
  } else if (name == "endpoint") {
    place.endpoint = value.ends_with('/') ? value.substr(0, value.size() - 1) : value;
    if (!IsEndpoint(place.endpoint)) {
      return Bad(text, "an endpoint is like https://s3.example.org:9000, without a path");
    }
  } else if (name == "credentials") {
    if (!value.starts_with('/')) return Bad(text, "credentials is the absolute path of a file");
    place.credentials_path = value;
  } else if (name == "style") {
    if (value != "path" && value != "virtual") return Bad(text, "style is path or virtual");
    place.path_style = value == "path";
  } else {
    return Bad(text, "'" + std::string(name) +
                         "' is not known: there are region, endpoint, credentials (a file of mode "
                         "0600) and style (path or virtual); keys do not belong here");
  }
  return {};
}

Result<S3Place> ParseS3(std::string_view text) {
  S3Place place;
  std::string_view rest = text.substr(kScheme.size());
  std::string_view query = rest.substr(std::min(rest.find('?'), rest.size()));
  rest.remove_suffix(query.size());
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  place.bucket = rest.substr(0, slash);
  place.prefix = rest.substr(std::min(slash + 1, rest.size()));
  if (place.prefix.ends_with('/')) place.prefix.pop_back();
  if (!IsBucket(place.bucket)) return Bad(text, "it begins with s3:// and the name of a bucket");
  if (!place.prefix.empty() && (!IsName(place.prefix) || place.prefix.size() > kMostPrefixBytes)) {
    return Bad(text, "a prefix has segments of letters, digits, '.', '_' and '-', 100 in all");
  }
  // Where the bucket is part of the host's name, a dot in it fits no certificate.
  place.path_style = query.contains("endpoint=") || place.bucket.contains('.');
  while (!query.empty()) {
    query.remove_prefix(1);  // '?' or '&'
    const std::string_view parameter = query.substr(0, query.find('&'));
    query.remove_prefix(parameter.size());
    TRY(TakeParameter(text, parameter, place));
  }
  if (place.region.empty() && place.endpoint.empty()) {
    return Bad(text, "it does not say where the bucket is: add ?region=…");
  }
  if (place.region.empty()) place.region = "us-east-1";  // what most other servers expect
  return place;
}

}  // namespace

Result<Place> ParsePlace(std::string_view text) {
  if (text.starts_with('/')) {
    TRY_ASSIGN(DirectoryPlace place, ParseDirectory(text));
    return place;
  }
  if (text.starts_with(kScheme)) {
    TRY_ASSIGN(S3Place place, ParseS3(text));
    return place;
  }
  return Bad(text,
             "it is the absolute path of a directory, or s3://bucket/prefix?region=…; see "
             "docs/formats/repository.md");
}

}  // namespace howdah::repository
