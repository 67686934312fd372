"""The API's door, from outside: raw sockets, clients that are slow, wrong, many or hostile. Each limit is filled.

No answer to a client's mistake may be a 5xx or HTML, and nobody may keep others out.
"""

import datetime
import hashlib
import hmac
import json
import os
import re
import resource
import socket
import threading
import time
import unittest
import urllib.parse

from harness import Howdah, eventually

FORM = "application/x-www-form-urlencoded; charset=utf-8"


class Door:
    """Signs and sends requests byte by byte."""

    def __init__(self, howdah):
        self.address = ("127.0.0.1", howdah.port)
        self.host = f"127.0.0.1:{howdah.port}"
        settings = json.loads(howdah.cli("env", "-o", "json").stdout)
        self.key, self.secret = settings["AWS_ACCESS_KEY_ID"], settings["AWS_SECRET_ACCESS_KEY"]

    def connect(self, seconds=60):
        return socket.create_connection(self.address, timeout=seconds)

    def send(self, data, seconds=60):
        """Everything that comes back until the server closes."""
        with self.connect(seconds) as connection:
            connection.sendall(data)
            return read_all(connection)

    def signature(self, text, date, scope):
        key = b"AWS4" + self.secret.encode()
        for part in scope.split("/"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        hashed = hashlib.sha256(text.encode()).hexdigest()
        return hmac.new(key, f"AWS4-HMAC-SHA256\n{date}\n{scope}\n{hashed}".encode(), hashlib.sha256).hexdigest()

    def signed(self, service, body=b"", method="POST", target="/", headers=(), unsigned=(), skew=0, close=True,
               region="us-west-2", day=None):
        """A whole request."""
        date = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=skew)).strftime("%Y%m%dT%H%M%SZ")
        fields = [("host", self.host), ("x-amz-date", date), *headers]
        names = ";".join(sorted({name for name, _ in fields}))
        lines = "".join(f"{name}:{','.join(v for n, v in fields if n == name)}\n" for name in names.split(";"))
        path, _, query = target.partition("?")
        query = "&".join(sorted(query.split("&")))
        text = f"{method}\n{path}\n{query}\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
        scope = f"{day or date[:8]}/{region}/{service}/aws4_request"
        authorization = (f"AWS4-HMAC-SHA256 Credential={self.key}/{scope}, SignedHeaders={names}, "
                         f"Signature={self.signature(text, date, scope)}")
        head = [f"{method} {target} HTTP/1.1", *(f"{n}: {v}" for n, v in fields), f"Authorization: {authorization}"]
        head += [f"{n}: {v}" for n, v in unsigned]
        if not any(n == "Transfer-Encoding" for n, _ in unsigned):
            head.append(f"Content-Length: {len(body)}")
        if close:
            head.append("Connection: close")
        return "\r\n".join(head).encode() + b"\r\n\r\n", body

    def call(self, service, body=b"", **more):
        head, body = self.signed(service, body, **more)
        return Answer(self.send(head + body))

    def secrets(self, operation, body, **more):
        more["headers"] = [("x-amz-target", f"secretsmanager.{operation}"), *more.get("headers", ())]
        return self.call("secretsmanager", body if isinstance(body, bytes) else json.dumps(body).encode(), **more)


class Answer:
    def __init__(self, data):
        head, _, self.body = data.partition(b"\r\n\r\n")
        self.head = head.decode("latin-1")
        self.status = int(self.head.split()[1]) if self.head else None
        self.text = self.body.decode()

    def code(self):
        found = re.search(r"<Code>(.*?)</Code>", self.text) or re.search(r'"__type":"(.*?)"', self.text)
        return found and found.group(1)


def read_all(connection):
    data = b""
    try:
        while chunk := connection.recv(65536):
            data += chunk
    except ConnectionResetError:
        pass
    return data


class ApiDoor(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.howdah = Howdah().start()
        cls.addClassCleanup(cls.howdah.stop)
        cls.door = Door(cls.howdah)
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
        cls.addClassCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))

    def works(self):
        """A client that does everything right is served, at once."""
        began = time.monotonic()
        self.assertEqual(self.door.call("sts", b"Action=GetCallerIdentity&Version=2011-06-15").status, 200)
        return time.monotonic() - began

    def assert_refused(self, answer, statuses=(400, 403, 404, 405, 413)):
        self.assertIn(answer.status, statuses, answer.head)
        self.assertNotIn("html", answer.head.lower() + answer.text.lower())
        self.assertIn("x-amzn-requestid", answer.head.lower())

    # --- time

    def test_slow_senders_are_cut_off_and_keep_nobody_out(self):
        """Dripped headers end after 10 s, a dripped body after 30 s, whatever trickles in; meanwhile others are served."""
        head, _ = self.door.signed("secretsmanager", b"x" * 100, headers=[("x-amz-target", "secretsmanager.GetSecretValue")])
        answers = {}

        def drip(name, start, piece):
            with self.door.connect() as connection:
                began = time.monotonic()
                connection.sendall(start)
                connection.settimeout(0.5)
                data = b""
                while time.monotonic() - began < 60 and not data:
                    try:
                        connection.sendall(piece)
                        data = connection.recv(65536)
                        if not data:
                            break
                    except TimeoutError:
                        continue
                    except ConnectionError:
                        break
                answers[name] = (time.monotonic() - began, Answer(data))

        slow = [threading.Thread(target=drip, args=("header", b"POST / HTTP/1.1\r\nX-", b"a")),
                threading.Thread(target=drip, args=("body", head, b"a"))]
        for thread in slow:
            thread.start()
        took = [self.works() for _ in range(10)]
        for thread in slow:
            thread.join()
        self.assertLess(max(took), 2)
        seconds, answer = answers["header"]
        self.assertEqual(answer.status, 408)
        self.assertTrue(9 < seconds < 13, seconds)
        seconds, answer = answers["body"]
        self.assertEqual((answer.status, answer.code()), (408, "RequestTimeoutException"))
        self.assertTrue(29 < seconds < 34, seconds)

    def test_a_thousand_slow_headers_do_not_lock_the_door(self):
        held = []
        self.addCleanup(lambda: [c.close() for c in held])
        for _ in range(1000):
            held.append(self.door.connect())
            held[-1].sendall(b"POST / HTTP/1.1\r\nHost: h\r\n")
        eventually(lambda: self.door.call("sts", b"Action=GetCallerIdentity").status == 200, 5, "an answer")

    # --- number

    def test_thousands_of_connections(self):
        """Idle ones give their places to those who ask; the daemon's own are bounded."""
        held = []
        self.addCleanup(lambda: [c.close() for c in held])
        for _ in range(3000):
            held.append(self.door.connect())
        self.assertLess(self.works(), 2)
        self.assertLess(len(os.listdir(f"/proc/{self.howdah.serve.pid}/fd")), 700)
        for connection in held:
            connection.close()
        self.works()

    def test_without_descriptors_clients_are_refused_cleanly(self):
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)
        howdah = Howdah()
        self.addCleanup(howdah.stop)
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, limit[1]))
        try:
            howdah.start()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limit)
        door = Door(howdah)
        held = []
        head, body = door.signed("sts", b"Action=GetCallerIdentity", close=False)
        for _ in range(100):
            held.append(door.connect(10))
            held[-1].sendall(head + body)
            self.assertRegex(held[-1].recv(65536)[:12], rb"HTTP/1.1 (200|503)")
        for connection in held:
            connection.close()
        eventually(lambda: door.call("sts", b"Action=GetCallerIdentity").status == 200, 5, "recovery")
        log = (howdah.base / "serve.log").read_text()
        self.assertLess(log.count("accepting a connection"), 5)
        self.assertGreater(log.count("accepting a connection"), 0)

    # --- size and form

    def test_huge_bodies_are_refused_in_the_services_own_form(self):
        head, _ = self.door.signed("rds", b"", headers=[("content-type", FORM)], close=False)
        head = head.replace(b"Content-Length: 0", b"Content-Length: 3000000")
        answer = Answer(self.door.send(head + b"x" * 100_000))
        self.assertEqual((answer.status, answer.code()), (413, "RequestEntityTooLarge"))
        self.assertIn("<ErrorResponse", answer.text)
        head, _ = self.door.signed("secretsmanager", b"", headers=[("x-amz-target", "secretsmanager.CreateSecret")],
                                   unsigned=[("Transfer-Encoding", "chunked")], close=False)
        answer = Answer(self.door.send(head + b"ffffff\r\n" + b"x" * 2_200_000))
        self.assertEqual((answer.status, answer.code()), (413, "RequestEntityTooLargeException"))
        head, _ = self.door.signed("ec2", b"", close=False)
        answer = Answer(self.door.send(head.replace(b"Content-Length: 0", b"Content-Length: 99999999999999999999")))
        self.assertIn(answer.status, (400, 413))

    def test_malformed_http(self):
        for data in (b"\r\n\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 40,
                     b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
                     b"GET / HTTP/1.1\r\nHost : h\r\n\r\n", b"GET /\x00 HTTP/1.1\r\nHost: h\r\n\r\n",
                     b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
                     b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n", b"GET / HTTP/1.1\r\nX: " + b"x" * 40_000 + b"\r\n\r\n",
                     b"POST / HTTP/1.1\r\nHost: h\r\nExpect: magic\r\n\r\n"):
            with self.subTest(data[:60]):
                answer = Answer(self.door.send(data))
                if answer.status != 505:
                    self.assert_refused(answer, (400, 403, 417, 431))

    def test_bad_encodings(self):
        rds = "Action=DescribeDBInstances&Version=2014-10-31&"
        for form in ("DBInstanceIdentifier=%", "DBInstanceIdentifier=%4", "DBInstanceIdentifier=%zz", "DBInstanceIdentifier=%ff",
                     "DBInstanceIdentifier=%00", "%00=x", "DBInstanceIdentifier=a&DBInstanceIdentifier=b",
                     "Filters.Filter.one.Name=x", "Filters.Filter.99999999999.Name=x", "Filters.1.Name=x",
                     "MaxRecords=1e9", "MaxRecords=99999999999999999999", "Filters." * 30 + "x=1", "Filters.Filter.1=x"):
            with self.subTest(form[:60]):
                answer = self.door.call("rds", (rds + form).encode())
                self.assertEqual(answer.status, 400, answer.text)
                self.assertIn("<ErrorResponse", answer.text)
        for body in (b"{", b"[]", b"\xff\xfe", b'{"SecretId":"\xc3"}', b'{"SecretId":' + b"[" * 200_000, b'{"SecretId":"\\ud800"}',
                     b'{"SecretId":' + b'{"a":' * 1000 + b"1" + b"}" * 1001, b"null", b'{"SecretId":["a"]}'):
            with self.subTest(body[:60]):
                answer = self.door.secrets("GetSecretValue", body)
                self.assertEqual((answer.status, answer.code()), (400, "SerializationException"), answer.text)
        gaps = "Filters.Filter.1000000000.Name=engine&Filters.Filter.1000000000.Values.Value.5=postgres"
        self.assertEqual(self.door.call("rds", (rds + gaps).encode()).status, 200)
        many = "&".join(f"Filters.Filter.1.Values.Value.{n}=x" for n in range(1, 30_000))
        self.assertEqual(self.door.call("rds", (rds + many).encode()).code(), "MalformedQueryString")

    def test_every_legal_way_to_ask(self):
        call = "Action=GetCallerIdentity&Version=2011-06-15"
        for method, target, body in (("POST", "/", call), ("POST", "/?" + call, ""), ("GET", "/?" + call, ""),
                                     ("POST", "/?Action=GetCallerIdentity", "Version=2011-06-15")):
            answer = self.door.call("sts", body.encode(), method=method, target=target)
            self.assertIn("<GetCallerIdentityResult>", answer.text, (method, target))
        for method in ("HEAD", "OPTIONS", "PUT", "DELETE", "TRACE", "CONNECT"):
            self.assertEqual(self.door.call("sts", method=method, target="/").status, 405, method)
            self.assert_refused(Answer(self.door.send(f"{method} / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n".encode())))
        self.assertEqual(self.door.call("sts", method="HEAD", target="/?" + call).body, b"")

    def test_pipelining_keep_alive_chunks_and_expectations(self):
        head, body = self.door.signed("sts", b"Action=GetCallerIdentity", close=False)
        last, _ = self.door.signed("sts", b"Action=GetCallerIdentity")
        self.assertEqual(self.door.send((head + body) * 50 + last + body).count(b"<GetCallerIdentityResult>"), 51)
        with self.door.connect() as connection:
            for _ in range(3):
                connection.sendall(head + body)
                self.assertTrue(connection.recv(65536).startswith(b"HTTP/1.1 200"))
        chunked, _ = self.door.signed("sts", body, unsigned=[("Transfer-Encoding", "chunked")])
        answer = Answer(self.door.send(chunked + b"6\r\nAction\r\n12;x=y\r\n=GetCallerIdentity\r\n0\r\nTrailer: x\r\n\r\n"))
        self.assertEqual(answer.status, 200, answer.text)
        expecting, _ = self.door.signed("sts", body, unsigned=[("Expect", "100-continue")])
        with self.door.connect() as connection:
            connection.sendall(expecting)
            self.assertEqual(connection.recv(65536), b"HTTP/1.1 100 Continue\r\n\r\n")
            connection.sendall(body)
            self.assertTrue(read_all(connection).startswith(b"HTTP/1.1 200"))

    # --- signatures

    def test_signatures(self):
        call = b"Action=GetCallerIdentity"

        def code(service="sts", **more):
            answer = self.door.call(service, call, **more)
            return answer.status if answer.status == 200 else (answer.status, answer.code())

        self.assertEqual(code(skew=-280), 200)
        self.assertEqual(code(skew=+280), 200)
        self.assertEqual(code(skew=-400), (400, "RequestExpired"))
        self.assertEqual(code(skew=+400), (403, "SignatureDoesNotMatch"))
        self.assertEqual(code("ec2", skew=-400), (400, "RequestExpired"))
        self.assertEqual(code("ec2", skew=+400), (401, "AuthFailure"))
        self.assertEqual(code(day="20200101"), (403, "SignatureDoesNotMatch"))
        self.assertEqual(code(headers=[("x-amz-security-token", "FwoGZXIvYXdz")]), (403, "InvalidClientTokenId"))
        self.assertEqual(code(headers=[("x-amz-content-sha256", "UNSIGNED-PAYLOAD")]), (403, "SignatureDoesNotMatch"))
        self.assertEqual(code(unsigned=[("X-Amz-Meta", "x")]), (403, "SignatureDoesNotMatch"))
        self.assertEqual(code(unsigned=[("x-amz-date", "20261123T000000Z")])[1], "IncompleteSignature")
        answer = self.door.secrets("ListSecrets", {}, skew=-400)
        self.assertEqual((answer.status, answer.code()), (400, "InvalidSignatureException"))
        answer = self.door.secrets("ListSecrets", {}, headers=[("x-amz-security-token", "FwoG")])
        self.assertEqual((answer.status, answer.code()), (400, "UnrecognizedClientException"))
        head, body = self.door.signed("sts", call)  # again within its window: as on AWS
        self.assertEqual([Answer(self.door.send(head + body)).status for _ in range(2)], [200, 200])
        self.assertEqual(Answer(self.door.send(head + b"Action=GetCallerIdentitx")).code(), "SignatureDoesNotMatch")

    def test_presigned_urls(self):
        url = self.howdah.client("sts").generate_presigned_url("get_caller_identity", ExpiresIn=60, HttpMethod="GET")
        target = urllib.parse.urlsplit(url)._replace(scheme="", netloc="").geturl()

        def get(target):
            return Answer(self.door.send(f"GET {target} HTTP/1.1\r\nHost: {self.door.host}\r\nConnection: close\r\n\r\n".encode()))

        self.assertIn("<GetCallerIdentityResult>", get(target).text)
        self.assertEqual(get(target.replace("Expires=60", "Expires=61")).code(), "SignatureDoesNotMatch")
        self.assertEqual(get(target.replace("Expires=60", "Expires=999999")).code(), "IncompleteSignature")

    def test_a_refused_client_learns_nothing_of_the_daemon(self):
        text = self.door.send(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").decode().lower()
        for word in ("howdah", "boost", "beast", "server:"):
            self.assertNotIn(word, text)


if __name__ == "__main__":
    unittest.main()
