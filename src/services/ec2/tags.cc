// CreateTags, DeleteTags, DescribeTags, and the tags of create requests.
#include "services/ec2/tags.h"

#include <fmt/format.h>

#include <algorithm>

#include "services/ec2/handlers.h"
#include "services/ec2/selection.h"
#include "services/ec2/serve.h"
#include "vpc/tags.h"

namespace howdah::services::ec2 {
namespace {

constexpr std::size_t kMaxKey = 128;
constexpr std::size_t kMaxValue = 256;

aws::Outcome<void> CheckTag(const std::string& key, const std::string& value) {
  if (key.empty())
    return aws::Refuse(aws::InvalidParameterValue("Tag key cannot be null or empty"));
  if (key.size() > kMaxKey)
    return aws::Refuse(aws::InvalidParameterValue(
        fmt::format("Tag key exceeds the maximum length of {} characters", kMaxKey)));
  if (value.size() > kMaxValue)
    return aws::Refuse(aws::InvalidParameterValue(
        fmt::format("Tag value exceeds the maximum length of {} characters", kMaxValue)));
  if (key.starts_with("aws:"))
    return aws::Refuse(
        aws::InvalidParameterValue("Tag keys starting with 'aws:' are reserved for internal use"));
  return {};
}

aws::Outcome<aws::Empty> CreateTags(const Ec2Options& options, const aws::RequestContext&,
                                    const api::CreateTagsRequest& in) {
  OUTCOME_ASSIGN(const vpc::Tags tags, ReadTags(in.tags));
  OUTCOME_TRY(
      Change(options.network.store, [&](store::Transaction& transaction) -> aws::Outcome<void> {
        for (const std::string& id : in.resources) {
          const aws::Fault missing = NotFound(id);
          OUTCOME_TRY(Translated(vpc::AddTags(options.network, transaction, id, tags),
                                 {{Code::kNotFound, missing.code, missing.message},
                                  {Code::kExhausted, "TagLimitExceeded"}}));
        }
        return {};
      }));
  return aws::Empty{};
}

aws::Outcome<aws::Empty> DeleteTags(const Ec2Options& options, const aws::RequestContext&,
                                    const api::DeleteTagsRequest& in) {
  std::vector<vpc::TagToRemove> tags;
  for (const api::Tag& tag : in.tags) tags.push_back({tag.key.value_or(""), tag.value});
  OUTCOME_TRY(
      Change(options.network.store, [&](store::Transaction& transaction) -> aws::Outcome<void> {
        for (const std::string& id : in.resources) {
          const aws::Fault missing = NotFound(id);
          OUTCOME_TRY(
              Translated(vpc::RemoveTags(options.network, transaction, id, tags, in.tags.empty()),
                         {{Code::kNotFound, missing.code, missing.message}}));
        }
        return {};
      }));
  return aws::Empty{};
}

// One tag of one resource, which is what DescribeTags lists.
struct TagOf {
  std::string id;
  std::string type;
  std::string key;
  std::string value;
  vpc::Tags self;  // the same, for the filter "tag:KEY"
};

constexpr Column<TagOf> kColumns[] = {{"key", [](const TagOf& tag) { return tag.key; }},
                                      {"resource-id", [](const TagOf& tag) { return tag.id; }},
                                      {"resource-type", [](const TagOf& tag) { return tag.type; }},
                                      {"value", [](const TagOf& tag) { return tag.value; }},
                                      {"tag-key", [](const TagOf& tag) { return tag.key; }},
                                      {"tag-value", [](const TagOf& tag) { return tag.value; }}};
constexpr Resource<TagOf> kTags = {.ids = "",
                                   .columns = kColumns,
                                   .key = [](const TagOf& tag) { return tag.id + "\n" + tag.key; },
                                   .tags = [](const TagOf& tag) { return &tag.self; }};

aws::Outcome<api::DescribeTagsResult> DescribeTags(const Ec2Options& options,
                                                   const aws::RequestContext&,
                                                   const api::DescribeTagsRequest& in) {
  OUTCOME_ASSIGN(const auto resources, Translated(vpc::ListTags(options.network.store)));
  std::vector<TagOf> tags;
  for (const vpc::TaggedResource& resource : resources)
    for (const auto& [key, value] : resource.tags)
      tags.push_back({resource.id, resource.type, key, value, {{key, value}}});
  std::ranges::sort(tags, {}, kTags.key);
  OUTCOME_ASSIGN(const auto page, Select(kTags, std::move(tags), in, false));
  api::DescribeTagsResult out;
  for (const TagOf& tag : page.records)
    out.tags.push_back(
        {.key = tag.key, .resource_id = tag.id, .resource_type = tag.type, .value = tag.value});
  out.next_token = page.next_token;
  return out;
}

}  // namespace

aws::Outcome<vpc::Tags> ReadTags(const aws::List<api::Tag>& tags) {
  vpc::Tags result;
  for (const api::Tag& tag : tags) {
    const std::string key = tag.key.value_or("");
    const std::string value = tag.value.value_or("");
    OUTCOME_TRY(CheckTag(key, value));
    if (!result.emplace(key, value).second)
      return aws::Refuse(
          aws::InvalidParameterValue(fmt::format("Duplicate tag keys are not allowed: '{}'", key)));
  }
  if (result.size() > vpc::kMaxTags)
    return aws::Refuse("TagLimitExceeded",
                       fmt::format("The maximum number of tags is {}", vpc::kMaxTags));
  return result;
}

aws::Outcome<vpc::Tags> ReadTagSpecifications(
    const aws::List<api::TagSpecification>& specifications, std::string_view resource_type) {
  aws::List<api::Tag> all;
  for (const api::TagSpecification& specification : specifications) {
    const std::string type = specification.resource_type.value_or("");
    if (type != resource_type)
      return aws::Refuse(aws::InvalidParameterValue(
          fmt::format("'{}' is not a valid taggable resource type for this operation.", type)));
    all.insert(all.end(), specification.tags.begin(), specification.tags.end());
  }
  return ReadTags(all);
}

aws::List<api::Tag> WriteTags(const vpc::Tags& tags) {
  aws::List<api::Tag> result;
  for (const auto& [key, value] : tags) result.push_back({.key = key, .value = value});
  return result;
}

void RegisterTags(aws::Service& service, const Ec2Options& options) {
  Serve<api::CreateTags>(service, options, CreateTags);
  Serve<api::DeleteTags>(service, options, DeleteTags);
  Serve<api::DescribeTags>(service, options, DescribeTags);
}

}  // namespace howdah::services::ec2
