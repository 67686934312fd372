// See s3_answers.h. The reader walks over the document once and tells of each element that ends:
// its path ("ListBucketResult/Contents/Key") and the text in it.
#include "repository/s3_answers.h"

#include <algorithm>
#include <charconv>
#include <functional>
#include <optional>
#include <utility>

namespace howdah::repository {

namespace {

constexpr std::size_t kDeepest = 8;

std::unexpected<Error> Malformed(std::string_view what) {
  return Fail(Code::kCorrupt, "the answer of the S3 server is malformed: " + std::string(what));
}

void AppendUtf8(std::string& out, std::uint32_t code) {
  const auto put = [&out](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (code < 0x80) return put(code);
  if (code < 0x800) {
    put(0xC0 | code >> 6);
  } else if (code < 0x10000) {
    put(0xE0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3F));
  } else {
    put(0xF0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3F));
    put(0x80 | (code >> 6 & 0x3F));
  }
  put(0x80 | (code & 0x3F));
}

// "amp", "#38", "#x26".
bool AppendEntity(std::string& out, std::string_view entity) {
  static constexpr std::pair<std::string_view, char> kNamed[] = {
      {"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
  for (const auto& [name, character] : kNamed) {
    if (entity == name) return out += character, true;
  }
  if (!entity.starts_with('#')) return false;
  entity.remove_prefix(1);
  const int base = entity.starts_with('x') ? 16 : 10;
  if (base == 16) entity.remove_prefix(1);
  std::uint32_t code = 0;
  const char* const end = entity.data() + entity.size();
  const auto [at, error] = std::from_chars(entity.data(), end, code, base);
  if (error != std::errc() || at != end || code == 0 || code > 0x10FFFF) return false;
  return AppendUtf8(out, code), true;
}

// The name in a tag, without attributes and namespace prefix.
std::string_view NameOf(std::string_view tag) {
  tag = tag.substr(0, tag.find_first_of(" \t\r\n/"));
  return tag.substr(tag.find(':') + 1);
}

class Walker {
 public:
  using OnElement = std::function<void(std::string_view path, std::string_view text)>;

  Walker(std::string_view document, const OnElement& on_element)
      : rest_(document), on_element_(on_element) {}

  Result<> Walk() {
    while (!rest_.empty()) {
      if (rest_.front() == '<') {
        TRY(Tag());
      } else {
        TRY(Text());
      }
    }
    if (!seen_ || !path_.empty()) return Malformed("it ends too early");
    return {};
  }

 private:
  std::optional<std::string_view> Take(std::string_view begin, std::string_view end) {
    const std::size_t at = rest_.find(end, begin.size());
    if (at == rest_.npos) return std::nullopt;
    const std::string_view inside = rest_.substr(begin.size(), at - begin.size());
    rest_.remove_prefix(at + end.size());
    return inside;
  }

  Result<> Tag() {
    for (const auto& [begin, end] : {std::pair{"<?", "?>"}, {"<!--", "-->"}}) {
      if (!rest_.starts_with(begin)) continue;
      if (!Take(begin, end)) return Malformed("it ends too early");
      return {};
    }
    const bool closes = rest_.starts_with("</");
    const std::optional<std::string_view> tag = Take(closes ? "</" : "<", ">");
    if (!tag) return Malformed("it ends too early");
    const std::string_view name = NameOf(*tag);
    if (name.empty() || name.front() == '!') return Malformed("a tag that no answer has");
    if (closes) return Close(name);
    if (seen_ && path_.empty()) return Malformed("something follows its end");
    if (depth_ == kDeepest) return Malformed("it is too deep");
    seen_ = true;
    ++depth_;
    path_ += path_.empty() ? std::string(name) : "/" + std::string(name);
    text_.clear();
    return tag->ends_with('/') ? Close(name) : Result<>();
  }

  Result<> Close(std::string_view name) {
    const std::size_t slash = path_.rfind('/');
    const std::size_t leaf = slash == path_.npos ? 0 : slash + 1;
    if (depth_ == 0 || std::string_view(path_).substr(leaf) != name) {
      return Malformed("an end that has no beginning");
    }
    on_element_(path_, text_);
    path_.resize(slash == path_.npos ? 0 : slash);
    --depth_;
    text_.clear();
    return {};
  }

  Result<> Text() {
    const std::size_t end = std::min(rest_.find('<'), rest_.size());
    std::string_view text = rest_.substr(0, end);
    rest_.remove_prefix(end);
    while (!text.empty()) {
      const std::size_t plain = std::min(text.find('&'), text.size());
      text_ += text.substr(0, plain);
      text.remove_prefix(plain);
      if (text.empty()) break;
      const std::size_t semicolon = text.find(';');
      if (semicolon == text.npos || !AppendEntity(text_, text.substr(1, semicolon - 1))) {
        return Malformed("an entity that no answer has");
      }
      text.remove_prefix(semicolon + 1);
    }
    return {};
  }

  std::string_view rest_;
  const OnElement& on_element_;
  std::string path_;
  std::string text_;
  std::size_t depth_ = 0;
  bool seen_ = false;
};

bool ParseSize(std::string_view text, std::uint64_t& size) {
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, size);
  return error == std::errc() && at == end;
}

}  // namespace

Result<ListingPage> ParseListing(std::string_view document) {
  ListingPage page;
  ObjectInfo object;
  bool listing = false;
  bool truncated = false;
  bool complete = true;  // every object has a name and a size
  bool sized = false;
  const Walker::OnElement on_element = [&](std::string_view path, std::string_view text) {
    if (path == "ListBucketResult/Contents/Key") object.name = text;
    if (path == "ListBucketResult/Contents/Size") sized = ParseSize(text, object.size_bytes);
    if (path == "ListBucketResult/Contents") {
      complete = complete && sized && !object.name.empty();
      page.objects.push_back(std::exchange(object, {}));
      sized = false;
    }
    if (path == "ListBucketResult/CommonPrefixes/Prefix") page.common_prefixes.emplace_back(text);
    if (path == "ListBucketResult/NextContinuationToken") page.next = text;
    if (path == "ListBucketResult/IsTruncated") truncated = text == "true";
    if (path == "ListBucketResult") listing = true;
  };
  TRY(Walker(document, on_element).Walk());
  if (!listing) return Malformed("it is no listing");
  if (!complete) return Malformed("an object without name or size");
  if (truncated && page.next.empty()) return Malformed("more follows, and it does not say how");
  if (!truncated) page.next.clear();
  return page;
}

S3Fault ParseFault(std::string_view document) {
  S3Fault fault;
  const Walker::OnElement on_element = [&](std::string_view path, std::string_view text) {
    if (path == "Error/Code") fault.code = text;
    if (path == "Error/Message") fault.message = text;
  };
  const Result<> walked = Walker(document, on_element).Walk();
  if (!walked) return {};
  return fault;
}

}  // namespace howdah::repository
