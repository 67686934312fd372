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
# An engine of a package has no clients.
CLIENTS = BIN if os.access(BIN + "/pgbench", os.X_OK) else "/usr/lib/postgresql/15/bin"
LIBRARY = os.environ.get("HOWDAH_HANDOVER_LIBRARY", "")
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
        # The name is there a moment before anybody listens.
        if not wait_for(lambda: self.socket.connect_ex(path) == 0):
            raise RuntimeError(f"nobody serves {path}")
        self.file = self.socket.makefile("rw")

    def ask(self, message):
        self.file.write(json.dumps(message) + "\n")
        self.file.flush()
        return json.loads(self.file.readline())

    def close(self):
        self.file.close()
        self.socket.close()


class Postgres:
    """A server on a Unix socket, and with more options also elsewhere; superuser ann, SCRAM everywhere. With a library
    it takes sockets over at self.handover."""

    def __init__(self, home, options="-c listen_addresses=", library=None):
        self.prefix = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.getuid() == 0 else []
        self.home, self.data, self.sockets = home, home + "/data", home + "/sockets"
        self.handover = home + "/handover/.s.PGSQL.5432" if library else ""
        for path in (self.sockets, home + "/handover"):
            os.mkdir(path)
        for path in (home, self.sockets, home + "/handover"):
            self.own(path)
        password = home + "/password"
        with open(password, "w") as file:
            file.write(PASSWORD)
        os.chmod(password, 0o644)
        must(*self.prefix, BIN + "/initdb", "-D", self.data, "-U", "ann", "-A", "scram-sha-256",
             "--pwfile=" + password, "-E", "UTF8", "--locale=C", "-N", cwd="/")
        with open(self.data + "/pg_hba.conf", "a") as file:
            file.write("host all all 127.77.0.0/16 scram-sha-256\n")
        # The library takes its variables out of the environment of whatever starts first: that must be the server.
        env = []
        if library:
            env = [f"LD_PRELOAD={self.own(shutil.copy(library, home))}", f"HOWDAH_HANDOVER_SOCKET={self.handover}"]
        directories = self.sockets + (f",{home}/handover" if library else "")
        with open(home + "/log", "w") as log:
            self.process = subprocess.Popen(
                [*self.prefix, "env", *env, BIN + "/postgres", "-D", self.data, "-c",
                 f"unix_socket_directories={directories}", "-c", "fsync=off", *options.split()],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/")
        if not wait_for(lambda: run(CLIENTS + "/pg_isready", "-h", self.sockets).returncode == 0, 30):
            self.stop()
            with open(home + "/log") as file:
                raise RuntimeError("PostgreSQL does not start: " + file.read())

    def own(self, path):
        """Gives a file to the server's user."""
        if self.prefix:
            user = pwd.getpwnam("postgres")
            os.chown(path, user.pw_uid, user.pw_gid)
        return path

    def stop(self):
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(30)


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

    handover = False  # clients' sockets are handed over to the server
    server_tls = False  # also of those who ask for TLS
    limits = None  # a function that is called in the gateway's process before it starts
    words = ()  # for howdah_gateway_tool: threads, milliseconds for the startup, milliseconds of holding

    @classmethod
    def setUpClass(cls):
        cls.home = tempfile.mkdtemp(prefix="hgw")
        os.chmod(cls.home, 0o755)
        os.mkdir(cls.home + "/pg")
        cls.addClassCleanup(shutil.rmtree, cls.home, True)
        cls.tls = make_certificate(cls.home)
        options = "-c listen_addresses="
        if cls.server_tls:
            for name in ("crt", "key"):
                os.chown(shutil.copy2(f"{cls.home}/{name}", f"{cls.home}/pg-{name}"), *cls.server_owner())
            options += f" -c ssl=on -c ssl_cert_file={cls.home}/pg-crt -c ssl_key_file={cls.home}/pg-key"
        cls.postgres = Postgres(cls.home + "/pg", options, LIBRARY if cls.handover else None)
        cls.addClassCleanup(cls.postgres.stop)
        cls.control_path = cls.home + "/c/control"
        cls.log = open(cls.home + "/gateway.log", "w")
        cls.addClassCleanup(cls.log.close)
        cls.start_gateway()
        cls.addClassCleanup(cls.stop_gateway)
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            cls.port = probe.getsockname()[1]
        cls.epoch = 0

    @staticmethod
    def server_owner():
        user = pwd.getpwnam("postgres") if os.getuid() == 0 else pwd.getpwuid(os.getuid())
        return user.pw_uid, user.pw_gid

    @classmethod
    def start_gateway(cls):
        cls.gateway = subprocess.Popen([TOOL, cls.control_path, *cls.words], stderr=cls.log, preexec_fn=cls.limits)
        Control(cls.control_path).close()

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
                 "handover_socket": self.postgres.handover, "server_tls": self.server_tls,
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
