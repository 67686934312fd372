// The three frames of AWS's answers.
#include "aws/answer.h"

#include <array>

#include "aws/scalar.h"
#include "aws/shape_json.h"
#include "aws/shape_xml.h"
#include "aws/xml.h"
#include "base/json.h"

namespace howdah::aws {
namespace {

struct Translation {
  std::string_view query;
  std::string_view ec2;
  int ec2_status;
  std::string_view json;
};

constexpr std::array<Translation, 5> kAuthentication = {{
    {"InvalidClientTokenId", "AuthFailure", 401, "UnrecognizedClientException"},
    {"SignatureDoesNotMatch", "AuthFailure", 401, "InvalidSignatureException"},
    {"RequestExpired", "RequestExpired", 400, "InvalidSignatureException"},
    {"IncompleteSignature", "IncompleteSignature", 400, "IncompleteSignatureException"},
    {"MissingAuthenticationToken", "MissingAuthenticationToken", 403,
     "MissingAuthenticationTokenException"},
}};

std::string QueryOutput(const ServiceDesc& service, const OperationDesc& operation,
                        const void* output, std::string_view request_id) {
  const std::string root = std::string(operation.name) + "Response";
  XmlWriter writer;
  writer.Open(root, service.xml_namespace);
  if (operation.output) {
    const std::string wrapper = operation.result_wrapper.empty()
                                    ? std::string(operation.name) + "Result"
                                    : std::string(operation.result_wrapper);
    writer.Open(wrapper);
    EncodeXml(writer, *operation.output, output);
    writer.Close(wrapper);
  }
  writer.Open("ResponseMetadata");
  writer.Leaf("RequestId", request_id);
  writer.Close("ResponseMetadata");
  writer.Close(root);
  return writer.Take();
}

std::string Ec2Output(const ServiceDesc& service, const OperationDesc& operation,
                      const void* output, std::string_view request_id) {
  const std::string root = std::string(operation.name) + "Response";
  XmlWriter writer;
  writer.Open(root, service.xml_namespace);
  writer.Leaf("requestId", request_id);
  if (operation.output) {
    EncodeXml(writer, *operation.output, output);
  } else {
    writer.Leaf("return", "true");
  }
  writer.Close(root);
  return writer.Take();
}

std::string QueryFault(std::string_view xml_namespace, const Fault& fault,
                       std::string_view request_id) {
  XmlWriter writer;
  writer.Open("ErrorResponse", xml_namespace);
  writer.Open("Error");
  writer.Leaf("Type", fault.sender ? "Sender" : "Receiver");
  writer.Leaf("Code", fault.code);
  writer.Leaf("Message", fault.message);
  writer.Close("Error");
  writer.Leaf("RequestId", request_id);
  writer.Close("ErrorResponse");
  return writer.Take();
}

std::string Ec2Fault(const Fault& fault, std::string_view request_id) {
  XmlWriter writer;
  writer.Open("Response");
  writer.Open("Errors");
  writer.Open("Error");
  writer.Leaf("Code", fault.code);
  writer.Leaf("Message", fault.message);
  writer.Close("Error");
  writer.Close("Errors");
  writer.Leaf("RequestID", request_id);
  writer.Close("Response");
  return writer.Take();
}

// Headers may hold any byte, and a message may repeat what stood in one.
std::string Utf8Of(std::string text) {
  if (IsUtf8(text)) return text;
  for (char& c : text) {
    if (static_cast<unsigned char>(c) >= 0x80) c = '?';
  }
  return text;
}

// The codes that all of AWS's services have for what never became a request.
std::string_view TransportCode(int status) {
  if (status == 408) return "RequestTimeout";
  if (status == 413) return "RequestEntityTooLarge";
  if (status == 405) return "MethodNotAllowed";
  if (status == 503) return "ServiceUnavailable";
  return "MalformedHttpRequest";
}

}  // namespace

Fault TransportFault(Protocol protocol, int status, std::string reason) {
  std::string code(TransportCode(status));
  if (protocol == Protocol::kJson) code += "Exception";
  return {std::move(code), status, std::move(reason), status < 500};
}

std::string EncodeOutput(const ServiceDesc& service, const OperationDesc& operation,
                         const void* output, std::string_view request_id) {
  switch (service.protocol) {
    case Protocol::kQuery:
      return QueryOutput(service, operation, output, request_id);
    case Protocol::kEc2:
      return Ec2Output(service, operation, output, request_id);
    case Protocol::kJson:
      return operation.output ? EncodeJson(operation.output, output, Lists::kAlways) : "";
  }
  return {};
}

std::string EncodeFault(Protocol protocol, std::string_view xml_namespace, const Fault& fault,
                        std::string_view request_id) {
  const Fault told{fault.code, fault.http_status, Utf8Of(fault.message), fault.sender};
  switch (protocol) {
    case Protocol::kQuery:
      return QueryFault(xml_namespace, told, request_id);
    case Protocol::kEc2:
      return Ec2Fault(told, request_id);
    case Protocol::kJson:
      return json::serialize(json::object{
          {"__type", told.code}, {"message", told.message}, {"Message", told.message}});
  }
  return {};
}

Fault InWordsOf(Protocol protocol, Fault fault) {
  for (const Translation& translation : kAuthentication) {
    if (fault.code != translation.query) continue;
    if (protocol == Protocol::kEc2) {
      fault.code = translation.ec2;
      fault.http_status = translation.ec2_status;
    } else if (protocol == Protocol::kJson) {
      fault.code = translation.json;
      fault.http_status = 400;
    }
    break;
  }
  return fault;
}

std::string_view ContentType(Protocol protocol) {
  return protocol == Protocol::kJson ? "application/x-amz-json-1.1" : "text/xml;charset=utf-8";
}

}  // namespace howdah::aws
