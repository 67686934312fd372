"""Inputs that a model forbids, made from the model: for an operation, every member once with each thing wrong with it.

`Sampler(model).valid(shape)` is the smallest value that the model allows; `violations(model, operation)` yields that
value with one thing wrong. Members of members are walked into, lists by their first item.
"""

import re

MAX_DEPTH = 3
# Texts to try against a pattern; the first that fits (or, for a violation, does not) is taken.
TEXTS = ("a", "a1", "aa", "1h", "us-west-2", "arn:aws:a:b:c", "00000000-0000-0000-0000-000000000000", "0" * 32, "x" * 32,
         "arn:aws:backup:us-west-2:123456789012:backup-job:a", "1.0", "true")
NO_TEXTS = ("\u20ac", "-", " ", "!", "{}", "a" * 300)


def fits(pattern, text):
    return re.fullmatch(pattern, text) is not None


class Sampler:
    def __init__(self, model):
        self._model = model

    def valid(self, name, depth=0):
        """The least value of shape `name` that the model allows."""
        shape = self._model.shapes[name]
        kind = shape["type"]
        if kind == "structure":
            return {member: self.valid(shape["members"][member]["shape"], depth + 1)
                    for member in shape.get("required", ())}
        if kind == "list":
            return [self.valid(shape["member"]["shape"], depth + 1) for _ in range(max(1, shape.get("min", 0)))]
        if kind == "map":
            return {"a": self.valid(shape["value"]["shape"], depth + 1)}
        if kind in ("string", "character"):
            return self._text(shape)
        if kind in ("integer", "long", "float", "double"):
            return shape.get("min", 1)
        if kind == "boolean":
            return False
        if kind == "timestamp":
            return "2026-01-01T00:00:00Z" if self._model.protocol != "json" else 1767225600
        return "YQ=="  # blob

    def _text(self, shape):
        if "enum" in shape:
            return shape["enum"][0]
        low, high = max(1, shape.get("min", 0)), shape.get("max", 1 << 20)
        candidates = [text for text in (*TEXTS, "a" * low) if low <= len(text) <= high]
        if "pattern" in shape:
            candidates = [text for text in candidates if fits(shape["pattern"], text)]
        return candidates[0]


class Violation:
    """An input, what is wrong with it, and the member that the answer must name."""

    def __init__(self, operation, path, what, value):
        self.operation, self.path, self.what, self.value = operation, path, what, value
        self.member = [part for part in path if isinstance(part, str)][-1]

    def __str__(self):
        return f"{self.operation} {'.'.join(map(str, self.path))} {self.what}"


def violations(model, operation):
    top = model.input_of(operation)
    if top is None:
        return
    base = Sampler(model).valid(top)
    yield from _of_structure(model, operation, top, base, (), lambda value: value)


def _of_structure(model, operation, name, base, path, around):
    """around(value) puts a value of this structure into a whole input."""
    shape = model.shapes[name]
    for member in shape.get("required", ()):
        kind = model.shapes[shape["members"][member]["shape"]]["type"]
        if kind == "map" or (kind in ("list", "structure") and model.protocol != "json"):
            continue  # an empty one and none look alike on the wire
        without = {key: value for key, value in base.items() if key != member}
        if path and not without and model.protocol != "json":
            continue  # of a structure that holds nothing, nothing travels
        yield Violation(operation, (*path, member), "missing", around(without))
    for member, reference in shape["members"].items():
        def put(value, member=member):
            return around({**base, member: value})
        yield from _of_value(model, operation, reference["shape"], (*path, member), put)


def _of_value(model, operation, name, path, put):
    shape = model.shapes[name]
    for what, value in _wrong(model, shape, name):
        yield Violation(operation, path, what, put(value))
    if len(path) >= MAX_DEPTH:
        return
    if shape["type"] == "structure":
        yield from _of_structure(model, operation, name, Sampler(model).valid(name), path, put)
    elif shape["type"] == "list":
        yield from _of_value(model, operation, shape["member"]["shape"], (*path, 1), lambda value: put([value]))


def _wrong(model, shape, name):
    """(what, value) pairs of values that the shape forbids."""
    kind = shape["type"]
    if kind == "string":
        if shape.get("min", 0) > 0 and model.protocol == "json":
            yield "too short", "a" * (shape["min"] - 1)
        if "max" in shape:
            yield "too long", "a" * (shape["max"] + 1)
        if "enum" in shape:
            yield "not one of the values", "no-such-value"
        if "pattern" in shape:
            text = next((t for t in NO_TEXTS if not fits(shape["pattern"], t)
                         and shape.get("min", 0) <= len(t) <= shape.get("max", 1 << 20)), None)
            if text:
                yield "against the pattern", text
        if model.protocol == "json":
            yield "of the wrong type", 7
    elif kind in ("integer", "long"):
        for bound, step in (("min", -1), ("max", 1)):
            if bound in shape:
                yield f"beyond {bound}", shape[bound] + step
        yield "of the wrong type", "seven"
    elif kind == "boolean":
        yield "of the wrong type", "perhaps"
    elif kind == "timestamp":
        yield "of the wrong type", "yesterday"
    elif kind == "list":
        item = Sampler(model).valid(shape["member"]["shape"])
        if 0 < shape.get("max", 0) <= 1000:
            yield "too many", [item] * (shape["max"] + 1)
        if model.protocol == "json":
            yield "of the wrong type", "no list"
    elif kind in ("structure", "map") and model.protocol == "json":
        yield "of the wrong type", "no object"
