"""Requests as no client library would send them: signed like any other, but with whatever is in them.

What the API is comes from api/*.json, the models that the program is built from.
"""

import http.client
import json
import urllib.parse
import xml.etree.ElementTree

import botocore.auth
import botocore.awsrequest
import botocore.credentials

from harness import ROOT

API = ROOT / "api"


class Model:
    """One service of api/."""

    def __init__(self, name):
        self.name = name
        document = json.loads((API / f"{name}.json").read_text())
        self.metadata = document["metadata"]
        self.protocol = self.metadata["protocol"]
        self.operations = document["operations"]
        self.all_operations = document["all_operations"]
        self.shapes = document["shapes"]

    def input_of(self, operation):
        """The name of the shape that it takes, or None."""
        return self.operations[operation].get("input")


class Answer:
    """Status, body, and what an error says."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body
        self.code = self.message = None
        self.root = ""
        if status < 300:
            return
        if not body:  # to HEAD
            self.code = self.message = headers.get("x-amzn-errortype")
            return
        if "json" in headers.get("content-type", ""):
            document = json.loads(body)
            self.code = document["__type"].rsplit("#", 1)[-1]
            self.message = document.get("message", document.get("Message"))
        else:
            root = xml.etree.ElementTree.fromstring(body)
            for element in root.iter():
                tag = element.tag.rsplit("}", 1)[-1]
                if tag in ("Code", "Message"):
                    setattr(self, tag.lower(), element.text)
            self.root = root.tag.rsplit("}", 1)[-1]

    def __repr__(self):
        return f"{self.status} {self.code}: {self.message}"


class Wire:
    """A signed connection to one daemon."""

    def __init__(self, howdah):
        settings = json.loads(howdah.cli("env", "-o", "json").stdout)
        self._keys = botocore.credentials.Credentials(settings["AWS_ACCESS_KEY_ID"], settings["AWS_SECRET_ACCESS_KEY"])
        self._region = settings["AWS_REGION"]
        self._url = howdah.url
        self._connection = http.client.HTTPConnection("127.0.0.1", howdah.port, timeout=30)

    def close(self):
        self._connection.close()

    def send(self, service, body, headers, path="/", method="POST"):
        request = botocore.awsrequest.AWSRequest(method, self._url + path, data=body, headers=headers)
        botocore.auth.SigV4Auth(self._keys, service, self._region).add_auth(request)
        prepared = request.prepare()
        self._connection.request(method, path, body=body, headers=dict(prepared.headers.items()))
        answer = self._connection.getresponse()
        return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())

    def form(self, service, version, action, fields):
        """query and ec2: fields are (name, text) pairs."""
        body = urllib.parse.urlencode([("Action", action), ("Version", version), *fields]).encode()
        return self.send(service, body, {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"})

    def json(self, service, target, document, version="1.1"):
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        return self.send(service, body, {"Content-Type": f"application/x-amz-json-{version}", "X-Amz-Target": target})

    def call(self, model, action, value):
        """An operation of a model, with a value that need not be one that the model allows."""
        signing = model.metadata["signingName"]
        if model.protocol == "json":
            return self.json(signing, f"{model.metadata['targetPrefix']}.{action}", value)
        fields = []
        flatten(model, model.input_of(action), value, "", fields)
        return self.form(signing, model.metadata["apiVersion"], action, fields)


def flatten(model, name, value, prefix, fields):
    """value of shape `name` as form fields. What is not of the shape's type goes as its text."""
    shape = model.shapes[name] if name else {"type": "structure", "members": {}}
    kind = shape["type"]
    if kind == "structure" and isinstance(value, dict):
        for member, item in value.items():
            reference = shape["members"][member]
            flatten(model, reference["shape"], item, join(prefix, member_name(model, member, reference)), fields)
    elif kind == "list" and isinstance(value, list):
        if not shape.get("flattened") and model.protocol != "ec2":
            prefix = join(prefix, shape["member"].get("locationName", "member"))
        if not value:
            fields.append((prefix, ""))
        for i, item in enumerate(value):
            flatten(model, shape["member"]["shape"], item, f"{prefix}.{i + 1}", fields)
    elif kind == "map" and isinstance(value, dict):
        for i, (key, item) in enumerate(value.items()):
            fields.append((f"{prefix}.entry.{i + 1}.key", key))
            flatten(model, shape["value"]["shape"], item, f"{prefix}.entry.{i + 1}.value", fields)
    else:
        fields.append((prefix, str(value).lower() if isinstance(value, bool) else str(value)))


def join(prefix, name):
    return f"{prefix}.{name}" if prefix else name


def member_name(model, member, reference):
    if model.protocol == "ec2":
        name = reference.get("queryName") or reference.get("locationName") or member
        return name[:1].upper() + name[1:]
    return reference.get("locationName", member)
