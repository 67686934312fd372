// Requests of the query protocol: both directions, table-driven.
#include "aws/query.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "aws/scalar.h"
#include "aws/violation.h"

namespace howdah::aws {
namespace {

constexpr std::size_t kMaxQuoted = 128;

// Puts one name=value where it belongs in the tree.
Result<> Insert(QueryNode& root, std::string_view name, std::string value) {
  QueryNode* node = &root;
  std::size_t depth = 0;
  for (std::size_t begin = 0; begin <= name.size();) {
    if (++depth > kMaxQueryDepth) return Fail(Code::kInvalid, "a parameter name is too deep");
    const std::size_t end = std::min(name.find('.', begin), name.size());
    node = &node->children[std::string(name.substr(begin, end - begin))];
    begin = end + 1;
  }
  if (node->value) return Fail(Code::kInvalid, fmt::format("parameter {} is given twice", name));
  node->value = std::move(value);
  return {};
}

std::string Join(const std::string& path, std::string_view name) {
  return path.empty() ? std::string(name) : fmt::format("{}.{}", path, name);
}

// A list's number: nothing but digits, so that nothing which was sent is passed over.
std::optional<std::uint32_t> ListNumber(std::string_view text) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole ? std::optional(number) : std::nullopt;
}

// What a query carries besides the members of its input.
bool IsFrame(std::string_view name) {
  static constexpr std::string_view kFrame[] = {"Action", "Version", "AWSAccessKeyId", "Timestamp",
                                                "Expires"};
  return name.starts_with("X-Amz-") || std::ranges::find(kFrame, name) != std::end(kFrame);
}

class Decoder {
 public:
  explicit Decoder(const ServiceDesc& service) : service_(service) {}

  Outcome<void> Structure(const ShapeDesc& shape, const QueryNode& node, void* value,
                          const std::string& path) const {
    for (const MemberDesc& member : shape.members) {
      const QueryNode* child = node.Child(member.query);
      if (!child || Absent(*member.shape, *child, path.empty())) continue;
      void* slot = member.slot->emplace(SlotOf(member, value));
      OUTCOME_TRY(Value(*member.shape, *child, slot, Join(path, member.name)));
    }
    return {};
  }

 private:
  // An empty scalar says nothing, but for a nested string: an empty tag value is a value.
  static bool Absent(const ShapeDesc& shape, const QueryNode& node, bool top) {
    const bool container =
        shape.kind == Kind::kStructure || shape.kind == Kind::kList || shape.kind == Kind::kMap;
    if (container || !node.value || !node.value->empty()) return false;
    return top || shape.kind != Kind::kString;
  }

  Outcome<void> Value(const ShapeDesc& shape, const QueryNode& node, void* value,
                      const std::string& path) const {
    switch (shape.kind) {
      case Kind::kStructure:
        if (node.value && !node.value->empty()) return WrongType(shape, path);
        return Structure(shape, node, value, path);
      case Kind::kList:
        return ListOf(shape, node, value, path);
      case Kind::kMap:
        return MapOf(shape, node, value, path);
      default:
        return Scalar(shape, node, value, path);
    }
  }

  Outcome<void> Scalar(const ShapeDesc& shape, const QueryNode& node, void* value,
                       const std::string& path) const {
    if (!node.value || !node.children.empty()) return WrongType(shape, path);
    if (ParseScalar(shape, *node.value, value)) return {};
    const bool unquotable = shape.sensitive || node.value->size() > kMaxQuoted;
    return Refuse(FaultOf(service_, {Violation::Kind::kType, path, unquotable ? "" : *node.value,
                                     std::string(ScalarRule(shape)), unquotable}));
  }

  // Both `Filters.Filter.1` and `Filters.member.1` are understood; ec2 has `Filter.1`. What is
  // neither is refused: a filter that is passed over would let everything through.
  Outcome<void> ListOf(const ShapeDesc& shape, const QueryNode& node, void* value,
                       const std::string& path) const {
    if (node.value && !node.value->empty()) return WrongType(shape, path);
    const QueryNode* items = &node;
    if (!shape.element_query.empty()) {
      items = node.Child(shape.element_query);
      if (!items) items = node.Child("member");
      if (node.children.size() > (items ? 1U : 0U)) return WrongType(shape, path);
      if (!items) return {};
      if (items->value && !items->value->empty()) return WrongType(shape, path);
    }
    OUTCOME_ASSIGN(const auto numbered, Numbered(*items, path));
    for (const auto& [number, item] : numbered) {
      OUTCOME_TRY(Value(*shape.element, *item, shape.list->append(value),
                        fmt::format("{}.{}", path, number)));
    }
    return {};
  }

  Outcome<void> MapOf(const ShapeDesc& shape, const QueryNode& node, void* value,
                      const std::string& path) const {
    const QueryNode* entries = node.Child("entry");
    if (!entries) return {};
    OUTCOME_ASSIGN(const auto numbered, Numbered(*entries, path));
    for (const auto& [number, entry] : numbered) {
      const QueryNode* key = entry->Child(shape.key_wire);
      const QueryNode* item = entry->Child(shape.element_wire);
      if (!key || !key->value || !item) return WrongType(shape, path);
      OUTCOME_TRY(Value(*shape.element, *item, shape.map->insert(value, *key->value),
                        fmt::format("{}.{}", path, number)));
    }
    return {};
  }

  // The children "1", "2", … in the order of their numbers. Gaps do not matter.
  Outcome<std::map<std::uint32_t, const QueryNode*>> Numbered(const QueryNode& node,
                                                              const std::string& path) const {
    std::map<std::uint32_t, const QueryNode*> items;
    for (const auto& [name, child] : node.children) {
      const auto number = ListNumber(name);
      if (!number || !items.emplace(*number, &child).second) {
        return Refuse(FaultOf(service_, {Violation::Kind::kType, fmt::format("{}.{}", path, name),
                                         "", "be numbered as in a list: 1, 2, 3"}));
      }
    }
    return items;
  }

  std::unexpected<Fault> WrongType(const ShapeDesc& shape, const std::string& path) const {
    return Refuse(
        FaultOf(service_, {Violation::Kind::kType, path, "", std::string(ScalarRule(shape))}));
  }

  const ServiceDesc& service_;
};

class Encoder {
 public:
  void Add(std::string_view name, std::string_view value) {
    if (!form_.empty()) form_ += '&';
    form_ += PercentEncode(name);
    form_ += '=';
    form_ += PercentEncode(value);
  }

  void Structure(const ShapeDesc& shape, const void* value, const std::string& path) {
    for (const MemberDesc& member : shape.members) {
      const void* item = ValueOf(member, value);
      if (item) Value(*member.shape, item, Join(path, member.query));
    }
  }

  std::string Take() { return std::move(form_); }

 private:
  void Value(const ShapeDesc& shape, const void* value, const std::string& path) {
    if (shape.kind == Kind::kStructure) return Structure(shape, value, path);
    if (shape.kind == Kind::kList) return ListOf(shape, value, path);
    if (shape.kind == Kind::kMap) return MapOf(shape, value, path);
    const bool is_time = shape.kind == Kind::kTimestamp;
    Add(path, is_time ? FormatExactTime(*static_cast<const WallTime*>(value))
                      : FormatScalar(shape, value));
  }

  void ListOf(const ShapeDesc& shape, const void* value, const std::string& path) {
    const std::size_t size = shape.list->size(value);
    if (size == 0 && !shape.element_query.empty()) return Add(path, "");
    const std::string prefix = shape.element_query.empty() ? path : Join(path, shape.element_query);
    for (std::size_t i = 0; i < size; ++i) {
      Value(*shape.element, shape.list->at(value, i), fmt::format("{}.{}", prefix, i + 1));
    }
  }

  void MapOf(const ShapeDesc& shape, const void* value, const std::string& path) {
    struct Context {
      Encoder* encoder;
      const ShapeDesc* shape;
      const std::string* path;
      std::size_t number = 0;
    } context{this, &shape, &path};
    shape.map->each(value, &context, [](void* raw, const std::string& key, const void* item) {
      auto& at = *static_cast<Context*>(raw);
      const std::string entry = fmt::format("{}.entry.{}", *at.path, ++at.number);
      at.encoder->Add(Join(entry, at.shape->key_wire), key);
      at.encoder->Value(*at.shape->element, item, Join(entry, at.shape->element_wire));
    });
  }

  std::string form_;
};

}  // namespace

const QueryNode* QueryNode::Child(std::string_view name) const {
  const auto found = children.find(name);
  return found == children.end() ? nullptr : &found->second;
}

Result<QueryNode> ParseQuery(std::string_view form) {
  QueryNode root;
  std::size_t count = 0;
  while (!form.empty()) {
    const std::size_t end = std::min(form.find('&'), form.size());
    const std::string_view pair = form.substr(0, end);
    form.remove_prefix(std::min(end + 1, form.size()));
    if (pair.empty()) continue;
    if (++count > kMaxQueryParameters) return Fail(Code::kInvalid, "too many parameters");
    const std::size_t equals = std::min(pair.find('='), pair.size());
    TRY_ASSIGN(const std::string name, FormDecode(pair.substr(0, equals)));
    TRY_ASSIGN(std::string value, FormDecode(pair.substr(std::min(equals + 1, pair.size()))));
    if (name.contains('\0') || value.contains('\0')) {
      return Fail(Code::kInvalid, "a NUL character");
    }
    TRY(Insert(root, name, std::move(value)));
  }
  return root;
}

std::string_view QueryValue(const QueryNode& root, std::string_view name) {
  const QueryNode* node = root.Child(name);
  return node && node->value ? std::string_view(*node->value) : std::string_view();
}

Outcome<void> DecodeQuery(const ServiceDesc& service, const ShapeDesc& shape, const QueryNode& root,
                          void* value) {
  if (service.protocol == Protocol::kEc2) {
    for (const auto& [name, child] : root.children) {
      const bool known = IsFrame(name) || std::ranges::any_of(shape.members, [&](const auto& it) {
                           return it.query == name;
                         });
      if (!known) {
        return Refuse("UnknownParameter", fmt::format("The parameter {} is not recognized", name));
      }
    }
  }
  return Decoder(service).Structure(shape, root, value, "");
}

std::string EncodeQuery(const ServiceDesc& service, const OperationDesc& operation,
                        const void* input) {
  Encoder encoder;
  encoder.Add("Action", operation.name);
  encoder.Add("Version", service.api_version);
  if (operation.input) encoder.Structure(*operation.input, input, "");
  return encoder.Take();
}

}  // namespace howdah::aws
