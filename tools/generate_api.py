#!/usr/bin/env python3
"""Generates C++ from one trimmed model: generate_api.py api/rds.json OUT.h OUT.cc

The header has a plain struct for each shape that travels, a tag for each operation and a function
for each modelled fault. The source has the tables of src/aws/shape.h that describe them. The build
runs this; only the standard library is used. Names: DBInstanceIdentifier -> db_instance_identifier.
"""

import json
import pathlib
import re
import sys

SCALARS = {
    "string": ("std::string", "kString"),
    "character": ("std::string", "kString"),
    "integer": ("std::int64_t", "kInteger"),
    "long": ("std::int64_t", "kInteger"),
    "float": ("double", "kDouble"),
    "double": ("double", "kDouble"),
    "boolean": ("bool", "kBoolean"),
    "timestamp": ("WallTime", "kTimestamp"),
    "blob": ("Blob", "kBlob"),
}
# Answers that AWS leaves out the empty lists of: scripts ask whether the whole structure is empty.
WITHOUT_EMPTY_LISTS = {"PendingModifiedValues"}
KEYWORDS = set("""
    alignas and auto bool break case catch char class const continue default delete do double else
    enum explicit export extern false float for friend goto if inline int long mutable namespace new
    not operator or private protected public register requires return short signed sizeof static
    struct switch template this throw true try typedef union unsigned using virtual void volatile
    while xor""".split())


def snake(name):
    """MultiAZ -> multi_az, NotificationARNs -> notification_arns."""
    name = re.sub(r"([A-Z]{2,})s(?=[A-Z]|$)", lambda m: m.group(1).capitalize() + "s", name)
    name = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name)
    name = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower().replace("-", "_")
    return name + "_" if name in KEYWORDS else name


def quote(text):
    """A C++ string literal. JSON's escapes for ASCII are C++'s too, and the rest stays as it is."""
    return json.dumps(text, ensure_ascii=False)


def upper_first(text):
    return text[:1].upper() + text[1:]


class Model:
    def __init__(self, path):
        self.name = path.stem
        document = json.loads(path.read_text())
        self.metadata = document["metadata"]
        self.namespace = self.metadata.get("namespace", self.name)
        self.operations = document["operations"]
        self.shapes = document["shapes"]
        self.all_operations = sorted(document["all_operations"])
        self.protocol = self.metadata["protocol"]
        inputs = [o["input"] for o in self.operations.values() if "input" in o]
        outputs = [o["output"] for o in self.operations.values() if "output" in o]
        self.input_shapes = set(self.reach(inputs))
        self.used = self.reach(inputs + outputs)  # each after what it refers to
        self.structures = [n for n in self.used if self.shapes[n]["type"] == "structure"]
        for name in self.operations:
            if name in self.structures:
                sys.exit(f"operation {name} and shape {name} have one name")

    def references(self, name):
        shape = self.shapes[name]
        found = [member["shape"] for member in shape.get("members", {}).values()]
        return found + [shape[part]["shape"] for part in ("member", "key", "value") if part in shape]

    def reach(self, roots):
        order, open_now, done = [], set(), set()

        def visit(name):
            if name in done:
                return
            if name in open_now:
                sys.exit(f"{self.name}: shape {name} contains itself, which is not served")
            open_now.add(name)
            for reference in self.references(name):
                visit(reference)
            done.add(name)
            order.append(name)

        for root in sorted(roots):
            visit(root)
        return order

    def cxx_type(self, name):
        shape = self.shapes[name]
        if shape["type"] == "structure":
            return name
        if shape["type"] == "list":
            return f"List<{self.cxx_type(shape['member']['shape'])}>"
        if shape["type"] == "map":
            return f"Map<{self.cxx_type(shape['value']['shape'])}>"
        return SCALARS[shape["type"]][0]

    def slot(self, name):
        """The C++ type of a member, and the operations of its slot."""
        shape, value = self.shapes[name], self.cxx_type(name)
        if shape["type"] == "list":
            return value, f"kListSlot<{self.cxx_type(shape['member']['shape'])}>"
        if shape["type"] == "map":
            return value, f"kMapSlot<{self.cxx_type(shape['value']['shape'])}>"
        return f"std::optional<{value}>", f"kOptionalSlot<{value}>"

    def location(self, reference):
        return reference.get("locationName", self.shapes[reference["shape"]].get("locationName"))

    def flattened(self, reference):
        return bool(reference.get("flattened") or self.shapes[reference["shape"]].get("flattened"))

    def query_name(self, name, reference):
        location = self.location(reference)
        if self.protocol == "ec2":
            return reference.get("queryName") or upper_first(location or name)
        target = self.shapes[reference["shape"]]
        if self.flattened(reference) and target["type"] == "list":
            return self.location(target["member"]) or location or name
        return location or name

    def faults(self):
        for name, shape in sorted(self.shapes.items()):
            if shape.get("exception"):
                error = shape.get("error", {})
                ours = shape.get("fault", False)
                yield (name, error.get("code", name),
                       error.get("httpStatusCode", 500 if ours else 400),
                       error.get("senderFault", not ours))


def header(model):
    out = [f"// Generated from api/{model.name}.json: do not edit.",
           "#pragma once", "",
           "#include <cstdint>", "#include <optional>", "#include <string>", "#include <string_view>",
           "", '#include "aws/fault.h"', '#include "aws/shape.h"', "",
           f"namespace howdah::aws::{model.namespace} {{", "",
           "extern const ServiceDesc kService;", ""]
    for name in model.structures:
        out.append(f"struct {name} {{")
        for member, reference in model.shapes[name].get("members", {}).items():
            out.append(f"  {model.slot(reference['shape'])[0]} {snake(member)}{{}};")
        out += ["};", ""]
    out += ["// One tag for each operation that is served.", ""]
    for name, operation in model.operations.items():
        out += [f"struct {name} {{",
                f"  using Input = {operation.get('input', 'Empty')};",
                f"  using Output = {operation.get('output', 'Empty')};",
                f"  static constexpr std::string_view kName = {quote(name)};",
                "  static const OperationDesc& Desc();",
                "  static const ServiceDesc& OfService() { return kService; }",
                "};", ""]
    out += ["// The modelled faults, by the names of their shapes.", "namespace fault {"]
    out += [f"Fault {name}(std::string message);" for name, *_ in model.faults()]
    out += ["}  // namespace fault", "", f"}}  // namespace howdah::aws::{model.namespace}", ""]
    return "\n".join(out)


def member_rows(model, name):
    shape = model.shapes[name]
    for member, reference in shape.get("members", {}).items():
        yield ("    {.name = %s, .query = %s, .wire = %s, .shape = &kShape_%s, .slot = &%s, "
               ".offset = offsetof(%s, %s), .required = %s, .flattened = %s}," % (
                   quote(member), quote(model.query_name(member, reference)),
                   quote(model.location(reference) or member), reference["shape"],
                   model.slot(reference["shape"])[1], name, snake(member),
                   str(member in shape.get("required", [])).lower(),
                   str(model.flattened(reference)).lower()))


def container_fields(model, shape):
    if shape["type"] == "list":
        reference = shape["member"]
        flat = model.protocol == "ec2" or shape.get("flattened", False)
        wire = model.location(reference) or "member"
        return [f".element = &kShape_{reference['shape']}",
                f".element_query = {quote('' if flat else wire)}",
                f".element_wire = {quote(wire)}",
                f".list = &kListOps<{model.cxx_type(reference['shape'])}>"]
    return [f".element = &kShape_{shape['value']['shape']}",
            f".element_query = {quote(model.location(shape['value']) or 'value')}",
            f".element_wire = {quote(model.location(shape['value']) or 'value')}",
            f".key_wire = {quote(model.location(shape['key']) or 'key')}",
            f".map = &kMapOps<{model.cxx_type(shape['value']['shape'])}>"]


def bounds(model, name):
    """Bounds matter only on the way in."""
    shape = model.shapes[name]
    fields = []
    if name in model.input_shapes:
        fields += [f".{side} = {int(shape[side])}" for side in ("min", "max") if side in shape]
        if shape.get("pattern") not in (None, "[\\s\\S]*") and "\\u" not in shape["pattern"]:
            fields.append(f".pattern = {quote(shape['pattern'])}")
        if "enum" in shape:
            fields.append(f".values = kValues_{name}")
    if shape.get("sensitive"):
        fields.append(".sensitive = true")
    return fields


def shape_table(model, name):
    shape = model.shapes[name]
    out = []
    kind = {"structure": "kStructure", "list": "kList", "map": "kMap"}.get(shape["type"])
    fields = [f".kind = Kind::{kind or SCALARS[shape['type']][1]}", f".name = {quote(name)}"]
    if kind == "kStructure" and shape.get("members"):
        out += [f"constexpr MemberDesc kMembers_{name}[] = {{", *member_rows(model, name), "};"]
        fields.append(f".members = kMembers_{name}")
        if name in WITHOUT_EMPTY_LISTS:
            fields.append(".omits_empty_lists = true")
    elif kind in ("kList", "kMap"):
        fields += container_fields(model, shape)
    if "enum" in shape and name in model.input_shapes:
        values = ", ".join(quote(value) for value in shape["enum"])
        out.append(f"constexpr std::string_view kValues_{name}[] = {{{values}}};")
    fields += bounds(model, name)
    return out + [f"constexpr ShapeDesc kShape_{name} = {{{', '.join(fields)}}};"]


def operation_tables(model):
    out = []
    for name, operation in model.operations.items():
        sides = [f"&kShape_{operation[side]}" if side in operation else "nullptr"
                 for side in ("input", "output")]
        out.append(f"constexpr OperationDesc kOperation_{name} = {{{quote(name)}, "
                   f"{', '.join(sides)}, {quote(operation.get('resultWrapper', ''))}}};")
    rows = ", ".join(f"&kOperation_{name}" for name in sorted(model.operations))
    every = ", ".join(quote(name) for name in model.all_operations)
    return out + [f"constexpr const OperationDesc* kOperations[] = {{{rows}}};",
                  f"constexpr std::string_view kAllOperations[] = {{{every}}};"]


def source(model):
    meta = model.metadata
    protocol = {"query": "kQuery", "ec2": "kEc2", "json": "kJson"}[meta["protocol"]]
    out = [f"// Generated from api/{model.name}.json: do not edit.",
           f'#include "aws/generated/{model.name}.h"', "", "#include <cstddef>", "",
           "// The shapes hold only members and no virtual base: clang defines offsetof for them.",
           '#pragma clang diagnostic ignored "-Winvalid-offsetof"', "",
           f"namespace howdah::aws::{model.namespace} {{", "namespace {", ""]
    for name in model.used:
        out += shape_table(model, name)
    out += ["", *operation_tables(model), "", "}  // namespace", "",
            "const ServiceDesc kService = {",
            f"    .name = {quote(model.name)},",
            f"    .protocol = Protocol::{protocol},",
            f"    .api_version = {quote(meta['apiVersion'])},",
            f"    .xml_namespace = {quote(meta.get('xmlNamespace', ''))},",
            f"    .target_prefix = {quote(meta.get('targetPrefix', ''))},",
            f"    .json_version = {quote(meta.get('jsonVersion', ''))},",
            f"    .signing_name = {quote(meta['signingName'])},",
            "    .operations = kOperations,", "    .all_operations = kAllOperations};", ""]
    for name in model.operations:
        out.append(f"const OperationDesc& {name}::Desc() {{ return kOperation_{name}; }}")
    out += ["", "namespace fault {"]
    for name, code, status, sender in model.faults():
        out.append(f"Fault {name}(std::string message) {{ return {{{quote(code)}, {status}, "
                   f"std::move(message), {str(sender).lower()}}}; }}")
    out += ["}  // namespace fault", "", f"}}  // namespace howdah::aws::{model.namespace}", ""]
    return "\n".join(out)


def main():
    model_path, header_path, source_path = (pathlib.Path(argument) for argument in sys.argv[1:4])
    model = Model(model_path)
    header_path.parent.mkdir(parents=True, exist_ok=True)
    header_path.write_text(header(model))
    source_path.write_text(source(model))


if __name__ == "__main__":
    main()
