// Strong identifiers: a string with a type, so that two kinds of id cannot be swapped.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace howdah {

template <typename Tag>
class Id {
 public:
  Id() = default;
  explicit Id(std::string value) : value_(std::move(value)) {}
  const std::string& str() const { return value_; }
  bool empty() const { return value_.empty(); }
  auto operator<=>(const Id&) const = default;

 private:
  std::string value_;
};

using InstanceId = Id<struct InstanceIdTag>;  // the DbiResourceId "db-…": survives a rename
using NodeId = Id<struct NodeIdTag>;          // "n-…": one PostgreSQL data directory
using RunId = Id<struct RunIdTag>;            // "run-…": one run of a workflow

}  // namespace howdah

template <typename Tag>
struct std::hash<howdah::Id<Tag>> {
  std::size_t operator()(const howdah::Id<Tag>& id) const noexcept {
    return std::hash<std::string>()(id.str());
  }
};
