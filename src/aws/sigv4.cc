// The canonical request, the string to sign and the derived key, for both directions.
#include "aws/sigv4.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <charconv>
#include <vector>

#include "aws/scalar.h"

namespace howdah::aws {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr std::size_t kMaxSignedHeaders = 100;
constexpr std::int64_t kMaxExpirySeconds = 7 * 24 * 3600;

std::string Hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    out += kDigits[static_cast<unsigned char>(c) >> 4];
    out += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

std::string Sha256(std::string_view data) {
  std::string digest(32, '\0');
  unsigned int length = 0;
  EVP_Digest(data.data(), data.size(), reinterpret_cast<unsigned char*>(digest.data()), &length,
             EVP_sha256(), nullptr);
  return digest;
}

std::string Hmac(std::string_view key, std::string_view data) {
  std::string digest(32, '\0');
  unsigned int length = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(data.data()), data.size(),
       reinterpret_cast<unsigned char*>(digest.data()), &length);
  return digest;
}

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0;;) {
    const std::size_t end = text.find(separator, begin);
    parts.push_back(text.substr(begin, end == text.npos ? end : end - begin));
    if (end == text.npos) return parts;
    begin = end + 1;
  }
}

std::string_view Trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// Runs of blanks count as one.
std::string Squeeze(std::string_view text) {
  std::string out;
  for (const char c : Trim(text)) {
    if (c == ' ' && !out.empty() && out.back() == ' ') continue;
    out += c;
  }
  return out;
}

std::string Lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

// Everything that a signature says about itself, wherever it stood.
struct Signature {
  Signer signer;
  std::string date;            // of the scope: 20261123
  std::string time;            // 20261123T094600Z
  std::string signed_headers;  // "host;x-amz-date", as sent
  std::string hex;
  std::string token;                      // of temporary credentials
  std::optional<std::int64_t> expires_s;  // of a presigned URL

  std::string Scope() const {
    return fmt::format("{}/{}/{}/aws4_request", date, signer.region, signer.service);
  }
};

using Parameters = std::vector<std::pair<std::string, std::string>>;

// The query's parameters, decoded. A '+' is a plus here: SigV4 knows only %20 for a space, and
// clients that mean a space send that.
std::optional<Parameters> QueryParameters(std::string_view query) {
  Parameters parameters;
  for (const std::string_view pair : Split(query, '&')) {
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const auto decode = [](std::string_view text) {
      std::string plain(text);
      for (std::size_t at = 0; (at = plain.find('+', at)) != plain.npos;)
        plain.replace(at, 1, "%2B");
      return FormDecode(plain);
    };
    const Result<std::string> name = decode(pair.substr(0, equals));
    const Result<std::string> value = decode(pair.substr(std::min(equals + 1, pair.size())));
    if (!name || !value) return std::nullopt;
    parameters.emplace_back(*name, *value);
  }
  return parameters;
}

std::string CanonicalQuery(const Parameters& parameters) {
  Parameters encoded;
  for (const auto& [name, value] : parameters) {
    if (name == "X-Amz-Signature") continue;
    encoded.emplace_back(PercentEncode(name), PercentEncode(value));
  }
  std::ranges::sort(encoded);
  std::string out;
  for (const auto& [name, value] : encoded) {
    out += fmt::format("{}{}={}", out.empty() ? "" : "&", name, value);
  }
  return out;
}

// "/" for an empty path; every byte but '/' and the unreserved encoded once more, as every service
// but S3 does. Our endpoint's path is "/" for all of them.
std::string CanonicalPath(std::string_view path) {
  return path.empty() ? "/" : PercentEncode(path, true);
}

std::string CanonicalHeaders(const http::Request& request,
                             const std::vector<std::string_view>& names) {
  std::string out;
  for (const std::string_view name : names) {
    out += name;
    out += ':';
    bool first = true;
    for (const std::string_view value : request.headers.FindAll(name)) {
      if (!first) out += ',';
      out += Squeeze(value);
      first = false;
    }
    out += '\n';
  }
  return out;
}

std::string CanonicalRequest(const http::Request& request, const Parameters& parameters,
                             std::string_view signed_headers, std::string_view payload_hash) {
  return fmt::format("{}\n{}\n{}\n{}\n{}\n{}", request.method,
                     CanonicalPath(http::PathOf(request.target)), CanonicalQuery(parameters),
                     CanonicalHeaders(request, Split(signed_headers, ';')), signed_headers,
                     payload_hash);
}

std::string ComputeSignature(const Signature& signature, std::string_view secret,
                             std::string_view canonical_request) {
  const std::string text = fmt::format("{}\n{}\n{}\n{}", kAlgorithm, signature.time,
                                       signature.Scope(), Hex(Sha256(canonical_request)));
  std::string key = "AWS4";
  key += secret;
  for (const std::string_view part :
       {std::string_view(signature.date), std::string_view(signature.signer.region),
        std::string_view(signature.signer.service), std::string_view("aws4_request")}) {
    std::string next = Hmac(key, part);
    OPENSSL_cleanse(key.data(), key.size());
    key = std::move(next);
  }
  std::string hex = Hex(Hmac(key, text));
  OPENSSL_cleanse(key.data(), key.size());
  return hex;
}

std::unexpected<Fault> Incomplete(std::string message) {
  return Refuse("IncompleteSignature", std::move(message), 400);
}

std::unexpected<Fault> Mismatch(std::string message) {
  return Refuse("SignatureDoesNotMatch", std::move(message), 403);
}

// "AKID/20261123/us-west-2/rds/aws4_request"
bool ReadCredential(std::string_view credential, Signature& to) {
  const auto parts = Split(credential, '/');
  if (parts.size() != 5 || parts[4] != "aws4_request") return false;
  to.signer = {std::string(parts[0]), std::string(parts[2]), std::string(parts[3])};
  to.date = parts[1];
  return std::ranges::none_of(parts, [](std::string_view part) { return part.empty(); });
}

Outcome<Signature> ReadHeaderSignature(const http::Request& request, std::string_view header) {
  Signature signature;
  if (header.substr(0, header.find(' ')) != kAlgorithm) {
    return Incomplete("Unsupported authorization algorithm: AWS4-HMAC-SHA256 is required.");
  }
  for (std::string_view field : Split(header.substr(kAlgorithm.size()), ',')) {
    field = Trim(field);
    const std::size_t equals = std::min(field.find('='), field.size());
    const std::string_view name = field.substr(0, equals);
    const std::string_view value = field.substr(std::min(equals + 1, field.size()));
    if (name == "Credential" && !ReadCredential(value, signature)) {
      return Incomplete("Credential must be a key id and a scope of date, region and service.");
    }
    if (name == "SignedHeaders") signature.signed_headers = value;
    if (name == "Signature") signature.hex = value;
  }
  signature.time = request.headers.Find("X-Amz-Date").value_or("");
  signature.token = request.headers.Find("X-Amz-Security-Token").value_or("");
  return signature;
}

Outcome<Signature> ReadQuerySignature(const Parameters& parameters) {
  Signature signature;
  for (const auto& [name, value] : parameters) {
    if (name == "X-Amz-Algorithm" && value != kAlgorithm) {
      return Incomplete("X-Amz-Algorithm must be AWS4-HMAC-SHA256.");
    }
    if (name == "X-Amz-Credential" && !ReadCredential(value, signature)) {
      return Incomplete("X-Amz-Credential must be a key id and a scope.");
    }
    if (name == "X-Amz-Date") signature.time = value;
    if (name == "X-Amz-SignedHeaders") signature.signed_headers = value;
    if (name == "X-Amz-Signature") signature.hex = value;
    if (name == "X-Amz-Security-Token") signature.token = value;
    if (name == "X-Amz-Expires") {
      std::int64_t seconds = -1;
      const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), seconds);
      if (error != std::errc() || end != value.data() + value.size() || seconds < 1 ||
          seconds > kMaxExpirySeconds) {
        return Incomplete("X-Amz-Expires must be between 1 and 604800 seconds.");
      }
      signature.expires_s = seconds;
    }
  }
  if (!signature.expires_s) return Incomplete("X-Amz-Expires is missing.");
  return signature;
}

Outcome<Signature> ReadSignature(const http::Request& request, const Parameters& parameters) {
  const bool presigned =
      std::ranges::any_of(parameters, [](const auto& p) { return p.first == "X-Amz-Signature"; });
  if (const auto header = request.headers.Find("Authorization")) {
    if (presigned) return Incomplete("Only one of Authorization and X-Amz-Signature is allowed.");
    return ReadHeaderSignature(request, *header);
  }
  if (presigned) return ReadQuerySignature(parameters);
  return Refuse("MissingAuthenticationToken", "Request is missing Authentication Token", 403);
}

// What every signature needs, before any secret is looked up.
Outcome<void> CheckForm(const Signature& signature) {
  if (signature.signer.access_key_id.empty()) {
    return Incomplete("Authorization header requires 'Credential' parameter.");
  }
  if (signature.hex.empty()) {
    return Incomplete("Authorization header requires 'Signature' parameter.");
  }
  if (signature.signed_headers.empty()) {
    return Incomplete("Authorization header requires 'SignedHeaders' parameter.");
  }
  if (signature.time.empty()) {
    return Incomplete("Authorization header requires existence of a 'X-Amz-Date' header.");
  }
  if (signature.date.size() != 8 || !signature.time.starts_with(signature.date)) {
    return Mismatch(
        fmt::format("Date in Credential scope does not match YYYYMMDD from ISO-8601 "
                    "version of date from HTTP: '{}' != '{}', from '{}'.",
                    signature.date, signature.time.substr(0, 8), signature.time));
  }
  return {};
}

// A header that says what the request is stands there once and is signed: else whoever carries the
// request could change it.
Outcome<void> CheckHeaders(const http::Request& request, const Signature& signature) {
  const auto names = Split(signature.signed_headers, ';');
  if (names.size() > kMaxSignedHeaders || !std::ranges::is_sorted(names)) {
    return Incomplete("SignedHeaders must be sorted names.");
  }
  if (std::ranges::find(names, "host") == names.end()) {
    return Mismatch("'Host' must be a 'SignedHeader' in the AWS Authorization.");
  }
  for (const auto& field : request.headers) {
    const std::string name = Lower(field.first);
    const bool amazon = name.starts_with("x-amz-");
    if (amazon && !std::ranges::binary_search(names, name)) {
      return Mismatch(
          fmt::format("'{}' must be a 'SignedHeader' in the AWS Authorization.", field.first));
    }
    if ((amazon || name == "host" || name == "authorization") &&
        request.headers.FindAll(name).size() > 1) {
      return Incomplete(fmt::format("The header '{}' is given more than once.", field.first));
    }
  }
  return {};
}

Outcome<void> CheckTime(const Signature& signature, WallTime now) {
  const Result<WallTime> time = ParseIso8601(signature.time);
  if (!time) return Incomplete("X-Amz-Date must be in the form 20260101T000000Z.");
  if (*time > now + kMaxSkew) {
    return Mismatch(fmt::format("Signature not yet current: {} is still later than {} (5 min.)",
                                signature.time, FormatBasicIso8601(now + kMaxSkew)));
  }
  const Duration life = signature.expires_s ? std::chrono::seconds(*signature.expires_s) : kMaxSkew;
  if (*time + life >= now) return {};
  if (signature.expires_s) return Refuse("RequestExpired", "Request has expired.", 400);
  return Refuse("RequestExpired",
                fmt::format("Signature expired: {} is now earlier than {} (5 min.)", signature.time,
                            FormatBasicIso8601(now - kMaxSkew)),
                400);
}

// The hash that goes into the canonical request. We hash the body ourselves; what the sender says
// about it must agree. UNSIGNED-PAYLOAD never does: on AWS, only S3 takes it.
Outcome<std::string> PayloadHash(const http::Request& request, const Parameters& parameters,
                                 bool presigned) {
  std::string own = Hex(Sha256(request.body));
  std::string said(request.headers.Find("X-Amz-Content-Sha256").value_or(""));
  for (const auto& [name, value] : parameters) {
    if (presigned && name == "X-Amz-Content-Sha256") said = value;
  }
  if (said.empty() || said == own) return own;
  return Mismatch("The body does not have the SHA-256 that X-Amz-Content-Sha256 says.");
}

std::unexpected<Fault> InvalidToken() {
  return Refuse("InvalidClientTokenId", "The security token included in the request is invalid.",
                403);
}

}  // namespace

std::optional<Signer> ClaimedSigner(const http::Request& request) {
  const auto parameters = QueryParameters(http::QueryOf(request.target));
  if (!parameters) return std::nullopt;
  const Outcome<Signature> signature = ReadSignature(request, *parameters);
  if (!signature || signature->signer.service.empty()) return std::nullopt;
  return signature->signer;
}

Outcome<Signer> Verify(const http::Request& request, const Credentials& credentials, WallTime now) {
  const auto parameters = QueryParameters(http::QueryOf(request.target));
  if (!parameters) return Incomplete("The query string has a broken escape.");
  OUTCOME_ASSIGN(const Signature signature, ReadSignature(request, *parameters));
  OUTCOME_TRY(CheckForm(signature));
  OUTCOME_TRY(CheckHeaders(request, signature));
  OUTCOME_TRY(CheckTime(signature, now));
  const auto secret = credentials.FindSecret(signature.signer.access_key_id);
  // No temporary credentials are given out, so no token is one of ours.
  if (!secret || !signature.token.empty()) return InvalidToken();
  OUTCOME_ASSIGN(const std::string payload,
                 PayloadHash(request, *parameters, signature.expires_s.has_value()));
  const std::string expected =
      ComputeSignature(signature, *secret,
                       CanonicalRequest(request, *parameters, signature.signed_headers, payload));
  if (expected.size() != signature.hex.size() ||
      CRYPTO_memcmp(expected.data(), signature.hex.data(), expected.size()) != 0) {
    return Mismatch(
        "The request signature we calculated does not match the signature you provided. Check your "
        "AWS Secret Access Key and signing method.");
  }
  return signature.signer;
}

void Sign(http::Request& request, const SigningKey& key, WallTime now) {
  Signature signature;
  signature.signer = {key.access_key_id, key.region, key.service};
  signature.time = FormatBasicIso8601(now);
  signature.date = signature.time.substr(0, 8);
  request.headers.Set("X-Amz-Date", signature.time);
  std::vector<std::string> names;
  for (const auto& field : request.headers) names.push_back(Lower(field.first));
  std::ranges::sort(names);
  names.erase(std::ranges::unique(names).begin(), names.end());
  for (const std::string& name : names) {
    signature.signed_headers += (signature.signed_headers.empty() ? "" : ";") + name;
  }
  const Parameters parameters =
      QueryParameters(http::QueryOf(request.target)).value_or(Parameters());
  const std::string hex = ComputeSignature(
      signature, key.secret_access_key,
      CanonicalRequest(request, parameters, signature.signed_headers, Hex(Sha256(request.body))));
  request.headers.Set(
      "Authorization",
      fmt::format("{} Credential={}/{}, SignedHeaders={}, Signature={}", kAlgorithm,
                  key.access_key_id, signature.Scope(), signature.signed_headers, hex));
}

std::string Presign(std::string_view method, std::string_view host, std::string_view target,
                    const SigningKey& key, WallTime now, std::chrono::seconds expires) {
  Signature signature;
  signature.signer = {key.access_key_id, key.region, key.service};
  signature.time = FormatBasicIso8601(now);
  signature.date = signature.time.substr(0, 8);
  signature.signed_headers = "host";
  Parameters parameters = QueryParameters(http::QueryOf(target)).value_or(Parameters());
  parameters.emplace_back("X-Amz-Algorithm", kAlgorithm);
  parameters.emplace_back("X-Amz-Credential", key.access_key_id + "/" + signature.Scope());
  parameters.emplace_back("X-Amz-Date", signature.time);
  parameters.emplace_back("X-Amz-Expires", fmt::format("{}", expires.count()));
  parameters.emplace_back("X-Amz-SignedHeaders", "host");
  http::Request request{.method = std::string(method), .target = std::string(http::PathOf(target))};
  request.headers.Add("Host", std::string(host));
  const std::string hex =
      ComputeSignature(signature, key.secret_access_key,
                       CanonicalRequest(request, parameters, "host", Hex(Sha256(""))));
  return fmt::format("{}?{}&X-Amz-Signature={}", request.target, CanonicalQuery(parameters), hex);
}

}  // namespace howdah::aws
