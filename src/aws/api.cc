// The way of a request: authenticate, find the service, find the operation, decode, check, call,
// encode. Whatever goes wrong on the way is answered in the form that the client expects.
#include "aws/api.h"

#include <fmt/format.h>

#include <exception>

#include "aws/answer.h"
#include "aws/query.h"
#include "aws/shape_json.h"
#include "aws/validate.h"
#include "aws/violation.h"

namespace howdah::aws {
namespace {

// ec2's DryRun asks whether a request would be allowed. It must never be carried out.
Outcome<void> CheckDryRun(const ShapeDesc& input, const void* value) {
  for (const MemberDesc& member : input.members) {
    if (member.name != "DryRun" || member.shape->kind != Kind::kBoolean) continue;
    const void* flag = ValueOf(member, value);
    if (flag && *static_cast<const bool*>(flag)) {
      return Refuse("DryRunOperation", "Request would have succeeded, but DryRun flag is set.",
                    412);
    }
  }
  return {};
}

Fault NotServed(const Service& service, std::string_view operation) {
  const bool known = service.Knows(operation);
  if (service.desc().protocol == Protocol::kJson) {
    return {"UnknownOperationException", 400,
            known ? fmt::format("Howdah does not serve the operation {}.", operation)
                  : fmt::format("The operation {} does not exist.", operation),
            true};
  }
  return {"InvalidAction", 400,
          known ? fmt::format("Howdah does not serve the action {}.", operation)
                : fmt::format("The action {} is not valid for this web service.", operation),
          true};
}

}  // namespace

struct Api::Form {
  const Service* service = nullptr;  // nullptr when the claimed service is not served
  Protocol protocol = Protocol::kQuery;
  std::string_view xml_namespace;
};

Api::Api(Options options, const Credentials& credentials, Log log)
    : options_(std::move(options)), credentials_(credentials), log_(std::move(log)) {}

void Api::Add(const Service& service) {
  services_.emplace(std::string(service.desc().signing_name), &service);
}

Api::Form Api::FormOf(const http::Request& request) const {
  Form form;
  const std::optional<Signer> claimed = ClaimedSigner(request);
  const auto found = services_.find(claimed ? std::string_view(claimed->service) : "");
  if (found != services_.end()) {
    form.service = found->second;
    form.protocol = form.service->desc().protocol;
    form.xml_namespace = form.service->desc().xml_namespace;
  } else if (request.headers.Find("X-Amz-Target")) {
    form.protocol = Protocol::kJson;
  }
  return form;
}

http::Response Api::Handle(const http::Request& request) const {
  RequestContext context;
  context.now = options_.now();
  context.request_id = options_.new_request_id();
  context.account_id = options_.account_id;
  context.region = options_.region;
  const Form form = FormOf(request);
  Outcome<std::string> body = Refuse(InternalFailure());
  try {
    body = Answer(request, form, context);
  } catch (const std::exception& error) {
    log_.Error("request {}: a handler threw: {}", context.request_id, error.what());
  }
  if (!body) {
    return Encode(form, InWordsOf(form.protocol, std::move(body).error()), context.request_id);
  }
  http::Response response;
  response.headers.Add("x-amzn-RequestId", context.request_id);
  response.headers.Add("Content-Type", std::string(ContentType(form.protocol)));
  response.body = *std::move(body);
  return response;
}

http::Response Api::Refusal(const http::Request& request, int status,
                            std::string_view reason) const {
  const Form form = FormOf(request);
  return Encode(form, TransportFault(form.protocol, status, std::string(reason)),
                options_.new_request_id());
}

http::Response Api::Encode(const Form& form, const Fault& fault,
                           const std::string& request_id) const {
  if (fault.http_status >= 500) {
    log_.Error("request {} failed with {}: {}", request_id, fault.code, fault.message);
  }
  http::Response response{.status = fault.http_status};
  response.headers.Add("x-amzn-RequestId", request_id);
  response.headers.Add("Content-Type", std::string(ContentType(form.protocol)));
  // Of a service that is not served the protocol is not known; REST clients read the code here.
  if (form.protocol == Protocol::kJson || !form.service) {
    response.headers.Add("x-amzn-ErrorType", fault.code);
  }
  response.body = EncodeFault(form.protocol, form.xml_namespace, fault, request_id);
  return response;
}

Outcome<std::string> Api::Answer(const http::Request& request, const Form& form,
                                 RequestContext& context) const {
  OUTCOME_ASSIGN(const Signer signer, Verify(request, credentials_, context.now));
  context.access_key_id = signer.access_key_id;
  context.principal_arn = fmt::format("arn:aws:iam::{}:root", options_.account_id);
  if (!form.service) {
    return Refuse(form.protocol == Protocol::kJson ? "UnknownOperationException" : "InvalidAction",
                  fmt::format("Howdah does not serve the service '{}'.", signer.service));
  }
  if (http::PathOf(request.target) != "/" && !http::PathOf(request.target).empty()) {
    return Refuse(form.protocol == Protocol::kJson ? "UnknownOperationException" : "InvalidAction",
                  "Requests go to the path /.", 404);
  }
  const bool json = form.protocol == Protocol::kJson;
  if (request.method != "POST" && (json || request.method != "GET")) {
    return Refuse(TransportFault(
        form.protocol, 405,
        json ? "Requests are made with POST." : "Requests are made with GET or POST."));
  }
  if (json) return CallJson(request, *form.service, context);
  return CallQuery(request, *form.service, context);
}

Outcome<std::string> Api::CallQuery(const http::Request& request, const Service& service,
                                    const RequestContext& context) const {
  const ServiceDesc& desc = service.desc();
  // Parameters may stand in the body, in the URL, or in both; both are signed.
  const std::string form = fmt::format("{}&{}", http::QueryOf(request.target), request.body);
  const Result<QueryNode> root = ParseQuery(form);
  if (!root) return Refuse(MalformedRequest(desc, "The request holds " + root.error().what()));
  const std::string_view operation = QueryValue(*root, "Action");
  if (operation.empty()) return Refuse("MissingAction", "The request must contain an Action.");
  const Service::Handler* handler = service.Find(operation);
  if (!handler) return Refuse(NotServed(service, operation));
  const ShapeDesc* shape = handler->operation->input;
  const auto fill = [&](void* input) -> Outcome<void> {
    return shape ? DecodeQuery(desc, *shape, *root, input) : Outcome<void>();
  };
  return Call(service, *handler, fill, context);
}

Outcome<std::string> Api::CallJson(const http::Request& request, const Service& service,
                                   const RequestContext& context) const {
  const ServiceDesc& desc = service.desc();
  const std::string_view target = request.headers.Find("X-Amz-Target").value_or("");
  const std::size_t dot = target.rfind('.');
  if (dot == target.npos || target.substr(0, dot) != desc.target_prefix) {
    return Refuse("UnknownOperationException",
                  fmt::format("X-Amz-Target must be {}.<operation>.", desc.target_prefix));
  }
  const std::string_view operation = target.substr(dot + 1);
  const Service::Handler* handler = service.Find(operation);
  if (!handler) return Refuse(NotServed(service, operation));
  const auto fill = [&](void* input) {
    return DecodeJson(desc, handler->operation->input, request.body, input);
  };
  return Call(service, *handler, fill, context);
}

Outcome<std::string> Api::Call(const Service& service, const Service::Handler& handler,
                               const Service::Decode& fill, const RequestContext& context) const {
  const ServiceDesc& desc = service.desc();
  const OperationDesc& operation = *handler.operation;
  std::string body;
  OUTCOME_TRY(handler.call(
      context,
      [&](void* input) -> Outcome<void> {
        OUTCOME_TRY(fill(input));
        if (!operation.input) return {};
        OUTCOME_TRY(Validate(desc, *operation.input, input));
        if (handler.answers_dry_run) return {};
        return CheckDryRun(*operation.input, input);
      },
      [&](const void* output) {
        body = EncodeOutput(desc, operation, output, context.request_id);
      }));
  return body;
}

}  // namespace howdah::aws
