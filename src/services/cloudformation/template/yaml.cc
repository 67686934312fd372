// The adapter to libyaml: its events become nodes; its memory and its errors stay in here.
#include "services/cloudformation/template/yaml.h"

#include <fmt/format.h>
#include <yaml.h>

#include <set>

namespace howdah::cfn {

const Node* Node::Find(std::string_view key) const {
  for (const Entry& entry : entries) {
    if (entry.key == key) return &entry.value;
  }
  return nullptr;
}

std::string_view KindName(Node::Kind kind) {
  switch (kind) {
    case Node::Kind::kNull:
      return "null";
    case Node::Kind::kScalar:
      return "a string";
    case Node::Kind::kList:
      return "a list";
    case Node::Kind::kMap:
      return "a map";
  }
  return "a value";
}

Error Source::At(Mark mark, std::string_view what) const {
  if (mark.line == 0) return Error(Code::kInvalid, fmt::format("{}: {}", file_, what));
  return Error(Code::kInvalid, fmt::format("{}:{}:{}: {}", file_, mark.line, mark.column, what));
}

namespace {

Mark MarkOf(const yaml_mark_t& mark) {
  return {static_cast<int>(mark.line) + 1, static_cast<int>(mark.column) + 1};
}

// One event, deleted when the next is read.
class Event {
 public:
  Event() = default;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event() { Clear(); }

  bool Read(yaml_parser_t& parser) {
    Clear();
    filled_ = yaml_parser_parse(&parser, &event_) != 0;
    return filled_;
  }
  const yaml_event_t& get() const { return event_; }

 private:
  void Clear() {
    if (filled_) yaml_event_delete(&event_);
    filled_ = false;
  }
  yaml_event_t event_{};
  bool filled_ = false;
};

std::string TextOf(const yaml_char_t* text) {
  return text == nullptr ? std::string() : std::string(reinterpret_cast<const char*>(text));
}

bool IsNull(std::string_view text) {
  return text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL";
}

class Reader {
 public:
  Reader(std::string_view text, const Source& source) : source_(source) {
    initialized_ = yaml_parser_initialize(&parser_) != 0;
    if (!initialized_) return;
    yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()),
                                 text.size());
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() {
    if (initialized_) yaml_parser_delete(&parser_);
  }

  Result<Node> Read() {
    if (!initialized_) return Fail(Code::kExhausted, "out of memory");
    TRY(Advance());  // stream start
    TRY(Advance());
    if (event_.get().type == YAML_STREAM_END_EVENT) return source_.Refuse({}, "it is empty");
    TRY(Advance());  // past the document's start
    TRY_ASSIGN(Node node, ReadNode(0));
    TRY(Advance());  // document end
    TRY(Advance());
    if (event_.get().type != YAML_STREAM_END_EVENT) {
      return source_.Refuse(MarkOf(event_.get().start_mark), "only one YAML document is allowed");
    }
    return node;
  }

 private:
  Result<> Advance() {
    if (event_.Read(parser_)) return {};
    const char* problem = parser_.problem == nullptr ? "unreadable" : parser_.problem;
    return source_.Refuse(MarkOf(parser_.problem_mark),
                          fmt::format("YAML not well-formed: {}", problem));
  }

  // The node that begins at the current event; leaves its last event current.
  Result<Node> ReadNode(int depth) {
    const yaml_event_t& event = event_.get();
    const Mark mark = MarkOf(event.start_mark);
    if (depth > kMaxTemplateDepth) return source_.Refuse(mark, "nested too deeply");
    if (++nodes_ > kMaxTemplateNodes) return source_.Refuse(mark, "too many values");
    switch (event.type) {
      case YAML_ALIAS_EVENT:
        return source_.Refuse(mark, "YAML aliases are not supported in templates");
      case YAML_SCALAR_EVENT:
        return ReadScalar(mark);
      case YAML_SEQUENCE_START_EVENT:
        return ReadList(mark, depth);
      case YAML_MAPPING_START_EVENT:
        return ReadMap(mark, depth);
      default:
        return source_.Refuse(mark, "YAML not well-formed: a value was expected");
    }
  }

  Result<> RefuseAnchor(const yaml_char_t* anchor, Mark mark) const {
    if (anchor == nullptr) return {};
    return source_.Refuse(mark, "YAML anchors are not supported in templates");
  }

  // `!Sub x` is `Fn::Sub: x`. The standard tags of strings, lists and maps say nothing new.
  Result<Node> ApplyTag(const std::string& tag, Node node) const {
    if (tag.empty() || tag == "!") return node;
    if (tag == YAML_STR_TAG || tag == YAML_SEQ_TAG || tag == YAML_MAP_TAG) return node;
    if (tag.size() < 2 || tag[0] != '!' || tag.find(':') != std::string::npos) {
      return source_.Refuse(node.mark, fmt::format("unsupported YAML tag {}", tag));
    }
    const std::string name = tag.substr(1);
    const bool bare = name == "Ref" || name == "Condition";
    Node call;
    call.kind = Node::Kind::kMap;
    call.mark = node.mark;
    const Mark mark = node.mark;
    call.entries.push_back({bare ? name : "Fn::" + name, mark, std::move(node)});
    return call;
  }

  Result<Node> ReadScalar(Mark mark) {
    const auto& scalar = event_.get().data.scalar;
    TRY(RefuseAnchor(scalar.anchor, mark));
    Node node;
    node.mark = mark;
    node.text.assign(reinterpret_cast<const char*>(scalar.value), scalar.length);
    node.plain = scalar.style == YAML_PLAIN_SCALAR_STYLE;
    const std::string tag = TextOf(scalar.tag);
    node.kind =
        node.plain && tag.empty() && IsNull(node.text) ? Node::Kind::kNull : Node::Kind::kScalar;
    return ApplyTag(tag, std::move(node));
  }

  Result<Node> ReadList(Mark mark, int depth) {
    TRY(RefuseAnchor(event_.get().data.sequence_start.anchor, mark));
    const std::string tag = TextOf(event_.get().data.sequence_start.tag);
    Node node;
    node.kind = Node::Kind::kList;
    node.mark = mark;
    for (;;) {
      TRY(Advance());
      if (event_.get().type == YAML_SEQUENCE_END_EVENT) break;
      TRY_ASSIGN(Node item, ReadNode(depth + 1));
      node.items.push_back(std::move(item));
    }
    return ApplyTag(tag, std::move(node));
  }

  Result<Node> ReadMap(Mark mark, int depth) {
    TRY(RefuseAnchor(event_.get().data.mapping_start.anchor, mark));
    const std::string tag = TextOf(event_.get().data.mapping_start.tag);
    Node node;
    node.kind = Node::Kind::kMap;
    node.mark = mark;
    std::set<std::string> seen;
    for (;;) {
      TRY(Advance());
      if (event_.get().type == YAML_MAPPING_END_EVENT) break;
      TRY_ASSIGN(Node key, ReadNode(depth + 1));
      if (!key.IsScalar()) return source_.Refuse(key.mark, "a key must be a string");
      if (!seen.insert(key.text).second) {
        return source_.Refuse(key.mark, fmt::format("the key {} is there twice", key.text));
      }
      TRY(Advance());
      TRY_ASSIGN(Node value, ReadNode(depth + 1));
      node.entries.push_back({std::move(key.text), key.mark, std::move(value)});
    }
    return ApplyTag(tag, std::move(node));
  }

  const Source& source_;
  yaml_parser_t parser_{};
  bool initialized_ = false;
  Event event_;
  std::size_t nodes_ = 0;
};

}  // namespace

Result<Node> ParseYaml(std::string_view text, const Source& source) {
  if (text.size() > kMaxTemplateBytes) return source.Refuse({}, "it is larger than 1 MiB");
  return Reader(text, source).Read();
}

}  // namespace howdah::cfn
