// Tags of any record of a network, found by the id's prefix.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/store.h"
#include "vpc/context.h"
#include "vpc/records.h"

namespace howdah::vpc {

inline constexpr std::size_t kMaxTags = 50;

struct TaggedResource {
  std::string id;
  std::string type;  // AWS's: "vpc", "subnet", "security-group", …
  Tags tags;
};

// AWS's resource type of an id, by its prefix; empty: no record of a network.
std::string_view ResourceType(std::string_view id);

// Adds or replaces tags. kNotFound: no such record. kExhausted: more than kMaxTags.
Result<> AddTags(const Context& context, store::Transaction& transaction, std::string_view id,
                 const Tags& tags);

// A key to remove; with a value, only if the tag has that value.
struct TagToRemove {
  std::string key;
  std::optional<std::string> value;
};
Result<> RemoveTags(const Context& context, store::Transaction& transaction, std::string_view id,
                    const std::vector<TagToRemove>& tags, bool all = false);

// Every record that has tags.
Result<std::vector<TaggedResource>> ListTags(store::Store& store);

}  // namespace howdah::vpc
