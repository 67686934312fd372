"""The API's speed beside moto's server, and with many instances known.

    ./dev bench api [--seconds N] [--rounds N] [--known 100,1000]

Both servers get the very same signed requests over kept connections, in turn, in one session; what is printed is the
median of the rounds, and the ratio of Howdah's rate to moto's. Howdah verifies every signature and makes every secret
durable; moto keeps what it knows in memory and verifies nothing.

The instances that are "known" are copies of the documents of one stopped instance, written into the store while the
daemon is down: records, interfaces and nodes as they would be, without a thousand servers.
"""

import argparse
import datetime
import hashlib
import hmac
import itertools
import json
import os
import pathlib
import random
import re
import selectors
import shutil
import socket
import sqlite3
import statistics
import subprocess
import sys
import time
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests/system"))
from harness import Howdah, eventually, free_port  # noqa: E402

REGION = "us-west-2"


class Signer:
    """Signs requests as a client library does, fast enough not to be what is measured."""

    def __init__(self, port, key, secret):
        self.host, self.key, self.secret = f"127.0.0.1:{port}", key, secret

    def request(self, service, body, target=None, method="POST"):
        date = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        kind = "application/x-amz-json-1.1" if target else "application/x-www-form-urlencoded; charset=utf-8"
        fields = {"content-type": kind, "host": self.host, "x-amz-date": date}
        if target:
            fields["x-amz-target"] = target
        names = ";".join(fields)
        lines = "".join(f"{name}:{value}\n" for name, value in fields.items())
        text = f"{method}\n/\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
        scope = f"{date[:8]}/{REGION}/{service}/aws4_request"
        key = b"AWS4" + self.secret.encode()
        for part in scope.split("/"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        hashed = hashlib.sha256(text.encode()).hexdigest()
        signature = hmac.new(key, f"AWS4-HMAC-SHA256\n{date}\n{scope}\n{hashed}".encode(), hashlib.sha256).hexdigest()
        fields["authorization"] = (f"AWS4-HMAC-SHA256 Credential={self.key}/{scope}, SignedHeaders={names}, "
                                   f"Signature={signature}")
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        return f"{method} / HTTP/1.1\r\n{head}content-length: {len(body)}\r\n\r\n".encode() + body

    # Each gives an endless row of requests.

    def describe(self, more=""):
        request = self.request("rds", f"Action=DescribeDBInstances&Version=2014-10-31{more}".encode())
        return itertools.repeat(request)

    def identity(self):
        return itertools.repeat(self.request("sts", b"Action=GetCallerIdentity&Version=2011-06-15"))

    def create_secret(self, count=40000):
        """As many as may be asked for are signed before the clock runs."""
        made = [self.request("secretsmanager", json.dumps({
            "Name": f"bench/{uuid.uuid4()}", "ClientRequestToken": str(uuid.uuid4()),
            "SecretString": '{"username":"u","password":"correct horse battery staple"}'}).encode(),
            "secretsmanager.CreateSecret") for _ in range(count)]
        return iter(made)


class Client:
    """One connection that asks again as soon as it is answered."""

    def __init__(self, port):
        self.port, self.socket, self.buffer, self.failures = port, None, b"", 0

    def ask(self, request, selector):
        if self.socket is None:
            self.socket = socket.create_connection(("127.0.0.1", self.port))
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(self.socket, selectors.EVENT_READ, self)
        self.began = time.perf_counter()
        self.socket.sendall(request)

    def take(self, selector):
        """The seconds that the answer took, once it is whole."""
        chunk = self.socket.recv(1 << 20)
        self.buffer += chunk
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            if not chunk:
                raise RuntimeError("the server closed without an answer")
            return None
        head = self.buffer[:end].lower()
        length = re.search(rb"content-length: *(\d+)", head)
        if len(self.buffer) < end + 4 + int(length.group(1)):
            return None
        self.failures += not head.startswith((b"http/1.1 200", b"http/1.0 200"))
        took = time.perf_counter() - self.began
        if b"connection: close" in head or head.startswith(b"http/1.0"):
            self.close(selector)
        self.buffer = b""
        return took

    def close(self, selector):
        if self.socket:
            selector.unregister(self.socket)
            self.socket.close()
        self.socket = None


def load(port, requests, connections, seconds):
    """(answers a second, p99 in ms, how many answers were errors)."""
    selector = selectors.DefaultSelector()
    clients = [Client(port) for _ in range(connections)]
    took = []
    began = time.perf_counter()
    waiting = 0
    for client in clients:
        client.ask(next(requests), selector)
        waiting += 1
    while waiting:
        for key, _ in selector.select(30):
            seconds_taken = key.data.take(selector)
            if seconds_taken is None:
                continue
            took.append(seconds_taken)
            request = next(requests, None) if time.perf_counter() - began < seconds else None
            if request is None:
                waiting -= 1
            else:
                key.data.ask(request, selector)
    ended = time.perf_counter()
    for client in clients:
        client.close(selector)
    took.sort()
    failures = sum(client.failures for client in clients)
    return (len(took) - failures) / (ended - began), took[int(len(took) * 0.99)] * 1000, failures


def moto():
    """moto's server and its port, or None where it is not installed."""
    program = shutil.which("moto_server")
    if not program:
        return None, 0
    port = free_port()
    server = subprocess.Popen([program, "-H", "127.0.0.1", "-p", str(port)], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)

    def listens():
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0
    eventually(listens, 60, "moto listening")
    return server, port


def prepare(howdah):
    """A stopped instance in subnets that are large enough for its copies."""
    vpc = howdah.ec2.create_vpc(CidrBlock=f"10.{howdah.octet}.0.0/16")["Vpc"]["VpcId"]
    subnets = [howdah.ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.{howdah.octet}.{start}.0/18",
                                        AvailabilityZone=f"us-west-2{zone}")["Subnet"]["SubnetId"]
               for start, zone in ((0, "a"), (64, "b"))]
    group = howdah.ec2.create_security_group(VpcId=vpc, GroupName="db", Description="database")["GroupId"]
    howdah.rds.create_db_subnet_group(DBSubnetGroupName="subnets", DBSubnetGroupDescription="both", SubnetIds=subnets)
    howdah.create_instance("known-0", {"db": group})
    howdah.await_available("known-0")
    howdah.rds.stop_db_instance(DBInstanceIdentifier="known-0")
    eventually(lambda: howdah.describe("known-0")["DBInstanceStatus"] == "stopped", 60, "stopped")


def copy_instances(howdah, total):
    """While the daemon is down: the documents of known-0 again under other names, as one commit."""
    store = sqlite3.connect(howdah.home / "howdah.db")
    rows = dict(store.execute("SELECT key, value FROM documents"))
    instance = json.loads(rows["/instances/" + rows["/instance-names/known-0"]])
    interface = json.loads(rows["/vpc/interfaces/" + instance["first_interface"]])
    old = [instance["id"], instance["first_node"], instance["first_interface"], "known-0"]
    mine = {key: value for key, value in rows.items()
            if not key.startswith(("/runs/", "/events/")) and any(word in key for word in old)}
    have = sum(key.startswith("/instances/") for key in rows)
    revision = store.execute("SELECT max(revision) FROM history").fetchone()[0] + 1
    position = 0
    for number in range(have, total):
        host = f"{howdah.octet}.{1 + number // 200}.{10 + number % 200}"
        new = ["db-" + "".join(random.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", k=26)),
               f"n-{random.getrandbits(40):010x}", f"eni-{random.getrandbits(68):017x}", f"known-{number}"]
        changes = [*zip(old, new), (f'"{interface["address"]}"', f'"10.{host}"'),
                   (f'"{interface["host_address"]}"', f'"127.{host}"'),
                   (interface["mac_address"], ":".join(["02", *(f"{random.getrandbits(8):02x}" for _ in range(5))]))]
        for key, value in mine.items():
            for before, after in changes:
                key, value = key.replace(before, after), value.replace(before, after)
            store.execute("INSERT INTO documents (key, value, revision) VALUES (?, ?, ?)", (key, value, revision))
            store.execute("INSERT INTO history VALUES (?, ?, ?, ?)", (revision, position, key, value))
            position += 1
    store.commit()
    store.close()


def processor_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mib(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text()).group(1)) / 1024


def beside_moto(howdah, signer, options):
    server, port = moto()
    systems = {"howdah": signer}
    failures = {"howdah": 0, "moto": 0}
    try:
        if server:
            systems["moto"] = Signer(port, "test", "test")
            settings = {"service_name": "rds", "endpoint_url": f"http://127.0.0.1:{port}", "region_name": REGION,
                        "aws_access_key_id": "test", "aws_secret_access_key": "test"}
            import boto3
            boto3.client(**settings).create_db_instance(
                DBInstanceIdentifier="known-0", Engine="postgres", DBInstanceClass="db.t3.micro", AllocatedStorage=20,
                MasterUsername="u", MasterUserPassword="a-password-0")
        ports = {"howdah": howdah.port, "moto": port}
        print(f"{'':<24}{'connections':>12}  " + "".join(f"{name + '/s':>12}{'p99 ms':>9}" for name in systems)
              + ("       ratio" if server else ""))
        for operation in ("describe", "create_secret"):
            for connections in (1, 8, 32):
                seen = {name: [] for name in systems}
                for _ in range(options.rounds):
                    for name, system in systems.items():
                        seen[name].append(load(ports[name], getattr(system, operation)(), connections, options.seconds))
                        failures[name] += seen[name][-1][2]
                rates = {name: statistics.median(round[0] for round in rounds) for name, rounds in seen.items()}
                p99 = {name: statistics.median(round[1] for round in rounds) for name, rounds in seen.items()}
                ratio = f"{rates['howdah'] / rates['moto']:>12.1f}" if server else ""
                what = {"describe": "DescribeDBInstances", "create_secret": "CreateSecret"}[operation]
                print(f"{what:<24}{connections:>12}  "
                      + "".join(f"{rates[name]:>12.0f}{p99[name]:>9.1f}" for name in systems) + ratio, flush=True)
        assert failures["howdah"] == 0, failures
        if failures["moto"]:
            print(f"({failures['moto']} of moto's answers were errors of its server, and are not counted)")
    finally:
        if server:
            server.kill()  # it holds nothing that it would have to put away
            server.wait(10)


def with_known(howdah, signer, options):
    print(f"\n{'instances known':<16}{'operation':<34}{'per second':>11}{'p99 ms':>9}")
    for total in options.known:
        howdah.kill()
        copy_instances(howdah, total)
        began = time.monotonic()
        howdah.start()
        ready = time.monotonic() - began
        found = sum(len(page["DBInstances"]) for page in howdah.rds.get_paginator("describe_db_instances").paginate())
        assert found == total, found
        load(howdah.port, signer.identity(), 1, 5)  # what a start brings with it is over
        before = processor_seconds(howdah.serve.pid)
        time.sleep(10)
        idle = (processor_seconds(howdah.serve.pid) - before) / 10
        for what, requests in (("GetCallerIdentity", signer.identity()),
                               ("DescribeDBInstances of one", signer.describe(f"&DBInstanceIdentifier=known-{total - 1}")),
                               ("DescribeDBInstances, a page of 100", signer.describe()),
                               ("CreateSecret", signer.create_secret())):
            rounds = [load(howdah.port, requests, 8, options.seconds) for _ in range(options.rounds)]
            assert not any(failed for _, _, failed in rounds), rounds
            print(f"{total:<16}{what:<34}{statistics.median(round[0] for round in rounds):>11.0f}"
                  f"{statistics.median(round[1] for round in rounds):>9.1f}", flush=True)
        print(f"{total:<16}ready after {ready:.2f} s; idle {idle * 100:.1f} % of a CPU; "
              f"{resident_mib(howdah.serve.pid):.0f} MiB resident")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--known", type=lambda text: [int(n) for n in text.split(",") if n], default=[100, 1000])
    options = parser.parse_args()
    print(f"{os.cpu_count()} CPUs, Linux {os.uname().release}; {options.rounds} rounds of {options.seconds:g} s, "
          f"client on the same machine\n")
    howdah = Howdah()
    try:
        howdah.start()
        prepare(howdah)
        settings = json.loads(howdah.cli("env", "-o", "json").stdout)
        signer = Signer(howdah.port, settings["AWS_ACCESS_KEY_ID"], settings["AWS_SECRET_ACCESS_KEY"])
        beside_moto(howdah, signer, options)
        with_known(howdah, signer, options)
    finally:
        howdah.destroy()


if __name__ == "__main__":
    main()
