// Properties into requests, along the tables of the shapes.
#include "services/cloudformation/invoke.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"

namespace howdah::cfn {

namespace {

Result<> FillValue(const aws::ShapeDesc& shape, const json::value& from, void* to);

Result<> FillList(const aws::ShapeDesc& shape, const json::value& from, void* to) {
  if (!from.is_array()) return Fail(Code::kInvalid, "a list is needed");
  for (const json::value& item : from.get_array()) {
    TRY(FillValue(*shape.element, item, shape.list->append(to)));
  }
  return {};
}

Result<> FillValue(const aws::ShapeDesc& shape, const json::value& from, void* to) {
  switch (shape.kind) {
    case aws::Kind::kString:
      if (!from.is_string()) break;
      *static_cast<std::string*>(to) = from.get_string();
      return {};
    case aws::Kind::kInteger:
      if (!from.is_int64()) break;
      *static_cast<std::int64_t*>(to) = from.get_int64();
      return {};
    case aws::Kind::kBoolean:
      if (!from.is_bool()) break;
      *static_cast<bool*>(to) = from.get_bool();
      return {};
    case aws::Kind::kList:
      return FillList(shape, from, to);
    case aws::Kind::kStructure:
      if (!from.is_object()) break;
      return FillRequest(shape, from.get_object(), to);
    default:
      break;
  }
  return Fail(Code::kInvalid, fmt::format("a value of {} has another kind", shape.name));
}

std::optional<json::value> PlainValue(const aws::ShapeDesc& shape, const void* from) {
  switch (shape.kind) {
    case aws::Kind::kString:
      return json::value(json::string(*static_cast<const std::string*>(from)));
    case aws::Kind::kInteger:
      return json::value(*static_cast<const std::int64_t*>(from));
    case aws::Kind::kBoolean:
      return json::value(*static_cast<const bool*>(from));
    default:
      return std::nullopt;
  }
}

}  // namespace

json::object ReadMembers(const aws::ShapeDesc& shape, const void* from,
                         const json::object& expected) {
  json::object made;
  for (const aws::MemberDesc& member : shape.members) {
    if (!expected.contains(member.name)) continue;
    const void* value = aws::ValueOf(member, from);
    if (value == nullptr) continue;
    if (auto plain = PlainValue(*member.shape, value)) {
      made.emplace(member.name, *std::move(plain));
    }
  }
  return made;
}

const aws::ShapeDesc& ItemShape(const aws::OperationDesc& operation, std::string_view list) {
  const auto& members = operation.output->members;
  const auto found = std::ranges::find(members, list, &aws::MemberDesc::name);
  Check(found != members.end(), "an answer has the list");
  return *found->shape->element;
}

Result<> FillRequest(const aws::ShapeDesc& shape, const json::object& properties, void* request) {
  for (const auto& property : properties) {
    const std::string_view name(property.key().data(), property.key().size());
    const auto member = std::ranges::find(shape.members, name, &aws::MemberDesc::name);
    if (member == shape.members.end()) {
      return Fail(Code::kInvalid, fmt::format("Property {} cannot be given here", name));
    }
    void* slot = aws::SlotOf(*member, request);
    if (auto filled = FillValue(*member->shape, property.value(), member->slot->emplace(slot));
        !filled) {
      return Fail(filled.error().During(name));
    }
  }
  return {};
}

}  // namespace howdah::cfn
