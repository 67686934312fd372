// BatchGetSecretValue: the current values of up to twenty secrets, by their names or by filters.
// What one of them lacks is told beside the others' values.
#include <utility>

#include "services/secretsmanager/filters.h"
#include "services/secretsmanager/handlers.h"
#include "services/secretsmanager/pages.h"

namespace howdah::services::secretsmanager {

namespace {

constexpr std::int64_t kLargestBatch = 20;

void Add(const Context& context, const std::string& secret_id,
         sm::BatchGetSecretValueResponse& out) {
  Result<secrets::Value> value = context.secrets.GetValue(secret_id, "", "");
  if (value) {
    out.secret_values.push_back(ShapeOf<sm::SecretValueEntry>(*std::move(value)));
    return;
  }
  const aws::Fault fault = FaultOf(value.error());
  out.errors.push_back(
      {.secret_id = secret_id, .error_code = fault.code, .message = fault.message});
}

aws::Outcome<sm::BatchGetSecretValueResponse> ByFilters(const Context& context,
                                                        const sm::BatchGetSecretValueRequest& in) {
  OUTCOME_ASSIGN(const std::string position, DecodeToken(in.next_token));
  OUTCOME_ASSIGN(const std::vector<secrets::Record> records, OutcomeOf(context.secrets.List()));
  std::map<std::string, std::string> sorted;
  for (const secrets::Record& record : records) {
    if (record.deletion || !Matches(record, in.filters)) continue;
    OUTCOME_ASSIGN(const std::string key, SortKey(record, ""));
    sorted.emplace(key, record.arn);
  }
  const auto page = Cut(sorted, position, in.max_results.value_or(kLargestBatch), false);
  sm::BatchGetSecretValueResponse out{.next_token = page.next_token};
  for (const std::string& arn : page.items) Add(context, arn, out);
  return out;
}

aws::Outcome<sm::BatchGetSecretValueResponse> BatchGet(const Context& context,
                                                       const sm::BatchGetSecretValueRequest& in) {
  if (in.secret_id_list.empty() == in.filters.empty()) {
    return aws::Refuse(sm::fault::InvalidParameterException(
        "Either 'SecretIdList' or 'Filters' must be provided, but not both."));
  }
  if (!in.filters.empty()) return ByFilters(context, in);
  if (in.max_results || in.next_token) {
    return aws::Refuse(sm::fault::InvalidParameterException(
        "MaxResults and NextToken can only be used together with Filters."));
  }
  sm::BatchGetSecretValueResponse out;
  for (const std::string& secret_id : in.secret_id_list) Add(context, secret_id, out);
  return out;
}

}  // namespace

void RegisterBatch(aws::Service& service, const Context& context) {
  service.Register<sm::BatchGetSecretValue>(
      [context](const aws::RequestContext&, const auto& in) { return BatchGet(context, in); });
}

}  // namespace howdah::services::secretsmanager
