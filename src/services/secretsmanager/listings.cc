// ListSecrets and ListSecretVersionIds, in pages.
#include <map>
#include <utility>

#include "services/secretsmanager/filters.h"
#include "services/secretsmanager/handlers.h"
#include "services/secretsmanager/pages.h"

namespace howdah::services::secretsmanager {

namespace {

constexpr std::int64_t kDefaultPage = 100;

sm::SecretListEntry EntryOf(const secrets::Record& record) {
  auto entry = ShapeOf<sm::SecretListEntry>(record);
  entry.secret_versions_to_stages = StagesOf(record);
  return entry;
}

aws::Outcome<sm::ListSecretsResponse> List(const Context& context,
                                           const sm::ListSecretsRequest& in) {
  OUTCOME_ASSIGN(const std::string position, DecodeToken(in.next_token));
  OUTCOME_ASSIGN(const std::vector<secrets::Record> records, OutcomeOf(context.secrets.List()));
  std::map<std::string, sm::SecretListEntry> sorted;
  for (const secrets::Record& record : records) {
    if (record.deletion && !in.include_planned_deletion.value_or(false)) continue;
    if (!Matches(record, in.filters)) continue;
    OUTCOME_ASSIGN(const std::string key, SortKey(record, in.sort_by.value_or("")));
    sorted.emplace(key, EntryOf(record));
  }
  Page<sm::SecretListEntry> page = Cut(sorted, position, in.max_results.value_or(kDefaultPage),
                                       in.sort_order.value_or("asc") == "desc");
  return sm::ListSecretsResponse{.secret_list = std::move(page.items),
                                 .next_token = std::move(page.next_token)};
}

aws::Outcome<sm::ListSecretVersionIdsResponse> ListVersions(
    const Context& context, const sm::ListSecretVersionIdsRequest& in) {
  OUTCOME_ASSIGN(const std::string position, DecodeToken(in.next_token));
  OUTCOME_ASSIGN(const secrets::Record record,
                 OutcomeOf(context.secrets.Find(in.secret_id.value_or(""))));
  std::map<std::string, sm::SecretVersionsListEntry> sorted;
  for (const auto& [id, version] : record.versions) {
    if (version.stages.empty() && !in.include_deprecated.value_or(false)) continue;
    sorted.emplace(id, sm::SecretVersionsListEntry{.version_id = id,
                                                   .version_stages = version.stages,
                                                   .created_date = version.created,
                                                   .kms_key_ids = {"DefaultEncryptionKey"}});
  }
  Page<sm::SecretVersionsListEntry> page =
      Cut(sorted, position, in.max_results.value_or(kDefaultPage), false);
  return sm::ListSecretVersionIdsResponse{.versions = std::move(page.items),
                                          .next_token = std::move(page.next_token),
                                          .arn = record.arn,
                                          .name = record.name};
}

}  // namespace

void RegisterListings(aws::Service& service, const Context& context) {
  using Request = aws::RequestContext;
  service.Register<sm::ListSecrets>(
      [context](const Request&, const auto& in) { return List(context, in); });
  service.Register<sm::ListSecretVersionIds>(
      [context](const Request&, const auto& in) { return ListVersions(context, in); });
}

}  // namespace howdah::services::secretsmanager
