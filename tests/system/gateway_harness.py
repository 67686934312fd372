#!/usr/bin/python3
"""What the gateway's tests share: a real PostgreSQL, the gateway's program in front of it, and a control client.

HOWDAH_GATEWAY_TOOL names the program; PG_BIN the engine (default: Debian's 15). Everything lives in a
temporary directory. As root, PostgreSQL runs as the user postgres."""
import json
import os
import pwd
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time
import unittest

import psycopg2

TOOL = os.environ.get("HOWDAH_GATEWAY_TOOL", "")
BIN = os.environ.get("PG_BIN", "/usr/lib/postgresql/15/bin")
HOST, CLIENT = "127.77.1.4", "127.77.1.9"
PASSWORD = "only-for-this-test"


def run(*command, **more):
    return subprocess.run(command, capture_output=True, text=True, timeout=60, **more)


def must(*command, **more):
    done = run(*command, **more)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]}: {done.stdout}{done.stderr}")
    return done.stdout


def wait_for(condition, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


class Control:
    """A control client by the letter of docs/formats/gateway-routes.md."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(10)
        self.socket.connect(path)
        self.file = self.socket.makefile("rw")

    def ask(self, message):
        self.file.write(json.dumps(message) + "\n")
        self.file.flush()
        return json.loads(self.file.readline())

    def close(self):
        self.file.close()
        self.socket.close()


class Postgres:
    """A server on a Unix socket, and with more options also elsewhere; superuser ann, SCRAM everywhere."""

    def __init__(self, home, options="-c listen_addresses=", env=None):
        self.prefix = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.getuid() == 0 else []
        self.data, self.sockets = home + "/data", home + "/sockets"
        os.mkdir(self.sockets)
        if self.prefix:
            user = pwd.getpwnam("postgres")
            for path in (home, self.sockets):
                os.chown(path, user.pw_uid, user.pw_gid)
        password = home + "/password"
        with open(password, "w") as file:
            file.write(PASSWORD)
        os.chmod(password, 0o644)
        must(*self.prefix, BIN + "/initdb", "-D", self.data, "-U", "ann", "-A", "scram-sha-256",
             "--pwfile=" + password, "-E", "UTF8", "--locale=C", "-N", cwd="/")
        must(*self.prefix, BIN + "/pg_ctl", "-D", self.data, "-w", "-l", home + "/log", "-o",
             f"-c unix_socket_directories={self.sockets} -c fsync=off {options}", "start", cwd="/",
             env={**os.environ, **(env or {})})

    def stop(self):
        run(*self.prefix, BIN + "/pg_ctl", "-D", self.data, "-m", "immediate", "stop", cwd="/")


def make_certificate(home):
    config = ["-subj", "/CN=howdah test", "-addext", f"subjectAltName=IP:{HOST}"]
    must("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-days", "2", "-keyout", home + "/key", "-out", home + "/crt", *config)
    os.chmod(home + "/key", 0o600)
    return {"certificate_file": home + "/crt", "key_file": home + "/key"}


@unittest.skipUnless(os.access(TOOL, os.X_OK), "HOWDAH_GATEWAY_TOOL is not set")
@unittest.skipUnless(os.access(BIN + "/initdb", os.X_OK), "no PostgreSQL server")
class GatewayCase(unittest.TestCase):
    """One gateway and one server for all tests of a class; each test begins with a new epoch and an open route."""

    limits = None  # a function that is called in the gateway's process before it starts
    words = ()  # for howdah_gateway_tool: threads, milliseconds for the startup, milliseconds of holding

    @classmethod
    def setUpClass(cls):
        cls.home = tempfile.mkdtemp(prefix="hgw")
        os.chmod(cls.home, 0o755)
        os.mkdir(cls.home + "/pg")
        cls.addClassCleanup(shutil.rmtree, cls.home, True)
        cls.postgres = Postgres(cls.home + "/pg")
        cls.addClassCleanup(cls.postgres.stop)
        cls.tls = make_certificate(cls.home)
        cls.control_path = cls.home + "/c/control"
        cls.log = open(cls.home + "/gateway.log", "w")
        cls.addClassCleanup(cls.log.close)
        cls.start_gateway()
        cls.addClassCleanup(cls.stop_gateway)
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            cls.port = probe.getsockname()[1]
        cls.epoch = 0

    @classmethod
    def start_gateway(cls):
        cls.gateway = subprocess.Popen([TOOL, cls.control_path, *cls.words], stderr=cls.log, preexec_fn=cls.limits)
        if not wait_for(lambda: os.path.exists(cls.control_path)):
            raise RuntimeError("the gateway does not start")

    @classmethod
    def stop_gateway(cls):
        cls.gateway.send_signal(signal.SIGTERM)
        if cls.gateway.wait(10) != 0:
            raise RuntimeError("the gateway did not stop well")

    def setUp(self):
        type(self).epoch += 1
        self.control = Control(self.control_path)
        self.addCleanup(lambda: self.control.close())
        self.apply()

    def route(self, **changes):
        route = {"instance": "db-1", "name": "test", "listen_address": HOST, "port": self.port,
                 "backend_socket_dir": self.postgres.sockets, "epoch": self.epoch, "state": "open", "tls": self.tls,
                 "allow": [{"cidr": "127.0.0.1/32", "from_port": 0, "to_port": 65535}], "interfaces": []}
        route.update(changes)
        return route

    def apply(self, **changes):
        answer = self.control.ask({"version": 1, "routes": [self.route(**changes)]})
        self.assertEqual(answer, {"applied": 1, "errors": []})

    def connect(self, **more):
        return psycopg2.connect(**{**dict(host=HOST, port=self.port, user="ann", password=PASSWORD, dbname="postgres",
                                          connect_timeout=15, sslmode="disable"), **more})

    def query(self, sql="select 1", **more):
        connection = self.connect(**more)
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql)
                return cursor.fetchall()[0][0]
        finally:
            connection.close()

    def statistics(self):
        return self.control.ask({"statistics": True})["statistics"]["db-1"]
