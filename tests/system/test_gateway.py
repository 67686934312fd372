#!/usr/bin/python3
"""The gateway in front of a real PostgreSQL, driven by psql, psycopg2 and pgbench.

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
    def __init__(self, home):
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
             f"-c listen_addresses= -c unix_socket_directories={self.sockets} -c fsync=off", "start", cwd="/")

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
class GatewayTest(unittest.TestCase):
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
        cls.gateway = subprocess.Popen([TOOL, cls.control_path], stderr=cls.log)
        cls.addClassCleanup(cls.stop_gateway)
        if not wait_for(lambda: os.path.exists(cls.control_path)):
            raise RuntimeError("the gateway does not start")
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            cls.port = probe.getsockname()[1]
        cls.epoch = 0

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

    def test_psql_with_and_without_tls(self):
        env = dict(os.environ, PGPASSWORD=PASSWORD, PGSSLROOTCERT=self.tls["certificate_file"])
        for mode in ("disable", "prefer", "require", "verify-full"):
            url = f"host={HOST} port={self.port} user=ann dbname=postgres sslmode={mode}"
            self.assertEqual(must("psql", url, "-XAtc", "select 40+2", env=env).strip(), "42", mode)

    def test_large_results_arrive_whole(self):
        for mode in ("disable", "require"):
            self.assertEqual(len(self.query("select repeat('x', 20000000)", sslmode=mode)), 20000000)

    def test_wrong_password_is_postgres_own_answer(self):
        with self.assertRaisesRegex(psycopg2.OperationalError, "password authentication failed"):
            self.connect(password="wrong")

    def test_cancel(self):
        for mode in ("disable", "require"):
            connection = self.connect(sslmode=mode)
            with connection.cursor() as cursor:
                import threading
                timer = threading.Timer(0.3, connection.cancel)
                timer.start()
                with self.assertRaises(psycopg2.errors.QueryCanceled):
                    cursor.execute("select pg_sleep(20)")
                timer.join()
            connection.close()

    def test_pgbench(self):
        env = dict(os.environ, PGPASSWORD=PASSWORD, PGHOST=HOST, PGPORT=str(self.port), PGUSER="ann")
        for mode in ("disable", "require"):
            env["PGSSLMODE"] = mode
            must(BIN + "/pgbench", "-i", "-q", "postgres", env=env)
            done = must(BIN + "/pgbench", "-S", "-c", "8", "-T", "1", "postgres", env=env)
            self.assertIn("number of failed transactions: 0", done)

    def test_refused_by_security_group_at_once_and_counted(self):
        before = self.statistics()["refused"]
        self.apply(allow=[{"cidr": "10.0.0.0/8", "from_port": 0, "to_port": 65535}])
        start = time.monotonic()
        with self.assertRaises(psycopg2.OperationalError):
            self.connect()
        self.assertLess(time.monotonic() - start, 1)
        self.assertGreater(self.statistics()["refused"], before)

    def from_interface(self, owner):
        self.apply(allow=[{"group": "sg-1", "from_port": 0, "to_port": 65535}],
                   interfaces=[{"id": "eni-1", "host_address": CLIENT, "private_address": "10.77.1.9",
                                "owner": owner, "groups": ["sg-1"]}])
        with socket.socket() as client:
            client.settimeout(5)
            client.bind((CLIENT, 0))
            client.connect((HOST, self.port))
            try:
                client.sendall(struct.pack("!II", 8, 80877103))
                return client.recv(1)
            except OSError:
                return b""

    def test_an_interface_counts_only_for_its_owner(self):
        self.assertEqual(self.from_interface(os.getuid()), b"S")
        self.assertEqual(self.from_interface(os.getuid() + 1), b"")

    def test_forced_tls(self):
        self.apply(force_tls=True)
        with self.assertRaisesRegex(psycopg2.OperationalError, "no pg_hba.conf entry for host .* no encryption"):
            self.connect()
        self.assertEqual(self.query(sslmode="require"), 1)

    def test_own_roles_stay_out(self):
        with self.assertRaisesRegex(psycopg2.OperationalError, "not permitted"):
            self.connect(user="rdsadmin")

    def test_held_clients_wait_for_the_route_to_open(self):
        import threading
        self.apply(state="held")
        answers = []
        client = threading.Thread(target=lambda: answers.append(self.query()))
        client.start()
        self.assertTrue(wait_for(lambda: self.statistics()["held"] == 1))
        self.apply(state="open")
        client.join(10)
        self.assertEqual(answers, [1])

    def test_closed_says_so(self):
        self.apply(state="closed")
        with self.assertRaisesRegex(psycopg2.OperationalError, "not available"):
            self.connect()

    def test_a_control_client_that_restarts_cuts_nobody(self):
        connection = self.connect()
        self.control.close()
        self.control = Control(self.control_path)
        self.apply()
        with connection.cursor() as cursor:
            cursor.execute("select 1")
        connection.close()

    def test_a_newer_epoch_cuts_sessions_of_the_older(self):
        connection = self.connect()
        type(self).epoch += 1
        self.apply()
        with self.assertRaises(psycopg2.OperationalError), connection.cursor() as cursor:
            cursor.execute("select 1")
        old = self.control.ask({"version": 2, "routes": [self.route(epoch=self.epoch - 1)]})
        self.assertIn("older", old["errors"][0]["error"])
        self.assertEqual(self.query(), 1)

    def test_address_in_use_is_told(self):
        with socket.socket() as other:
            other.bind((HOST, 0))
            other.listen()
            answer = self.control.ask({"version": 3, "routes": [self.route(port=other.getsockname()[1])]})
        self.assertIn("Address already in use", answer["errors"][0]["error"])

    def test_bytes_in_the_clear_behind_sslrequest_are_refused(self):
        with socket.create_connection((HOST, self.port), 5) as client:
            client.sendall(struct.pack("!II", 8, 80877103) + b"stuffing")
            self.assertEqual(client.recv(1), b"E")


if __name__ == "__main__":
    unittest.main(verbosity=2)
