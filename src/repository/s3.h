// A repository in a bucket of S3, or of a server that speaks as S3 does. Every request is signed
// (SigV4) and bounded in time; what may pass by itself is tried again, a few times, after a growing
// and random while.
//
// An object is put with "If-None-Match: *". S3 itself is trusted to keep that; of another server it
// is asked first whether there is such an object, for some ignore the condition: then two writers
// of one name at the same moment are not told apart. (No two writers of Howdah's share a name.)
#pragma once

#include <atomic>
#include <functional>

#include "repository/http_exchange.h"
#include "repository/repository.h"
#include "system/entropy.h"

namespace howdah::repository {

struct S3Settings {
  std::string bucket;
  std::string prefix;       // "", or a name that all objects are below: "howdah/prod"
  std::string region;       // "eu-central-1"
  std::string endpoint;     // "http://127.0.0.1:9000"; "" for AWS
  bool path_style = false;  // https://endpoint/bucket/name instead of https://bucket.endpoint/name
  S3Credentials credentials;
  HttpLimits limits;
  int attempts = 4;
  Duration first_pause = 200ms;  // doubled each time
};

class S3Repository : public Repository {
 public:
  using Pause = std::function<void(Duration)>;

  // No request is made. The entropy outlives the repository.
  S3Repository(S3Settings settings, system::Entropy& entropy, Pause pause = {});

  Result<> Put(const std::string& name, std::string_view bytes) override;
  Result<std::string> Get(const std::string& name) override;
  Result<std::string> GetRange(const std::string& name, std::uint64_t offset,
                               std::size_t size) override;
  Result<std::vector<ObjectInfo>> List(const std::string& prefix) override;
  Result<std::vector<std::string>> ListSegments(const std::string& prefix) override;
  Result<> Delete(const std::string& name) override;
  Result<std::optional<system::SpaceInfo>> Space() override { return std::nullopt; }
  std::string Place() const override;

 private:
  std::string UrlOf(std::string_view name) const;
  // The answer, whatever its status; tried again where that may help.
  Result<HttpAnswer> Send(const HttpRequest& request);
  std::unexpected<Error> FailAnswer(const HttpAnswer& answer, std::string_view doing) const;
  Result<bool> Exists(const std::string& name);
  Result<> Compare(const std::string& name, std::string_view bytes);
  using OnPage = std::function<void(struct ListingPage&)>;
  Result<> ForEachPage(const std::string& prefix, bool segments, const OnPage& on_page);

  const S3Settings settings_;
  const std::string base_url_;  // ends with "/"
  system::Entropy& entropy_;
  const Pause pause_;
  std::atomic<bool> asks_first_;
  std::atomic<bool> conditional_ = true;  // until the server says that it does not know conditions
  HttpExchange http_;
};

}  // namespace howdah::repository
