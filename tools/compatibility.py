#!/usr/bin/env python3
"""Writes docs/compatibility.md: every operation of the served services as served, partly served, or refused.

    tools/compatibility.py            writes the page
    tools/compatibility.py --check    fails when the page is not what would be written

What is served comes from api/*.json, from which the program is built; tests/conformance/test_unserved.py asks the
running program for every operation and fails where it and the models disagree. What an operation leaves out is in
tools/compatibility.toml, by hand. The resource types of CloudFormation come from their table in the source.
"""

import json
import pathlib
import re
import sys
import textwrap
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/compatibility.md"
TYPES = ROOT / "src/services/cloudformation/template/resource_types.cc"
SERVICES = {"rds": "RDS", "ec2": "EC2", "secretsmanager": "Secrets Manager", "cloudformation": "CloudFormation",
            "sts": "STS"}

HEAD = """# Compatibility

Which operations of AWS's APIs Howdah serves. This page is generated: `tools/compatibility.py`.

*Served* is whole, with AWS's validation, codes and pages. *Partly* says what is left out; a parameter that is left out is
refused with AWS's error and never recorded and ignored. Everything else is *refused* with HTTP 400: `InvalidAction`, or
`UnknownOperationException` where the protocol is JSON. So is every operation of a service that is not on this page. How
what is served differs in behaviour from RDS: [differences](differences.md).
"""


def served_rows(model, notes):
    for operation in sorted(model["operations"]):
        note = notes.get(operation)
        yield f"| {operation} | {'partly: ' + note if note else 'served'} |"


def refused_names(model):
    names = sorted(set(model["all_operations"]) - set(model["operations"]))
    return textwrap.fill(", ".join(names), 120) if names else "None."


def section(name, title, notes):
    model = json.loads((ROOT / f"api/{name}.json").read_text())
    unknown = set(notes) - set(model["operations"])
    if unknown:
        sys.exit(f"tools/compatibility.toml: not served, so it has no place there: {name} {', '.join(sorted(unknown))}")
    served, known = len(model["operations"]), len(set(model["all_operations"]))
    rows = "\n".join(served_rows(model, notes))
    counts = (f"{served} of {known} operations, API version {model['metadata']['apiVersion']}: "
              f"{served - len(notes)} served, {len(notes)} partly, {known - served} refused.")
    return f"""
## {title}

{counts}

| operation | |
|---|---|
{rows}

Refused:

{refused_names(model)}
"""


def resource_types():
    types = re.findall(r'^\s*\{"(AWS::[A-Za-z0-9]+::[A-Za-z0-9]+)"', TYPES.read_text(), re.MULTILINE)
    return "\n## Resource types of CloudFormation\n\n" + "\n".join(f"- `{name}`" for name in sorted(types)) + "\n"


def page():
    notes = tomllib.loads((ROOT / "tools/compatibility.toml").read_text())
    return HEAD + "".join(section(name, title, notes.get(name, {})) for name, title in SERVICES.items()) + resource_types()


def main():
    text = page()
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(text)
    elif not PAGE.exists() or PAGE.read_text() != text:
        sys.exit("docs/compatibility.md is stale: run tools/compatibility.py")


if __name__ == "__main__":
    main()
