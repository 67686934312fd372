// What the generated tables say about a shape, so that one encoder and one decoder a protocol serve
// every operation: kinds, names on the wire, bounds, and how to reach a member of a C++ struct
// whose type the codec does not know. Tables are constant data; nothing here is owned or changed.
//
// A codec works on values (std::string, std::int64_t, bool, double, WallTime, Blob, a generated
// struct, List<T>, Map<T>). A member of a struct is a slot: std::optional of a value, or a List or
// Map, which are their own slots.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"

namespace howdah::aws {

// Bytes that travel as base64.
struct Blob {
  std::string bytes;
  bool operator==(const Blob&) const = default;
};

// Input or output of an operation that has none.
struct Empty {
  bool operator==(const Empty&) const = default;
};

// A vector that knows whether the request named it: `Tags=` is present and empty, no Tags is
// absent. In answers every list is written, empty or not, because clients index what they read.
template <typename T>
class List : public std::vector<T> {
 public:
  using std::vector<T>::vector;
  List() = default;
  List(std::initializer_list<T> items) : std::vector<T>(items), present_(true) {}
  List(std::vector<T> items) : std::vector<T>(std::move(items)), present_(true) {}  // NOLINT

  bool present() const { return present_ || !this->empty(); }
  void MarkPresent() { present_ = true; }

 private:
  bool present_ = false;
};

template <typename T>
using Map = std::map<std::string, T>;

enum class Kind : std::uint8_t {
  kString,
  kInteger,
  kBoolean,
  kDouble,
  kTimestamp,
  kBlob,
  kStructure,
  kList,
  kMap,
};

struct ShapeDesc;

// A member's slot. Get gives nullptr when the member is absent.
struct SlotOps {
  void* (*emplace)(void* slot);
  const void* (*get)(const void* slot);
};

struct ListOps {
  void* (*append)(void* list);
  std::size_t (*size)(const void* list);
  const void* (*at)(const void* list, std::size_t index);
};

struct MapOps {
  void* (*insert)(void* map, std::string key);
  void (*each)(const void* map, void* context,
               void (*visit)(void* context, const std::string& key, const void* value));
};

struct MemberDesc {
  std::string_view name;   // the model's, for people
  std::string_view query;  // in a query or ec2 request
  std::string_view wire;   // in JSON, and in XML answers
  const ShapeDesc* shape;
  const SlotOps* slot;
  std::size_t offset;
  bool required = false;
  bool flattened = false;  // a list without an element around it, in XML answers
};

struct ShapeDesc {
  Kind kind;
  std::string_view name;
  // Structure.
  std::span<const MemberDesc> members = {};
  bool omits_empty_lists = false;  // in answers; elsewhere they are written
  // List (element) and map (element is the value).
  const ShapeDesc* element = nullptr;
  std::string_view element_query = {};  // "" in a request when the list is flattened
  std::string_view element_wire = {};   // "member", "item", "DBInstance"; of a map "value"
  std::string_view key_wire = {};       // of a map: "key"
  const ListOps* list = nullptr;
  const MapOps* map = nullptr;
  // Bounds: of a string its length, of a number its value, of a list its size.
  std::optional<std::int64_t> min = {};
  std::optional<std::int64_t> max = {};
  std::string_view pattern = {};
  std::span<const std::string_view> values = {};  // of an enumeration
  bool sensitive = false;                         // never repeated in a message
};

struct OperationDesc {
  std::string_view name;
  const ShapeDesc* input;   // nullptr when there is none
  const ShapeDesc* output;  // nullptr when there is none
  std::string_view result_wrapper;
};

enum class Protocol : std::uint8_t { kQuery, kEc2, kJson };

struct ServiceDesc {
  std::string_view name;
  Protocol protocol;
  std::string_view api_version;
  std::string_view xml_namespace;
  std::string_view target_prefix;
  std::string_view json_version;
  std::string_view signing_name;
  std::span<const OperationDesc* const> operations;  // served, sorted by name
  std::span<const std::string_view> all_operations;  // every name of the service, sorted
};

// The operations on slots and containers, one constant for each C++ type.
template <typename V>
inline constexpr SlotOps kOptionalSlot = {
    [](void* slot) -> void* { return &static_cast<std::optional<V>*>(slot)->emplace(); },
    [](const void* slot) -> const void* {
      const auto* optional = static_cast<const std::optional<V>*>(slot);
      return optional->has_value() ? &**optional : nullptr;
    }};

template <typename T>
inline constexpr SlotOps kListSlot = {
    [](void* slot) -> void* {
      static_cast<List<T>*>(slot)->MarkPresent();
      return slot;
    },
    [](const void* slot) -> const void* {
      return static_cast<const List<T>*>(slot)->present() ? slot : nullptr;
    }};

template <typename T>
inline constexpr SlotOps kMapSlot = {[](void* slot) -> void* { return slot; },
                                     [](const void* slot) -> const void* {
                                       return static_cast<const Map<T>*>(slot)->empty() ? nullptr
                                                                                        : slot;
                                     }};

template <typename T>
inline constexpr ListOps kListOps = {
    [](void* list) -> void* { return &static_cast<List<T>*>(list)->emplace_back(); },
    [](const void* list) { return static_cast<const List<T>*>(list)->size(); },
    [](const void* list, std::size_t index) -> const void* {
      return &(*static_cast<const List<T>*>(list))[index];
    }};

template <typename T>
inline constexpr MapOps kMapOps = {
    [](void* map, std::string key) -> void* {
      return &(*static_cast<Map<T>*>(map))[std::move(key)];
    },
    [](const void* map, void* context,
       void (*visit)(void* context, const std::string& key, const void* value)) {
      for (const auto& [key, value] : *static_cast<const Map<T>*>(map)) visit(context, key, &value);
    }};

inline void* SlotOf(const MemberDesc& member, void* owner) {
  return static_cast<std::byte*>(owner) + member.offset;
}
// The member's value, or nullptr when it is absent. An empty list that nobody named is absent.
inline const void* ValueOf(const MemberDesc& member, const void* owner) {
  return member.slot->get(static_cast<const std::byte*>(owner) + member.offset);
}

}  // namespace howdah::aws
