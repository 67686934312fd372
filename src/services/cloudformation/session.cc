// The stack in the eyes of its workflow.
#include "services/cloudformation/session.h"

#include <fmt/format.h>

#include <algorithm>

#include "aws/generated/ec2.h"
#include "aws/generated/secretsmanager.h"
#include "services/cloudformation/invoke.h"
#include "services/cloudformation/template/changes.h"
#include "services/cloudformation/template/conditions.h"
#include "services/cloudformation/template/properties.h"
#include "services/cloudformation/template/resource_types.h"
#include "services/cloudformation/turn.h"

namespace howdah::cfn {

namespace {

// Within evaluation a fault is an Error; it comes out again as a fault.
Error ErrorOf(const aws::Fault& fault) {
  return Error(MayPass(fault) ? Code::kUnavailable : Code::kInvalid, fault.message);
}

aws::Fault FaultOfEvaluation(const Error& error) {
  if (error.code() == Code::kUnavailable) return {"ServiceUnavailable", 503, error.what(), false};
  return aws::ValidationError(error.what());
}

std::string_view HandlerErrorCode(const aws::Fault& fault) {
  const auto says = [&](std::string_view part) {
    return fault.code.find(part) != std::string::npos;
  };
  if (says("AlreadyExist") || says("Duplicate") || says("ResourceExists")) return "AlreadyExists";
  if (says("NotFound")) return "NotFound";
  if (says("Quota") || says("LimitExceeded")) return "ServiceLimitExceeded";
  if (says("AccessDenied") || says("Unauthorized")) return "AccessDenied";
  if (says("NotStabilized")) return "NotStabilized";
  if (fault.http_status >= 500) return "ServiceInternalError";
  return "InvalidRequest";
}

std::string_view ServiceOf(std::string_view type) {
  if (type.starts_with("AWS::EC2::")) return "Ec2";
  return type.starts_with("AWS::RDS::") ? "Rds" : "SecretsManager";
}

}  // namespace

bool MayPass(const aws::Fault& fault) {
  return fault.http_status >= 500 || fault.code == "OperationAborted" ||
         fault.code == "Throttling" || fault.code == "RequestLimitExceeded";
}

std::string FailureText(const aws::Fault& fault, std::string_view type, system::Entropy& entropy) {
  return fmt::format(
      "Resource handler returned message: \"{} (Service: {}, Status Code: {}, Request ID: {})\" "
      "(RequestToken: {}, HandlerErrorCode: {})",
      fault.message, ServiceOf(type), fault.http_status, system::RandomUuid(entropy),
      system::RandomUuid(entropy), HandlerErrorCode(fault));
}

Result<Side> Session::Open(const std::string& sealed, const Tags& tags) {
  TRY_ASSIGN(StackSource source, OpenSource(world_.sealer, sealed, stored_.stack.id));
  TRY_ASSIGN(Template made, ParseTemplate(source.body));
  const Stack& stack = stored_.stack;
  TRY_ASSIGN(made, MakeDefinite(std::move(made), source.parameters,
                                {stack.region, stack.account_id, stack.name, stack.arn}));
  return Side{std::move(made), std::move(source.parameters), tags};
}

Result<Side> Session::Current() {
  return Open(stored_.stack.source, stored_.stack.tags);
}

Result<Side> Session::Next() {
  return Open(stored_.stack.next_source, stored_.stack.next_tags);
}

aws::RequestContext Session::Context() const {
  const Stack& stack = stored_.stack;
  return {.account_id = stack.account_id,
          .region = stack.region,
          .principal_arn = fmt::format("arn:aws:iam::{}:root", stack.account_id),
          .access_key_id = "",
          .request_id = system::RandomUuid(world_.entropy),
          .now = now_};
}

Subject Session::SubjectOf(const ResourceRecord& record, const Side& side) const {
  Subject subject{Context(), stored_.stack, record, side.tags};
  subject.tags[std::string(kStackTag)] = stored_.stack.arn;
  subject.tags[std::string(kLogicalIdTag)] = record.logical_id;
  subject.tags[std::string(kTokenTag)] = record.token;
  return subject;
}

Scope Session::ScopeOf(const Side& side) {
  const auto find = [this](const std::string& id) -> Result<ResourceRecord*> {
    ResourceRecord* record = stored_.stack.Find(id);
    if (record == nullptr || record->physical_id.empty()) {
      return Fail(Code::kInvalid, fmt::format("resource {} does not exist", id));
    }
    return record;
  };
  return {.made = side.made,
          .parameters = side.parameters,
          .region = stored_.stack.region,
          .account_id = stored_.stack.account_id,
          .stack_name = stored_.stack.name,
          .stack_id = stored_.stack.arn,
          .ref = [find](const std::string& id) -> Result<std::string> {
            TRY_ASSIGN(const ResourceRecord* record, find(id));
            return record->physical_id;
          },
          .attribute = [this, find, &side](const std::string& id,
                                           const std::string& name) -> Result<json::value> {
            TRY_ASSIGN(const ResourceRecord* record, find(id));
            auto value = ProviderOf(*record).Attribute(SubjectOf(*record, side), name);
            if (!value) return Fail(ErrorOf(value.error()));
            return *std::move(value);
          },
          .zones = [this](const std::string& region) { return Zones(region); },
          .import =
              [this](const std::string& name) {
                return ImportedValue(world_.store, name, stored_.stack.id);
              }};
}

Result<std::vector<std::string>> Session::Zones(const std::string& region) const {
  if (region != stored_.stack.region) {
    return Fail(Code::kInvalid, fmt::format("Fn::GetAZs: there is no region {}", region));
  }
  const auto found =
      Invoke<aws::ec2::DescribeAvailabilityZones>(world_.services.ec2, Context(), {});
  if (!found) return Fail(ErrorOf(found.error()));
  std::vector<std::string> zones;
  for (const auto& zone : found->availability_zones) zones.push_back(zone.zone_name.value_or(""));
  std::ranges::sort(zones);
  return zones;
}

aws::Outcome<std::string> Session::ReadSecretValue(const SecretReference& reference) const {
  aws::secretsmanager::GetSecretValueRequest request;
  request.secret_id = reference.secret_id;
  if (!reference.version_id.empty()) request.version_id = reference.version_id;
  if (!reference.version_stage.empty()) request.version_stage = reference.version_stage;
  OUTCOME_ASSIGN(const auto found, Invoke<aws::secretsmanager::GetSecretValue>(
                                       world_.services.secretsmanager, Context(), request));
  if (!found.secret_string) {
    return aws::Refuse(aws::ValidationError("The secret has no SecretString"));
  }
  return *found.secret_string;
}

aws::Outcome<json::object> Session::Properties(const ResourceRecord& record, const Side& side) {
  const Resource* resource = side.made.FindResource(record.logical_id);
  if (resource == nullptr) {
    return aws::Refuse(aws::ValidationError("the template has no such resource"));
  }
  auto evaluated = EvaluateProperties(*resource, ScopeOf(side));
  if (!evaluated) return aws::Refuse(FaultOfEvaluation(evaluated.error()));
  auto typed = TypedProperties(*FindResourceType(record.type), *evaluated);
  if (!typed) return aws::Refuse(FaultOfEvaluation(typed.error()));
  return *std::move(typed);
}

aws::Outcome<json::object> Session::WithSecrets(const ResourceRecord& record,
                                                json::object properties) {
  const auto read = [this](const SecretReference& reference) -> Result<std::string> {
    auto text = ReadSecretValue(reference);
    if (!text) return Fail(ErrorOf(text.error()));
    return *std::move(text);
  };
  auto resolved = ResolveDynamicReferences(json::value(std::move(properties)), read);
  if (!resolved) return aws::Refuse(FaultOfEvaluation(resolved.error()));
  auto typed = TypedProperties(*FindResourceType(record.type), resolved->get_object());
  if (!typed) return aws::Refuse(FaultOfEvaluation(typed.error()));
  return *std::move(typed);
}

std::string Session::Seal(const json::object& properties) const {
  return SealObject(world_.sealer, properties, stored_.stack.id);
}

Result<json::object> Session::Unseal(const std::string& sealed) const {
  return OpenObject(world_.sealer, sealed, stored_.stack.id);
}

Result<std::vector<StackOutput>> Session::Outputs(const Side& side) {
  const Scope scope = ScopeOf(side);
  std::vector<StackOutput> outputs;
  for (const Output& output : side.made.outputs) {
    TRY_ASSIGN(std::string value, EvaluateText(output.value, scope));
    std::string name;
    if (output.export_name) {
      TRY_ASSIGN(name, EvaluateText(*output.export_name, scope));
    }
    outputs.push_back({output.name, std::move(value), output.description, std::move(name)});
  }
  return outputs;
}

// What is refused half-way must leave nothing in the step's transaction.
Result<> Session::Publish(const std::vector<StackOutput>& outputs) {
  store::Transaction exports;
  TRY(PublishExports(world_.store, exports, stored_.stack, outputs));
  transaction_.compares.insert(transaction_.compares.end(), exports.compares.begin(),
                               exports.compares.end());
  transaction_.puts.insert(transaction_.puts.end(), exports.puts.begin(), exports.puts.end());
  transaction_.deletes.insert(transaction_.deletes.end(), exports.deletes.begin(),
                              exports.deletes.end());
  return {};
}

Result<> Session::UseImports(const Side* side) {
  std::set<std::string> names;
  if (side != nullptr) {
    TRY_ASSIGN(names, ImportsOf({side->made, side->parameters, ""},
                                {stored_.stack.region, stored_.stack.account_id, stored_.stack.name,
                                 stored_.stack.arn}));
  }
  Touch();
  return SetImports(world_.store, transaction_, stored_.stack, names);
}

void Session::SetStatus(std::string status, std::string reason) {
  SetStackStatus(transaction_, stack(), std::move(status), std::move(reason), now());
  Touch();
}

void Session::SetStatus(ResourceRecord& record, std::string status, std::string reason) {
  SetResourceStatus(transaction_, stack(), record, std::move(status), std::move(reason), now());
  Touch();
}

void Session::CancelWhatIsUnderWay() {
  cfn::CancelWhatIsUnderWay(transaction_, stack(), now());
  Touch();
}

void Session::TurnUpdateAround(std::string why) {
  cfn::TurnUpdateAround(transaction_, stack(), std::move(why), now());
  Touch();
}

void Session::ReleaseName() {
  transaction_.deletes.push_back(NameKey(stored_.stack.name));
}

void Session::Save() {
  if (changed_) PutStack(transaction_, stored_);
}

}  // namespace howdah::cfn
