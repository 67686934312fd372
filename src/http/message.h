// An HTTP request and response as plain values, the same for server and client. The body is whole:
// nothing here streams, and the server's limit says how large it may be.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace howdah::http {

// Header fields in the order of arrival. Names compare without case.
class Headers {
 public:
  using Field = std::pair<std::string, std::string>;

  Headers() = default;
  Headers(std::initializer_list<Field> fields) : fields_(fields) {}

  void Add(std::string name, std::string value) {
    fields_.emplace_back(std::move(name), std::move(value));
  }
  // Replaces every field of that name by one.
  void Set(std::string_view name, std::string value);
  // The first field of that name.
  std::optional<std::string_view> Find(std::string_view name) const;
  std::vector<std::string_view> FindAll(std::string_view name) const;

  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }

 private:
  std::vector<Field> fields_;
};

struct Request {
  std::string method = "GET";
  std::string target = "/";  // path and query, as they stood in the request line
  Headers headers{};
  std::string body{};
  std::string peer_address{};  // the client's address, on a server
};

struct Response {
  int status = 200;
  Headers headers{};
  std::string body{};
};

// The target before and after its first '?'.
std::string_view PathOf(std::string_view target);
std::string_view QueryOf(std::string_view target);

}  // namespace howdah::http
