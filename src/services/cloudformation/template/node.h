// A template as a tree of nodes, each with the line and column at which it stands, so that whoever
// finds a mistake can say where. JSON is read as the YAML that it is. Owned by value; no I/O.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace howdah::cfn {

// Where a node begins; both count from 1. 0: nowhere, the whole text is meant.
struct Mark {
  int line = 0;
  int column = 0;
};

struct Entry;

struct Node {
  enum class Kind { kNull, kScalar, kList, kMap };

  Kind kind = Kind::kNull;
  Mark mark;
  std::string text;            // of a scalar
  bool plain = false;          // a scalar without quotes
  std::vector<Node> items;     // of a list
  std::vector<Entry> entries;  // of a map, in the order of the text; keys are unique

  bool IsScalar() const { return kind == Kind::kScalar; }
  bool IsList() const { return kind == Kind::kList; }
  bool IsMap() const { return kind == Kind::kMap; }
  // The value under a key of a map, or nullptr.
  const Node* Find(std::string_view key) const;
};

struct Entry {
  std::string key;
  Mark mark;
  Node value;
};

// "a string", "a list", "a map", "null": for messages.
std::string_view KindName(Node::Kind kind);

// Names the text that marks point into, and makes errors: "stack.yaml:12:7: what is wrong".
class Source {
 public:
  explicit Source(std::string file) : file_(std::move(file)) {}
  const std::string& file() const { return file_; }
  Error At(Mark mark, std::string_view what) const;
  std::unexpected<Error> Refuse(Mark mark, std::string_view what) const {
    return std::unexpected<Error>(At(mark, what));
  }

 private:
  std::string file_;
};

}  // namespace howdah::cfn
