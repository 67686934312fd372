// What the Describe operations have in common: ids, filters with wildcards, pages. A record tells
// its attributes by the names of AWS's filters; a filter that AWS does not have for this kind of
// record is an error, because ignoring it would select too much.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/fault.h"
#include "aws/generated/ec2.h"
#include "aws/shape.h"
#include "services/ec2/faults.h"
#include "vpc/records.h"

namespace howdah::services::ec2 {

namespace api = aws::ec2;

inline constexpr std::size_t kMaxFilterValues = 200;

class Attributes {
 public:
  void Add(std::string_view name, std::string value) {
    values_.emplace(std::string(name), std::move(value));
  }
  void Add(std::string_view name, bool value) { Add(name, std::string(value ? "true" : "false")); }
  void Add(std::string_view name, const char* value) { Add(name, std::string(value)); }
  // "tag:KEY" and "tag-key".
  void AddTags(const vpc::Tags& tags);
  // Has the attribute one of the values?
  bool Match(const std::string& name, const std::vector<std::string>& patterns) const;

 private:
  std::multimap<std::string, std::string, std::less<>> values_;
};

// '*' is any text, '?' any one character, '\' takes the next literally.
bool MatchesWildcard(std::string_view text, std::string_view pattern);

// Are all filters among `names` (or about tags) and well formed?
aws::Outcome<void> CheckFilters(const aws::List<api::Filter>& filters,
                                std::span<const std::string_view> names);
bool MatchesAll(const aws::List<api::Filter>& filters, const Attributes& attributes);

// A page's end as an opaque token and back: the id of the last record of the page before.
std::string EncodeToken(std::string_view last_id);
aws::Outcome<std::string> DecodeToken(const std::string& token);

// The prefix of ids of a kind: an id that was asked for and is none still has a fault of its kind.
template <typename IdType>
inline constexpr std::string_view kPrefixOf = "";
template <>
inline constexpr std::string_view kPrefixOf<vpc::VpcId> = vpc::kVpcPrefix;
template <>
inline constexpr std::string_view kPrefixOf<vpc::SubnetId> = vpc::kSubnetPrefix;
template <>
inline constexpr std::string_view kPrefixOf<vpc::GroupId> = vpc::kGroupPrefix;
template <>
inline constexpr std::string_view kPrefixOf<vpc::RuleId> = vpc::kRulePrefix;
template <>
inline constexpr std::string_view kPrefixOf<vpc::InterfaceId> = vpc::kInterfacePrefix;
template <>
inline constexpr std::string_view kPrefixOf<vpc::AclId> = vpc::kAclPrefix;
template <>
inline constexpr std::string_view kPrefixOf<vpc::RouteTableId> = vpc::kRouteTablePrefix;

template <typename T>
struct Page {
  std::vector<T> records;
  std::optional<std::string> next_token;
};

// Takes a page out of records that are sorted by `key`.
template <typename T>
aws::Outcome<Page<T>> TakePage(std::vector<T> records,
                               const std::optional<std::int64_t>& max_results,
                               const std::optional<std::string>& next_token,
                               const std::function<std::string(const T&)>& key) {
  Page<T> page;
  std::string after;
  if (next_token) {
    OUTCOME_ASSIGN(after, DecodeToken(*next_token));
  }
  const auto limit = static_cast<std::size_t>(max_results.value_or(1000));
  for (T& record : records) {
    if (key(record) <= after) continue;
    if (page.records.size() == limit) {
      page.next_token = EncodeToken(key(page.records.back()));
      break;
    }
    page.records.push_back(std::move(record));
  }
  return page;
}

// Every id that was asked for must exist; then filters; then the page.
template <typename T, typename Input>
aws::Outcome<Page<T>> Select(std::vector<T> records, const aws::List<std::string>& ids,
                             const Input& in, std::span<const std::string_view> filter_names,
                             const std::function<Attributes(const T&)>& attributes) {
  OUTCOME_TRY(CheckFilters(in.filters, filter_names));
  if (!ids.empty() && in.max_results)
    return aws::Refuse(aws::InvalidParameterCombination(
        "The parameter MaxResults cannot be used with a list of IDs in the same request."));
  std::set<std::string> wanted(ids.begin(), ids.end());
  std::set<std::string> missing = wanted;
  for (const T& record : records) missing.erase(record.id.str());
  if (!missing.empty())
    return aws::Refuse(NotFoundAs(kPrefixOf<decltype(T::id)>, *missing.begin()));
  std::erase_if(records, [&](const T& record) {
    return (!wanted.empty() && !wanted.contains(record.id.str())) ||
           !MatchesAll(in.filters, attributes(record));
  });
  return TakePage<T>(std::move(records), in.max_results, in.next_token,
                     [](const T& record) { return record.id.str(); });
}

}  // namespace howdah::services::ec2
