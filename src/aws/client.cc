// Encodes, signs, sends, and reads the answer or the fault.
#include "aws/client.h"

#include <fmt/format.h>

#include "aws/query.h"
#include "aws/shape_json.h"
#include "aws/shape_xml.h"
#include "aws/sigv4.h"
#include "base/json.h"
#include "http/client.h"

namespace howdah::aws {
namespace {

http::Request BuildRequest(const ServiceDesc& service, const OperationDesc& operation,
                           const void* input) {
  http::Request request{.method = "POST", .target = "/"};
  if (service.protocol == Protocol::kJson) {
    request.headers.Add("Content-Type",
                        "application/x-amz-json-" + std::string(service.json_version));
    request.headers.Add("X-Amz-Target",
                        fmt::format("{}.{}", service.target_prefix, operation.name));
    request.body = EncodeJson(operation.input, input, Lists::kPresent);
  } else {
    request.headers.Add("Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
    request.body = EncodeQuery(service, operation, input);
  }
  return request;
}

std::unexpected<Fault> NotUnderstood(int status) {
  return Refuse(Fault{"InvalidResponse", status,
                      fmt::format("The server's answer (HTTP {}) was not understood.", status),
                      false});
}

Fault ReadJsonFault(const http::Response& response) {
  const Result<json::object> body = ParseJsonObject(response.body);
  if (!body || JsonString(*body, "__type").empty()) return NotUnderstood(response.status).error();
  std::string code = JsonString(*body, "__type");
  code = code.substr(code.rfind('#') + 1);
  return {code, response.status, JsonString(*body, "message", JsonString(*body, "Message")),
          response.status < 500};
}

Fault ReadXmlFault(const http::Response& response) {
  const Result<XmlNode> root = ParseXml(response.body);
  if (!root) return NotUnderstood(response.status).error();
  const XmlNode* errors = root->Child("Errors");
  const XmlNode* error = errors ? errors->Child("Error") : root->Child("Error");
  const XmlNode* code = error ? error->Child("Code") : nullptr;
  const XmlNode* message = error ? error->Child("Message") : nullptr;
  if (!code) return NotUnderstood(response.status).error();
  return {code->text, response.status, message ? message->text : "", response.status < 500};
}

Outcome<void> ReadXmlOutput(const ServiceDesc& service, const OperationDesc& operation,
                            const http::Response& response, void* output) {
  if (!operation.output) return {};
  const Result<XmlNode> root = ParseXml(response.body);
  if (!root) return NotUnderstood(response.status);
  const XmlNode* from = &*root;
  if (service.protocol == Protocol::kQuery) {
    from = root->Child(operation.result_wrapper.empty() ? std::string(operation.name) + "Result"
                                                        : std::string(operation.result_wrapper));
  }
  if (!from || !DecodeXml(*from, *operation.output, output)) return NotUnderstood(response.status);
  return {};
}

}  // namespace

Outcome<void> Client::CallErased(const ServiceDesc& service, const OperationDesc& operation,
                                 const void* input, void* output, Duration timeout) const {
  const Result<http::Endpoint> endpoint = http::ParseEndpoint(options_.endpoint);
  if (!endpoint) return Refuse(Fault{"EndpointUnavailable", 0, endpoint.error().what(), true});
  http::Request request = BuildRequest(service, operation, input);
  request.headers.Add("Host", endpoint->Authority());
  Sign(request,
       {options_.access_key_id, options_.secret_access_key, options_.region,
        std::string(service.signing_name)},
       options_.now());
  const Result<http::Response> response = http::Send(*endpoint, std::move(request), timeout);
  if (!response) return Refuse(Fault{"EndpointUnavailable", 0, response.error().what(), false});
  const bool json = service.protocol == Protocol::kJson;
  if (response->status / 100 != 2) {
    return Refuse(json ? ReadJsonFault(*response) : ReadXmlFault(*response));
  }
  if (!json) return ReadXmlOutput(service, operation, *response, output);
  if (!DecodeJson(service, operation.output, response->body, output)) {
    return NotUnderstood(response->status);
  }
  return {};
}

}  // namespace howdah::aws
