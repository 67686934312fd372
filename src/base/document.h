// Documents of the store by a table of their members: one line a member serves both reading and
// writing, so the two cannot drift apart. An absent member keeps what a fresh T has, because a
// document may be of an earlier version; a member of the wrong kind or an unknown word is kCorrupt
// and is named.
//
//   const DocumentCodec<Point>& PointCodec() {
//     static const auto codec = DocumentCodec<Point>("point")
//         .With("x", &Point::x).With("colour", &Point::colour, kColours);
//     return codec;
//   }
#pragma once

#include <array>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/json.h"
#include "base/time.h"

namespace howdah {

// The words for the values of an enumeration.
template <typename Enum, std::size_t N>
using Words = std::array<std::pair<Enum, std::string_view>, N>;

template <typename Enum, std::size_t N>
std::string_view WordFor(const Words<Enum, N>& words, Enum value) {
  for (const auto& [known, word] : words) {
    if (known == value) return word;
  }
  return "unknown";
}

template <typename Enum, std::size_t N>
Result<Enum> ValueOf(const Words<Enum, N>& words, std::string_view word) {
  for (const auto& [value, known] : words) {
    if (known == word) return value;
  }
  return Fail(Code::kCorrupt, "unknown word '" + std::string(word) + "'");
}

namespace document {

inline Error Wrong(std::string_view expected) {
  return {Code::kCorrupt, "not " + std::string(expected)};
}

inline json::value Write(const std::string& value) {
  return json::value(value);
}
inline json::value Write(bool value) {
  return json::value(value);
}
inline json::value Write(WallTime value) {
  return json::value(ToMicros(value));
}
template <std::integral T>
json::value Write(T value) {
  return json::value(value);
}
template <typename Tag>
json::value Write(const Id<Tag>& value) {
  return json::value(value.str());
}
template <typename T>
json::value Write(const std::vector<T>& values) {
  json::array array;
  for (const T& value : values) array.push_back(Write(value));
  return array;
}
template <typename T>
json::value Write(const std::map<std::string, T>& values) {
  json::object object;
  for (const auto& [name, value] : values) object[name] = Write(value);
  return object;
}

inline Result<> Read(const json::value& from, std::string& value) {
  if (!from.is_string()) return Fail(Wrong("a text"));
  value = std::string(from.get_string());
  return {};
}
inline Result<> Read(const json::value& from, bool& value) {
  if (!from.is_bool()) return Fail(Wrong("true or false"));
  value = from.get_bool();
  return {};
}
template <std::integral T>
Result<> Read(const json::value& from, T& value) {
  boost::system::error_code error;
  value = from.to_number<T>(error);
  if (error) return Fail(Wrong("a whole number of its range"));
  return {};
}
inline Result<> Read(const json::value& from, WallTime& value) {
  std::int64_t micros = 0;
  TRY(Read(from, micros));
  value = FromMicros(micros);
  return {};
}
template <typename Tag>
Result<> Read(const json::value& from, Id<Tag>& value) {
  std::string text;
  TRY(Read(from, text));
  value = Id<Tag>(std::move(text));
  return {};
}
template <typename T>
Result<> Read(const json::value& from, std::vector<T>& values) {
  if (!from.is_array()) return Fail(Wrong("a list"));
  values.clear();
  for (const json::value& item : from.get_array()) TRY(Read(item, values.emplace_back()));
  return {};
}
template <typename T>
Result<> Read(const json::value& from, std::map<std::string, T>& values) {
  if (!from.is_object()) return Fail(Wrong("an object"));
  values.clear();
  for (const auto& [name, item] : from.get_object()) TRY(Read(item, values[std::string(name)]));
  return {};
}

}  // namespace document

template <typename T>
class DocumentCodec {
 public:
  // `what`: the document's name in errors.
  explicit DocumentCodec(std::string what) : what_(std::move(what)) {}

  template <typename M>
  DocumentCodec& With(std::string_view name, M T::* member) {
    return Add(
        name, [member](const T& from) { return document::Write(from.*member); },
        [member](const json::value& from, T& to) { return document::Read(from, to.*member); });
  }

  template <typename Enum, std::size_t N>
  DocumentCodec& With(std::string_view name, Enum T::* member, const Words<Enum, N>& words) {
    return Add(
        name, [member, &words](const T& from) { return json::value(WordFor(words, from.*member)); },
        [member, &words](const json::value& from, T& to) -> Result<> {
          std::string word;
          TRY(document::Read(from, word));
          TRY_ASSIGN(to.*member, ValueOf(words, word));
          return {};
        });
  }

  // A member that is itself a document, and a list of such.
  template <typename M>
  DocumentCodec& With(std::string_view name, M T::* member, const DocumentCodec<M>& codec) {
    return Add(
        name, [member, &codec](const T& from) { return json::value(codec.ToJson(from.*member)); },
        [member, &codec](const json::value& from, T& to) -> Result<> {
          TRY_ASSIGN(to.*member, codec.FromJson(from));
          return {};
        });
  }
  template <typename M>
  DocumentCodec& With(std::string_view name, std::vector<M> T::* member,
                      const DocumentCodec<M>& codec) {
    return Add(
        name,
        [member, &codec](const T& from) {
          json::array array;
          for (const M& item : from.*member) array.push_back(codec.ToJson(item));
          return json::value(std::move(array));
        },
        [member, &codec](const json::value& from, T& to) -> Result<> {
          if (!from.is_array()) return Fail(document::Wrong("a list"));
          (to.*member).clear();
          for (const json::value& item : from.get_array()) {
            TRY_ASSIGN(M one, codec.FromJson(item));
            (to.*member).push_back(std::move(one));
          }
          return {};
        });
  }

  json::object ToJson(const T& value) const {
    json::object object;
    for (const Field& field : fields_) object[field.name] = field.write(value);
    return object;
  }
  Result<T> FromJson(const json::value& from) const {
    if (!from.is_object()) return Fail(Code::kCorrupt, what_ + " is not an object");
    T value;
    for (const Field& field : fields_) {
      const json::value* found = from.get_object().if_contains(field.name);
      if (found == nullptr) continue;
      if (const Result<> read = field.read(*found, value); !read) {
        return Fail(Code::kCorrupt, what_ + ": " + field.name + ": " + read.error().what());
      }
    }
    return value;
  }

  std::string Format(const T& value) const { return json::serialize(ToJson(value)); }
  Result<T> Parse(std::string_view text) const {
    TRY_ASSIGN(const json::value value, ParseJson(text));
    return FromJson(value);
  }

 private:
  struct Field {
    std::string name;
    std::function<json::value(const T&)> write;
    std::function<Result<>(const json::value&, T&)> read;
  };

  DocumentCodec& Add(std::string_view name, decltype(Field::write) write,
                     decltype(Field::read) read) {
    fields_.push_back({std::string(name), std::move(write), std::move(read)});
    return *this;
  }

  std::string what_;
  std::vector<Field> fields_;
};

}  // namespace howdah
