// One walk over the tables for each direction.
#include "aws/shape_xml.h"

#include "aws/scalar.h"

namespace howdah::aws {
namespace {

void WriteValue(XmlWriter& writer, const ShapeDesc& shape, std::string_view name,
                const void* value);

void WriteItems(XmlWriter& writer, const ShapeDesc& shape, std::string_view name,
                const void* value) {
  for (std::size_t i = 0; i < shape.list->size(value); ++i) {
    WriteValue(writer, *shape.element, name, shape.list->at(value, i));
  }
}

void WriteEntries(XmlWriter& writer, const ShapeDesc& shape, const void* value) {
  struct Context {
    XmlWriter* writer;
    const ShapeDesc* shape;
  } context{&writer, &shape};
  shape.map->each(value, &context, [](void* raw, const std::string& key, const void* item) {
    const auto& at = *static_cast<Context*>(raw);
    at.writer->Open("entry");
    at.writer->Leaf(at.shape->key_wire, key);
    WriteValue(*at.writer, *at.shape->element, at.shape->element_wire, item);
    at.writer->Close("entry");
  });
}

void WriteValue(XmlWriter& writer, const ShapeDesc& shape, std::string_view name,
                const void* value) {
  if (shape.kind != Kind::kStructure && shape.kind != Kind::kList && shape.kind != Kind::kMap) {
    return writer.Leaf(name, FormatScalar(shape, value));
  }
  writer.Open(name);
  if (shape.kind == Kind::kStructure) EncodeXml(writer, shape, value);
  if (shape.kind == Kind::kList) WriteItems(writer, shape, shape.element_wire, value);
  if (shape.kind == Kind::kMap) WriteEntries(writer, shape, value);
  writer.Close(name);
}

Result<> ReadValue(const XmlNode& node, const ShapeDesc& shape, void* value) {
  if (shape.kind == Kind::kStructure) return DecodeXml(node, shape, value);
  if (shape.kind == Kind::kList) {
    for (const XmlNode& child : node.children) {
      if (child.name != shape.element_wire) continue;
      TRY(ReadValue(child, *shape.element, shape.list->append(value)));
    }
    return {};
  }
  if (shape.kind == Kind::kMap) {
    for (const XmlNode& entry : node.children) {
      const XmlNode* key = entry.Child(shape.key_wire);
      const XmlNode* item = entry.Child(shape.element_wire);
      if (!key || !item) return Fail(Code::kInvalid, "a map entry lacks its key or its value");
      TRY(ReadValue(*item, *shape.element, shape.map->insert(value, key->text)));
    }
    return {};
  }
  if (ParseScalar(shape, node.text, value)) return {};
  return Fail(Code::kInvalid, node.name + " must " + std::string(ScalarRule(shape)));
}

Result<> ReadFlattened(const XmlNode& node, const MemberDesc& member, void* value) {
  for (const XmlNode& child : node.children) {
    if (child.name != member.wire) continue;
    void* list = member.slot->emplace(SlotOf(member, value));
    TRY(ReadValue(child, *member.shape->element, member.shape->list->append(list)));
  }
  return {};
}

}  // namespace

void EncodeXml(XmlWriter& writer, const ShapeDesc& shape, const void* value) {
  for (const MemberDesc& member : shape.members) {
    const bool list = member.shape->kind == Kind::kList;
    // A list is its own slot, so an empty one that nobody named can be written as well.
    const void* item =
        list ? static_cast<const std::byte*>(value) + member.offset : ValueOf(member, value);
    if (list && shape.omits_empty_lists && member.shape->list->size(item) == 0) continue;
    if (list && member.flattened) {
      WriteItems(writer, *member.shape, member.wire, item);
    } else if (item) {
      WriteValue(writer, *member.shape, member.wire, item);
    }
  }
}

Result<> DecodeXml(const XmlNode& node, const ShapeDesc& shape, void* value) {
  for (const MemberDesc& member : shape.members) {
    if (member.flattened && member.shape->kind == Kind::kList) {
      TRY(ReadFlattened(node, member, value));
    } else if (const XmlNode* child = node.Child(member.wire)) {
      TRY(ReadValue(*child, *member.shape, member.slot->emplace(SlotOf(member, value))));
    }
  }
  return {};
}

}  // namespace howdah::aws
