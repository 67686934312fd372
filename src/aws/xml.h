// Just enough XML for answers: a writer, and a strict reader for the client. No DTD, no processing
// instructions but the declaration, no namespaces resolved (a prefix stays part of the name).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace howdah::aws {

struct XmlNode {
  std::string name;
  std::string text;  // character data directly inside, joined
  std::vector<XmlNode> children;

  // The first child of that name, or nullptr.
  const XmlNode* Child(std::string_view child) const;
};

inline constexpr int kMaxXmlDepth = 64;

// Reads a document with one root.
Result<XmlNode> ParseXml(std::string_view document);

class XmlWriter {
 public:
  XmlWriter() : text_("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n") {}

  // xml_namespace may be "".
  void Open(std::string_view name, std::string_view xml_namespace = "");
  void Close(std::string_view name);
  void Leaf(std::string_view name, std::string_view text);

  std::string Take() { return std::move(text_); }

 private:
  std::string text_;
};

}  // namespace howdah::aws
