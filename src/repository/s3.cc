// See s3.h.
#include "repository/s3.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "repository/names.h"
#include "repository/s3_answers.h"

namespace howdah::repository {

namespace {

constexpr std::uint64_t kMostAnswerBytes = 16 << 20;  // of a listing, or a fault
constexpr int kMostRounds = 4;  // of putting, where others put and delete the same name meanwhile

// As SigV4 wants it.
std::string Escape(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    escaped += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return escaped;
}

std::string HostOfAws(const std::string& region) {
  return "s3." + region + (region.starts_with("cn-") ? ".amazonaws.com.cn" : ".amazonaws.com");
}

std::string BaseUrl(const S3Settings& settings) {
  std::string endpoint =
      settings.endpoint.empty() ? "https://" + HostOfAws(settings.region) : settings.endpoint;
  if (settings.path_style) {
    endpoint += "/" + settings.bucket;
  } else {
    endpoint.insert(endpoint.find("://") + 3, settings.bucket + ".");
  }
  return endpoint + "/" + (settings.prefix.empty() ? "" : settings.prefix + "/");
}

// What may pass by itself. 409: two conditional requests met.
bool MayPass(const HttpAnswer& answer) {
  for (const long status : {408, 409, 429, 500, 502, 503, 504}) {
    if (answer.status == status) return true;
  }
  return answer.status == 400 && ParseFault(answer.body).code == "RequestTimeout";
}

bool Succeeded(const HttpAnswer& answer) {
  return answer.status >= 200 && answer.status < 300;
}

Code CodeOf(const HttpAnswer& answer, const S3Fault& fault) {
  if (fault.code == "NoSuchBucket") return Code::kUnavailable;
  if (fault.code == "InvalidObjectState") return Code::kUnavailable;  // moved to a cold archive
  if (answer.status == 404) return Code::kNotFound;
  if (answer.status == 401 || answer.status == 403) return Code::kPermission;
  if (answer.status == 416) return Code::kCorrupt;
  if (answer.status == 507 || MayPass(answer)) return Code::kUnavailable;
  return Code::kInternal;
}

}  // namespace

S3Repository::S3Repository(S3Settings settings, system::Entropy& entropy, Pause pause)
    : settings_(std::move(settings)),
      base_url_(BaseUrl(settings_)),
      entropy_(entropy),
      pause_(pause ? std::move(pause) : [](Duration time) { std::this_thread::sleep_for(time); }),
      asks_first_(!settings_.endpoint.empty()),
      http_(settings_.region, settings_.credentials, settings_.limits) {}

std::string S3Repository::Place() const {
  return "s3://" + settings_.bucket + (settings_.prefix.empty() ? "" : "/" + settings_.prefix);
}

std::string S3Repository::UrlOf(std::string_view name) const {
  return base_url_ + std::string(name);
}

Result<HttpAnswer> S3Repository::Send(const HttpRequest& request) {
  Duration pause = settings_.first_pause;
  for (int attempt = 1;; ++attempt, pause *= 2) {
    Result<HttpAnswer> answer = http_.Send(request);
    const bool again = answer ? MayPass(*answer) : answer.error().code() == Code::kUnavailable;
    if (!again || attempt >= settings_.attempts) return answer;
    std::uint16_t random = 0;
    entropy_.Fill(std::as_writable_bytes(std::span(&random, 1)));
    pause_(pause / 2 + pause * random / 65536);  // half to one and a half
  }
}

std::unexpected<Error> S3Repository::FailAnswer(const HttpAnswer& answer,
                                                std::string_view doing) const {
  const S3Fault fault = ParseFault(answer.body);
  std::string what = fmt::format("{} in {}: the S3 server says {}{}{}", doing, Place(),
                                 answer.status, fault.code.empty() ? "" : " " + fault.code,
                                 fault.message.empty() ? "" : ": " + fault.message);
  if (!answer.bucket_region.empty() && answer.bucket_region != settings_.region) {
    what += fmt::format(" (the bucket is in region {}, not {})", answer.bucket_region,
                        settings_.region);
  }
  return Fail(CodeOf(answer, fault), std::move(what));
}

// --- objects ---

// Asks for one byte: an answer to HEAD would not say what is wrong.
Result<bool> S3Repository::Exists(const std::string& name) {
  TRY_ASSIGN(
      const HttpAnswer answer,
      Send({.method = "GET", .url = UrlOf(name), .range = "0-0", .most_bytes = kMostAnswerBytes}));
  if (Succeeded(answer) || answer.status == 416) return true;  // 416: it is empty
  const auto failed = FailAnswer(answer, "looking for " + name);
  if (failed.error().code() == Code::kNotFound) return false;
  return failed;
}

// kNotFound where it has gone meanwhile.
Result<> S3Repository::Compare(const std::string& name, std::string_view bytes) {
  TRY_ASSIGN(const HttpAnswer answer, Send({.method = "HEAD", .url = UrlOf(name)}));
  if (!Succeeded(answer)) return FailAnswer(answer, "looking at " + name);
  bool same = answer.length == bytes.size();
  if (same) {
    TRY_ASSIGN(const std::string there, Get(name));
    same = there == bytes;
  }
  if (!same) return Fail(Code::kAlreadyExists, "there is another object " + name);
  return {};
}

Result<> S3Repository::Put(const std::string& name, std::string_view bytes) {
  TRY(CheckName(name));
  if (bytes.size() > kMostObjectBytes) return Fail(Code::kInvalid, name + " is too large");
  for (int round = 0; round < kMostRounds; ++round) {
    bool there = false;
    if (asks_first_) {
      TRY_ASSIGN(there, Exists(name));
    }
    if (!there) {
      HttpRequest request{.method = "PUT", .url = UrlOf(name), .body = bytes};
      request.most_bytes = kMostAnswerBytes;
      const bool conditional = conditional_;
      if (conditional) request.headers.emplace_back("if-none-match: *");
      TRY_ASSIGN(const HttpAnswer answer, Send(request));
      if (Succeeded(answer)) return {};
      if (answer.status == 501 && conditional) {
        conditional_ = false;
        asks_first_ = true;
        continue;
      }
      if (answer.status != 412 && answer.status != 304) {
        return FailAnswer(answer, "putting " + name);
      }
    }
    const Result<> compared = Compare(name, bytes);
    if (compared || compared.error().code() != Code::kNotFound) return compared;
  }
  return Fail(Code::kUnavailable, name + " comes and goes while it is put");
}

Result<std::string> S3Repository::Get(const std::string& name) {
  TRY(CheckName(name));
  TRY_ASSIGN(HttpAnswer answer,
             Send({.method = "GET", .url = UrlOf(name), .most_bytes = kMostObjectBytes}));
  if (!Succeeded(answer)) return FailAnswer(answer, "getting " + name);
  return std::move(answer.body);
}

Result<std::string> S3Repository::GetRange(const std::string& name, std::uint64_t offset,
                                           std::size_t size) {
  TRY(CheckName(name));
  if (size == 0) {  // there is no range of nothing
    TRY_ASSIGN(const bool there, Exists(name));
    if (there) return std::string();
    return Fail(Code::kNotFound, "there is no object " + name);
  }
  TRY_ASSIGN(HttpAnswer answer, Send({.method = "GET",
                                      .url = UrlOf(name),
                                      .range = fmt::format("{}-{}", offset, offset + size - 1),
                                      .most_bytes = std::max(size, kMostAnswerBytes)}));
  if (!Succeeded(answer)) return FailAnswer(answer, "getting a part of " + name);
  if (answer.status != 206) {
    return Fail(Code::kUnsupported, Place() + ": this S3 server does not know ranges");
  }
  if (answer.body.size() == size) return std::move(answer.body);
  return Fail(Code::kCorrupt, fmt::format("object {} is too short: {} bytes from {} instead of {}",
                                          name, answer.body.size(), offset, size));
}

Result<> S3Repository::Delete(const std::string& name) {
  TRY(CheckName(name));
  TRY_ASSIGN(const HttpAnswer answer,
             Send({.method = "DELETE", .url = UrlOf(name), .most_bytes = kMostAnswerBytes}));
  const bool gone = answer.status == 404 && ParseFault(answer.body).code != "NoSuchBucket";
  if (!Succeeded(answer) && !gone) return FailAnswer(answer, "deleting " + name);
  return {};
}

// --- listings ---

// Names only grow from page to page: a server that repeats itself is not followed for ever.
Result<> S3Repository::ForEachPage(const std::string& prefix, bool segments,
                                   const OnPage& on_page) {
  const std::string below = settings_.prefix.empty() ? "" : settings_.prefix + "/";
  const std::string bucket_url = base_url_.substr(0, base_url_.size() - below.size());
  std::string token;
  do {
    std::string query = "?";
    if (!token.empty()) query += "continuation-token=" + Escape(token) + "&";
    if (segments) query += "delimiter=%2F&";
    query += "list-type=2&prefix=" + Escape(below + prefix);
    TRY_ASSIGN(const HttpAnswer answer,
               Send({.method = "GET", .url = bucket_url + query, .most_bytes = kMostAnswerBytes}));
    if (!Succeeded(answer)) {
      const auto failed = FailAnswer(answer, "listing " + prefix);
      // A listing of nothing is empty; what is not found is the bucket.
      if (failed.error().code() != Code::kNotFound) return failed;
      return Fail(Code::kUnavailable, failed.error().what());
    }
    TRY_ASSIGN(ListingPage page, ParseListing(answer.body));
    if (!page.next.empty() && page.next == token) {
      return Fail(Code::kCorrupt, Place() + ": the S3 server's listing does not end");
    }
    for (ObjectInfo& object : page.objects) {
      object.name.erase(0, object.name.starts_with(below) ? below.size() : object.name.size());
    }
    for (std::string& segment : page.common_prefixes) {
      segment.erase(0, segment.starts_with(below) ? below.size() : segment.size());
    }
    token = page.next;
    on_page(page);
  } while (!token.empty());
  return {};
}

Result<std::vector<ObjectInfo>> S3Repository::List(const std::string& prefix) {
  TRY(CheckPrefix(prefix));
  std::vector<ObjectInfo> found;
  TRY(ForEachPage(prefix, false, [&](ListingPage& page) {
    for (ObjectInfo& object : page.objects) {
      const bool ours = object.name.starts_with(prefix) && IsName(object.name);
      if (ours) found.push_back(std::move(object));
    }
  }));
  std::ranges::sort(found, {}, &ObjectInfo::name);
  return found;
}

Result<std::vector<std::string>> S3Repository::ListSegments(const std::string& prefix) {
  TRY(CheckSegmentsPrefix(prefix));
  std::vector<std::string> segments;
  const auto add = [&](std::string_view name) {
    if (!name.starts_with(prefix)) return;
    name.remove_prefix(prefix.size());
    if (name.ends_with('/')) name.remove_suffix(1);
    if (IsSegment(name)) segments.emplace_back(name);
  };
  TRY(ForEachPage(prefix, true, [&](ListingPage& page) {
    for (const ObjectInfo& object : page.objects) add(object.name);
    for (const std::string& common : page.common_prefixes) add(common);
  }));
  std::ranges::sort(segments);
  segments.erase(std::ranges::unique(segments).begin(), segments.end());
  return segments;
}

}  // namespace howdah::repository
