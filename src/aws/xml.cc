// The writer escapes everything that it is given; the reader refuses what it does not know.
#include "aws/xml.h"

#include <charconv>

namespace howdah::aws {
namespace {

std::unexpected<Error> Malformed(std::string_view what) {
  return Fail(Code::kInvalid, "malformed XML: " + std::string(what));
}

bool Blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool NameChar(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '.' || c == ':';
}

void AppendUtf8(std::string& out, std::uint32_t code) {
  const auto put = [&out](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | (code >> 6));
    put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | (code >> 12));
    put(0x80 | ((code >> 6) & 0x3F));
    put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | (code >> 18));
    put(0x80 | ((code >> 12) & 0x3F));
    put(0x80 | ((code >> 6) & 0x3F));
    put(0x80 | (code & 0x3F));
  }
}

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  Result<XmlNode> Document() {
    TRY(SkipMisc());
    if (!Take("<")) return Malformed("no root element");
    TRY_ASSIGN(XmlNode root, Element(1));
    TRY(SkipMisc());
    if (!text_.empty()) return Malformed("something follows the root element");
    return root;
  }

 private:
  bool Take(std::string_view token) {
    if (!text_.starts_with(token)) return false;
    text_.remove_prefix(token.size());
    return true;
  }

  void SkipBlanks() {
    while (!text_.empty() && Blank(text_.front())) text_.remove_prefix(1);
  }

  // Blanks, the declaration and comments, outside the root.
  Result<> SkipMisc() {
    for (;;) {
      SkipBlanks();
      if (Take("<?")) {
        TRY(Until("?>"));
      } else if (Take("<!--")) {
        TRY(Until("-->"));
      } else {
        return {};
      }
    }
  }

  Result<std::string_view> Until(std::string_view end) {
    const std::size_t at = text_.find(end);
    if (at == std::string_view::npos) return Malformed("it ends too early");
    const std::string_view inside = text_.substr(0, at);
    text_.remove_prefix(at + end.size());
    return inside;
  }

  Result<std::string> Name() {
    std::size_t length = 0;
    while (length < text_.size() && NameChar(text_[length])) ++length;
    if (length == 0) return Malformed("a name is missing");
    std::string name(text_.substr(0, length));
    text_.remove_prefix(length);
    return name;
  }

  // Attributes are checked and dropped: no answer of AWS's says anything with one.
  Result<> Attributes() {
    for (SkipBlanks(); !text_.starts_with('>') && !text_.starts_with("/>"); SkipBlanks()) {
      TRY(Name());
      SkipBlanks();
      if (!Take("=")) return Malformed("an attribute has no value");
      SkipBlanks();
      const std::string_view quote = text_.starts_with('\'') ? "'" : "\"";
      if (!Take(quote)) return Malformed("an attribute is not quoted");
      TRY(Until(quote));
    }
    return {};
  }

  // After its '<'.
  Result<XmlNode> Element(int depth) {
    if (depth > kMaxXmlDepth) return Malformed("it is too deep");
    XmlNode node;
    TRY_ASSIGN(node.name, Name());
    TRY(Attributes());
    if (Take("/>")) return node;
    if (!Take(">")) return Malformed("a tag is not closed");
    TRY(Content(node, depth));
    if (!Take(node.name)) return Malformed("an end tag does not match");
    SkipBlanks();
    if (!Take(">")) return Malformed("an end tag is not closed");
    return node;
  }

  // Up to and with the "</" of the end tag.
  Result<> Content(XmlNode& node, int depth) {
    for (;;) {
      if (text_.empty()) return Malformed("it ends too early");
      if (Take("</")) return {};
      if (Take("<!--")) {
        TRY(Until("-->"));
      } else if (Take("<![CDATA[")) {
        TRY_ASSIGN(const std::string_view data, Until("]]>"));
        node.text += data;
      } else if (Take("<")) {
        TRY_ASSIGN(XmlNode child, Element(depth + 1));
        node.children.push_back(std::move(child));
      } else if (Take("&")) {
        TRY(Entity(node.text));
      } else {
        const std::size_t end = std::min(text_.find_first_of("<&"), text_.size());
        node.text += text_.substr(0, end);
        text_.remove_prefix(end);
      }
    }
  }

  Result<> Entity(std::string& out) {
    TRY_ASSIGN(std::string_view name, Until(";"));
    static constexpr std::pair<std::string_view, char> kEntities[] = {
        {"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
    for (const auto& [entity, character] : kEntities) {
      if (name == entity) {
        out += character;
        return {};
      }
    }
    if (!name.starts_with('#')) return Malformed("an unknown entity");
    name.remove_prefix(1);
    const int base = name.starts_with('x') ? 16 : 10;
    if (base == 16) name.remove_prefix(1);
    std::uint32_t code = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), code, base);
    const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
    if (error != std::errc() || end != name.data() + name.size() || code == 0 || code > 0x10FFFF ||
        surrogate) {
      return Malformed("a character reference is wrong");
    }
    AppendUtf8(out, code);
    return {};
  }

  std::string_view text_;
};

// What stands for a character that cannot stand for itself; empty for all others. Control
// characters have no place in XML 1.0, not even as references: they become U+FFFD.
std::string_view EscapeOf(char c) {
  if (c == '&') return "&amp;";
  if (c == '<') return "&lt;";
  if (c == '>') return "&gt;";
  if (c == '"') return "&quot;";
  if (c == '\r') return "&#13;";
  if (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') return "\xEF\xBF\xBD";
  return {};
}

// Appends what needs no escape in whole pieces.
void AppendEscaped(std::string& out, std::string_view text) {
  std::size_t plain = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string_view escape = EscapeOf(text[i]);
    if (escape.empty()) continue;
    out += text.substr(plain, i - plain);
    out += escape;
    plain = i + 1;
  }
  out += text.substr(plain);
}

}  // namespace

const XmlNode* XmlNode::Child(std::string_view child) const {
  for (const XmlNode& node : children) {
    if (node.name == child) return &node;
  }
  return nullptr;
}

Result<XmlNode> ParseXml(std::string_view document) {
  return Reader(document).Document();
}

void XmlWriter::Open(std::string_view name, std::string_view xml_namespace) {
  text_ += '<';
  text_ += name;
  if (!xml_namespace.empty()) {
    text_ += " xmlns=\"";
    AppendEscaped(text_, xml_namespace);
    text_ += '"';
  }
  text_ += '>';
}

void XmlWriter::Close(std::string_view name) {
  text_ += "</";
  text_ += name;
  text_ += '>';
}

void XmlWriter::Leaf(std::string_view name, std::string_view text) {
  Open(name);
  AppendEscaped(text_, text);
  Close(name);
}

}  // namespace howdah::aws
