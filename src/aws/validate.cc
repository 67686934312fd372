// One walk over the tables. The first violation ends it.
#include "aws/validate.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <regex>

#include "aws/scalar.h"
#include "aws/violation.h"

namespace howdah::aws {
namespace {

// Longer text is not given to a regular expression: std::regex recurses for every character. Every
// pattern of the models belongs to a short text.
constexpr std::size_t kMaxPatternText = 2048;
constexpr std::size_t kMaxQuoted = 256;

// The text of a scalar, for messages; a list or a blob has none.
using Given = std::optional<std::string>;

bool MatchesPattern(const std::string& text, std::string_view pattern) {
  if (text.size() > kMaxPatternText) return false;
  try {
    return std::regex_match(text, std::regex(pattern.begin(), pattern.end()));
  } catch (const std::regex_error&) {
    return true;  // a pattern of a dialect that we do not read constrains nothing
  }
}

class Checker {
 public:
  explicit Checker(const ServiceDesc& service) : service_(service) {}

  Outcome<void> Structure(const ShapeDesc& shape, const void* value,
                          const std::string& path) const {
    for (const MemberDesc& member : shape.members) {
      const std::string name =
          path.empty() ? std::string(member.name) : fmt::format("{}.{}", path, member.name);
      if (const void* item = ValueOf(member, value)) {
        OUTCOME_TRY(Value(*member.shape, item, name));
      } else if (member.required && member.shape->kind != Kind::kMap) {
        return Refuse(FaultOf(service_, {Violation::Kind::kMissing, name, "", ""}));
      }
    }
    return {};
  }

 private:
  Outcome<void> Value(const ShapeDesc& shape, const void* value, const std::string& path) const {
    switch (shape.kind) {
      case Kind::kStructure:
        return Structure(shape, value, path);
      case Kind::kList:
        return ListOf(shape, value, path);
      case Kind::kMap:
        return MapOf(shape, value, path);
      case Kind::kString:
        return Text(shape, *static_cast<const std::string*>(value), path);
      case Kind::kInteger:
        return Bounds(shape, *static_cast<const std::int64_t*>(value), path, "value",
                      Given(FormatScalar(shape, value)));
      case Kind::kBlob:
        return Bounds(shape,
                      static_cast<std::int64_t>(static_cast<const Blob*>(value)->bytes.size()),
                      path, "length", std::nullopt);
      default:
        return {};
    }
  }

  Outcome<void> Text(const ShapeDesc& shape, const std::string& text,
                     const std::string& path) const {
    OUTCOME_TRY(Bounds(shape, static_cast<std::int64_t>(Characters(text)), path, "length", text));
    if (!shape.values.empty() && std::ranges::find(shape.values, text) == shape.values.end()) {
      return Violated(shape, path, text,
                      fmt::format("satisfy enum value set: [{}]", fmt::join(shape.values, ", ")));
    }
    if (!shape.pattern.empty() && !MatchesPattern(text, shape.pattern)) {
      return Violated(shape, path, text,
                      fmt::format("satisfy regular expression pattern: {}", shape.pattern));
    }
    return {};
  }

  Outcome<void> ListOf(const ShapeDesc& shape, const void* value, const std::string& path) const {
    const std::size_t size = shape.list->size(value);
    OUTCOME_TRY(Bounds(shape, static_cast<std::int64_t>(size), path, "length", std::nullopt));
    for (std::size_t i = 0; i < size; ++i) {
      OUTCOME_TRY(
          Value(*shape.element, shape.list->at(value, i), fmt::format("{}.{}", path, i + 1)));
    }
    return {};
  }

  Outcome<void> MapOf(const ShapeDesc& shape, const void* value, const std::string& path) const {
    struct Context {
      const Checker* checker;
      const ShapeDesc* shape;
      const std::string* path;
      Outcome<void> outcome;
    } context{this, &shape, &path, {}};
    shape.map->each(value, &context, [](void* raw, const std::string& key, const void* item) {
      auto& at = *static_cast<Context*>(raw);
      if (!at.outcome) return;
      at.outcome = at.checker->Value(*at.shape->element, item, fmt::format("{}.{}", *at.path, key));
    });
    return context.outcome;
  }

  Outcome<void> Bounds(const ShapeDesc& shape, std::int64_t measure, const std::string& path,
                       std::string_view what, const Given& given) const {
    if (shape.min && measure < *shape.min) {
      return Violated(shape, path, given,
                      fmt::format("have {} greater than or equal to {}", what, *shape.min));
    }
    if (shape.max && measure > *shape.max) {
      return Violated(shape, path, given,
                      fmt::format("have {} less than or equal to {}", what, *shape.max));
    }
    return {};
  }

  Outcome<void> Violated(const ShapeDesc& shape, const std::string& path, const Given& given,
                         std::string detail) const {
    const bool quotable = given && !shape.sensitive && given->size() <= kMaxQuoted;
    return Refuse(FaultOf(service_, {Violation::Kind::kConstraint, path, quotable ? *given : "",
                                     std::move(detail), !quotable}));
  }

  const ServiceDesc& service_;
};

}  // namespace

Outcome<void> Validate(const ServiceDesc& service, const ShapeDesc& shape, const void* value) {
  return Checker(service).Structure(shape, value, "");
}

}  // namespace howdah::aws
