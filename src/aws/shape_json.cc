// One walk over the tables for each direction.
#include "aws/shape_json.h"

#include <fmt/format.h>

#include <cmath>

#include "aws/scalar.h"
#include "aws/violation.h"
#include "base/json.h"

namespace howdah::aws {
namespace {

class Writer {
 public:
  explicit Writer(Lists lists) : lists_(lists) {}

  json::object Structure(const ShapeDesc& shape, const void* value) const {
    json::object object;
    for (const MemberDesc& member : shape.members) {
      const void* item = ValueOf(member, value);
      if (!item && lists_ == Lists::kAlways && member.shape->kind == Kind::kList) {
        item = static_cast<const std::byte*>(value) + member.offset;  // a list is its own slot
      }
      if (item) object[member.wire] = Value(*member.shape, item);
    }
    return object;
  }

 private:
  json::value Value(const ShapeDesc& shape, const void* value) const {
    switch (shape.kind) {
      case Kind::kStructure:
        return Structure(shape, value);
      case Kind::kList:
        return ListOf(shape, value);
      case Kind::kMap:
        return MapOf(shape, value);
      case Kind::kInteger:
        return *static_cast<const std::int64_t*>(value);
      case Kind::kBoolean:
        return *static_cast<const bool*>(value);
      case Kind::kDouble:
        return *static_cast<const double*>(value);
      case Kind::kTimestamp: {
        // Milliseconds, as AWS has them.
        const std::int64_t millis = ToMicros(*static_cast<const WallTime*>(value)) / 1000;
        return static_cast<double>(millis) / 1000.0;
      }
      default:
        return json::value(FormatScalar(shape, value));
    }
  }

  json::array ListOf(const ShapeDesc& shape, const void* value) const {
    json::array array;
    for (std::size_t i = 0; i < shape.list->size(value); ++i) {
      array.push_back(Value(*shape.element, shape.list->at(value, i)));
    }
    return array;
  }

  json::object MapOf(const ShapeDesc& shape, const void* value) const {
    struct Context {
      const Writer* writer;
      const ShapeDesc* shape;
      json::object object;
    } context{this, &shape, {}};
    shape.map->each(value, &context, [](void* raw, const std::string& key, const void* item) {
      auto& at = *static_cast<Context*>(raw);
      at.object[key] = at.writer->Value(*at.shape->element, item);
    });
    return std::move(context.object);
  }

  Lists lists_;
};

// A number without a fraction, however it is written, as 64 bits.
bool ReadInteger(const json::value& from, std::int64_t& to) {
  if (from.is_int64()) to = from.get_int64();
  if (from.is_int64()) return true;
  if (!from.is_double()) return false;
  const double number = from.get_double();
  if (std::nearbyint(number) != number || std::abs(number) > 9e15) return false;
  to = static_cast<std::int64_t>(number);
  return true;
}

bool ReadNumber(const json::value& from, double& to) {
  boost::system::error_code error;
  to = from.to_number<double>(error);
  return !error && std::isfinite(to);
}

bool ReadTime(const ShapeDesc& shape, const json::value& from, WallTime& to) {
  if (from.is_string()) return ParseScalar(shape, from.get_string(), &to);
  double seconds = 0;
  if (!ReadNumber(from, seconds) || std::abs(seconds) > 1e11) return false;
  to = FromMicros(std::llround(seconds * 1e6));
  return true;
}

bool ReadScalar(const ShapeDesc& shape, const json::value& from, void* to) {
  switch (shape.kind) {
    case Kind::kInteger:
      return ReadInteger(from, *static_cast<std::int64_t*>(to));
    case Kind::kBoolean:
      if (from.is_bool()) *static_cast<bool*>(to) = from.get_bool();
      return from.is_bool();
    case Kind::kDouble:
      return ReadNumber(from, *static_cast<double*>(to));
    case Kind::kTimestamp:
      return ReadTime(shape, from, *static_cast<WallTime*>(to));
    default:
      return from.is_string() && ParseScalar(shape, from.get_string(), to);
  }
}

class Reader {
 public:
  explicit Reader(const ServiceDesc& service) : service_(service) {}

  Outcome<void> Structure(const ShapeDesc& shape, const json::object& object, void* value,
                          const std::string& path) const {
    for (const MemberDesc& member : shape.members) {
      const json::value* item = object.if_contains(member.wire);
      if (!item || item->is_null()) continue;
      void* slot = member.slot->emplace(SlotOf(member, value));
      OUTCOME_TRY(
          Value(*member.shape, *item, slot,
                path.empty() ? std::string(member.name) : fmt::format("{}.{}", path, member.name)));
    }
    return {};
  }

 private:
  Outcome<void> Value(const ShapeDesc& shape, const json::value& from, void* to,
                      const std::string& path) const {
    switch (shape.kind) {
      case Kind::kStructure:
        return from.is_object() ? Structure(shape, from.get_object(), to, path)
                                : WrongType(shape, path);
      case Kind::kList:
        return from.is_array() ? ListOf(shape, from.get_array(), to, path) : WrongType(shape, path);
      case Kind::kMap:
        return from.is_object() ? MapOf(shape, from.get_object(), to, path)
                                : WrongType(shape, path);
      default:
        return ReadScalar(shape, from, to) ? Outcome<void>() : WrongType(shape, path);
    }
  }

  Outcome<void> ListOf(const ShapeDesc& shape, const json::array& array, void* to,
                       const std::string& path) const {
    std::size_t number = 0;
    for (const json::value& item : array) {
      OUTCOME_TRY(Value(*shape.element, item, shape.list->append(to),
                        fmt::format("{}.{}", path, ++number)));
    }
    return {};
  }

  Outcome<void> MapOf(const ShapeDesc& shape, const json::object& object, void* to,
                      const std::string& path) const {
    for (const auto& [key, item] : object) {
      OUTCOME_TRY(Value(*shape.element, item, shape.map->insert(to, std::string(key)),
                        fmt::format("{}.{}", path, std::string_view(key))));
    }
    return {};
  }

  Outcome<void> WrongType(const ShapeDesc& shape, const std::string& path) const {
    return Refuse(
        FaultOf(service_, {Violation::Kind::kType, path, "", std::string(ScalarRule(shape))}));
  }

  const ServiceDesc& service_;
};

}  // namespace

std::string EncodeJson(const ShapeDesc* shape, const void* value, Lists lists) {
  if (!shape) return "{}";
  return json::serialize(Writer(lists).Structure(*shape, value));
}

Outcome<void> DecodeJson(const ServiceDesc& service, const ShapeDesc* shape, std::string_view text,
                         void* value) {
  const Result<json::object> object = ParseJsonObject(text.empty() ? "{}" : text);
  if (!object) return Refuse(MalformedRequest(service, "The request body is not a JSON object."));
  if (!shape) return {};
  return Reader(service).Structure(*shape, *object, value, "");
}

}  // namespace howdah::aws
