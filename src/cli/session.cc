#include "cli/session.h"

#include <fmt/format.h>

#include "http/client.h"

namespace howdah::cli {
namespace {

std::string FirstLine(const std::string& text) {
  return text.substr(0, text.find_first_of("\r\n"));
}

Failure NoDaemon(const Context& context, std::string why) {
  return Failure{.what = "no daemon to speak with",
                 .where = context.home.path(),
                 .why = std::move(why),
                 .help = fmt::format("start one with '{0} serve', or deploy with '{0} up "
                                     "TEMPLATE', which starts it",
                                     context.self)};
}

// A file of the home that only a daemon writes.
std::expected<std::string, Failure> ReadHomeFile(const Context& context, const std::string& path) {
  auto text = context.programs.disk->Read(path);
  if (text) return *std::move(text);
  if (text.error().code() == Code::kNotFound) {
    return Failed(NoDaemon(context, "no daemon has run with this home"));
  }
  return Failed("cannot read " + path, text.error(),
                "run this as the user who owns the home, or choose another with --home");
}

}  // namespace

std::expected<DaemonAddress, Failure> ReadDaemonAddress(const Context& context) {
  CLI_ASSIGN(const std::string endpoint, ReadHomeFile(context, context.home.EndpointPath()));
  CLI_ASSIGN(const std::string credentials, ReadHomeFile(context, context.home.CredentialsPath()));
  auto key = ParseCredentials(credentials);
  if (!key) return Failed("cannot use " + context.home.CredentialsPath(), key.error());
  if (key->region.empty()) key->region = kDefaultRegion;
  return DaemonAddress{.url = FirstLine(endpoint), .key = *std::move(key)};
}

bool IsHealthy(const std::string& url, Duration limit) {
  const auto endpoint = http::ParseEndpoint(url);
  if (!endpoint) return false;
  http::Request request;
  request.target = "/-/health";
  const auto response = http::Send(*endpoint, std::move(request), limit);
  return response && response->status == 200;
}

bool IsNotFound(const aws::Fault& fault) {
  return fault.code.contains("NotFound") || fault.http_status == 404 ||
         fault.message.contains("does not exist");
}

Failure FailureOf(std::string what, const aws::Fault& fault, const Context& context) {
  if (fault.http_status == 0) return NoDaemon(context, fault.message);
  return Failure{.what = std::move(what),
                 .where = "",
                 .why = fmt::format("{}: {}", fault.code, fault.message),
                 .help = "",
                 .exit_code = IsNotFound(fault) ? kExitNotFound : kExitFailed};
}

std::expected<Session, Failure> Session::Open(const Context& context) {
  CLI_ASSIGN(DaemonAddress address, ReadDaemonAddress(context));
  const system::Clock* clock = context.programs.clock;
  auto client = std::make_unique<aws::Client>(aws::Client::Options{
      .endpoint = address.url,
      .region = address.key.region,
      .access_key_id = address.key.access_key_id,
      .secret_access_key = address.key.secret_access_key,
      .now = [clock] { return clock->Now(); },
  });
  return Session(std::move(address.url), std::move(client));
}

}  // namespace howdah::cli
