// Client tokens: a create request that is sent again with its token gets what the first one made.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "services/ec2/faults.h"
#include "store/store.h"

namespace howdah::services::ec2 {

inline constexpr std::size_t kMaxClientToken = 64;

aws::Outcome<void> CheckClientToken(const std::optional<std::string>& token);
aws::Fault TokenMismatch();

// The record of kind T that this token has made before. The caller compares it with the request,
// and refuses with TokenMismatch() what is not the same.
template <typename T>
aws::Outcome<std::optional<T>> FindByToken(store::Store& store, const std::string& token) {
  if (token.empty()) return std::nullopt;
  const auto document = store.Get(vpc::TokenKey(T::kPrefix, token));
  if (!document && document.error().code() == Code::kNotFound) return std::nullopt;
  if (!document) return aws::Refuse(aws::FaultOf(document.error()));
  OUTCOME_ASSIGN(const json::object made, Translated(ParseJsonObject(document->value)));
  OUTCOME_ASSIGN(T record,
                 Translated(vpc::Get<T>(store, typename T::IdType(JsonString(made, "id")))));
  return std::optional(std::move(record));
}

}  // namespace howdah::services::ec2
