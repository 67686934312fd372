#!/usr/bin/python3
"""Hostile, broken and unusual clients against the running gateway: each limit is filled, and somebody else is served."""
import os
import resource
import select
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
import unittest

import psycopg2

from gateway_harness import CLIENT, HOST, PASSWORD, GatewayCase, run, wait_for
from gateway_wire import SSL_REQUEST, cancel, fields, receive_all, startup

ANN = startup(user="ann", database="postgres")
STARTUP_SECONDS = 1.0
# A sanitizer keeps what was freed: how much memory is used says nothing then.
SANITIZED = bool(os.environ.get("HOWDAH_SANITIZED"))


def tls_context(*protocols):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if protocols:
        context.set_alpn_protocols(protocols)
    return context


class Backend:
    """Stands in for PostgreSQL's Unix socket: takes connections and leaves them to the test."""

    def __init__(self, directory):
        os.mkdir(directory)
        self.directory = directory
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(directory + "/.s.PGSQL.5432")
        self.socket.listen(4096)
        self.socket.settimeout(5)
        self.taken = []

    def take(self, expected=b"", answer=b""):
        connection, _ = self.socket.accept()
        connection.settimeout(5)
        self.taken.append(connection)
        received = b""
        while len(received) < len(expected):
            received += connection.recv(len(expected) - len(received))
        assert received == expected, received
        connection.sendall(answer)
        return connection

    def close(self):
        for connection in self.taken:
            connection.close()
        self.socket.close()
        shutil.rmtree(self.directory)


class HazardCase(GatewayCase):
    words = ("2", str(int(STARTUP_SECONDS * 1000)), "1000")

    def client(self, data=b"", family=socket.AF_INET):
        connection = socket.socket(family)
        self.addCleanup(connection.close)
        connection.settimeout(5)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.connect((HOST if family == socket.AF_INET else "::ffff:" + HOST, self.port))
        connection.sendall(data)
        return connection

    def encrypted(self, *protocols, direct=False):
        connection = self.client(b"" if direct else SSL_REQUEST)
        if not direct:
            self.assertEqual(connection.recv(1), b"S")
        encrypted = tls_context(*protocols).wrap_socket(connection)
        self.addCleanup(encrypted.close)
        return encrypted

    def backend(self):
        backend = Backend(self.home + "/backend")
        self.addCleanup(backend.close)
        type(self).epoch += 1
        self.apply(backend_socket_dir=backend.directory)
        return backend

    def assert_nobody_left(self):
        self.assertTrue(wait_for(lambda: self.statistics()["open"] == 0), self.statistics())

    def refusal(self, data):
        return fields(receive_all(self.client(data)))["C"]


class StartupHazards(HazardCase):
    def assert_cut_at_the_deadline(self, connection, begun):
        self.assertEqual(receive_all(connection), b"")
        self.assertLess(time.monotonic() - begun, STARTUP_SECONDS * 3)

    def test_slow_starts_spend_no_backend_and_end_at_the_deadline(self):
        begun = time.monotonic()
        tls = self.encrypted()
        tls.sendall(ANN[:5])
        slow = [self.client(data) for data in (b"", ANN[:3], ANN[:-1], b"\x16\x03\x01", struct.pack("!I", 10004))]
        slow.append(self.client(SSL_REQUEST))
        self.assertEqual(slow[-1].recv(1), b"S")
        silent = [self.client() for _ in range(300)]
        self.assertEqual(self.query("select count(*) from pg_stat_activity where backend_type = 'client backend'"), 1)
        for connection in [*slow, *silent[::50]]:
            self.assert_cut_at_the_deadline(connection, begun)
        with self.assertRaises((ssl.SSLError, OSError)) as end:
            if not tls.recv(1):
                raise OSError("the end")
        self.assertNotIsInstance(end.exception, TimeoutError)
        self.assert_nobody_left()

    def test_a_drip_does_not_move_the_deadline_nor_wake_the_gateway(self):
        def ticks():
            with open(f"/proc/{self.gateway.pid}/stat") as file:
                user, system = file.read().rpartition(")")[2].split()[11:13]
            return int(user) + int(system)
        before, begun, sent = ticks(), time.monotonic(), 0
        connection = self.client(struct.pack("!II", 10004, 3 << 16))
        with self.assertRaises(OSError):
            while time.monotonic() - begun < STARTUP_SECONDS * 3:
                connection.sendall(b"a")
                sent += 1
                if select.select([connection], [], [], 0.0005)[0] and connection.recv(1) == b"":
                    raise OSError("the end")
        self.assertLess(time.monotonic() - begun, STARTUP_SECONDS * 2)
        self.assertGreater(sent, 50)
        self.assertLess(ticks() - before, 20)

    def test_an_end_in_the_middle_of_a_packet(self):
        for data in (b"", ANN[:2], ANN[:-1]):
            connection = self.client(data)
            connection.shutdown(socket.SHUT_WR)
            begun = time.monotonic()
            self.assertEqual(receive_all(connection), b"")
            self.assertLess(time.monotonic() - begun, STARTUP_SECONDS / 2)

    def test_packets_that_are_none(self):
        self.assertEqual(self.refusal(struct.pack("!I", 10005)), "08P01")
        self.assertEqual(self.refusal(b"\xff" * 64), "08P01")
        self.assertEqual(self.refusal(b"GET / HTTP/1.1\r\n\r\n"), "08P01")
        self.assertEqual(self.refusal(struct.pack("!II", 12, 3 << 16) + b"user"), "08P01")
        self.assertEqual(self.refusal(startup(version=4 << 16, user="ann")), "0A000")
        self.assertEqual(self.refusal(startup(version=2 << 16, user="ann")), "0A000")
        self.assertEqual(self.refusal(cancel(1, b"k" * 257)), "08P01")

    def test_stuffing(self):
        hello = ssl.MemoryBIO()
        with self.assertRaises(ssl.SSLWantReadError):
            tls_context().wrap_bio(ssl.MemoryBIO(), hello).do_handshake()
        self.assertEqual(self.refusal(SSL_REQUEST + hello.read()), "08P01")
        # Bytes that come only after the answer are TLS's, and are none.
        connection = self.client(SSL_REQUEST)
        self.assertEqual(connection.recv(1), b"S")
        connection.sendall(ANN)
        with self.assertRaises(ssl.SSLError):
            tls_context().wrap_socket(connection)
        self.assert_nobody_left()

    def test_unknown_minor_versions_are_postgres_to_answer(self):
        for version in (3 << 16 | 2, 3 << 16 | 9999):
            connection = self.client(startup(version=version, user="ann", database="postgres"))
            self.assertEqual(connection.recv(1), b"v")
            connection.close()
        self.assert_nobody_left()

    def test_direct_tls_needs_alpn(self):
        connection = self.encrypted("postgresql", direct=True)
        self.assertEqual(connection.selected_alpn_protocol(), "postgresql")
        connection.sendall(ANN)
        self.assertEqual(connection.recv(1), b"R")
        self.assertEqual(fields(receive_all(self.encrypted(direct=True)))["C"], "08P01")
        with self.assertRaises(ssl.SSLError):
            self.encrypted("http/1.1", direct=True)

    def test_ipv4_inside_ipv6_sockets(self):
        self.apply(allow=[{"group": "sg-1", "from_port": 0, "to_port": 65535}],
                   interfaces=[{"id": "eni-1", "host_address": CLIENT, "private_address": "10.77.1.9",
                                "owner": os.getuid(), "groups": ["sg-1"]}])
        with socket.socket(socket.AF_INET6) as connection:
            connection.settimeout(5)
            connection.bind(("::ffff:" + CLIENT, 0))
            connection.connect(("::ffff:" + HOST, self.port))
            connection.sendall(SSL_REQUEST)
            self.assertEqual(connection.recv(1), b"S")

    @unittest.skipUnless(os.getuid() == 0, "needs a second user")
    def test_a_port_that_changes_hands_before_the_question(self):
        """While the gateway is stopped, one user's connection is reset and another user's takes its place, from the
        same address and port to the same: whoever was admitted must be the one who asks."""
        uid = 12345
        self.apply(allow=[{"group": "sg-1", "from_port": 0, "to_port": 65535}],
                   interfaces=[{"id": "eni-1", "host_address": CLIENT, "private_address": "10.77.1.9", "owner": uid,
                                "groups": ["sg-1"]}])
        code = ("import os, socket, struct, sys; os.setuid(int(sys.argv[1])); s = socket.socket(); "
                "s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.settimeout(5); "
                "s.bind((sys.argv[2], int(sys.argv[3]))); s.connect((sys.argv[4], int(sys.argv[5]))); "
                "s.sendall(struct.pack('!II', 8, 80877103)); print('sent', flush=True); sys.stdin.readline(); "
                "s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0)); "
                "s.close() if sys.argv[6] == 'reset' else None\ntry: print(s.recv(1) or b'end')\nexcept OSError: print(b'end')")

        def begin(user, port, how):
            process = subprocess.Popen([sys.executable, "-c", code, str(user), CLIENT, str(port), HOST, str(self.port), how],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            self.addCleanup(process.stdout.close)
            self.assertEqual(process.stdout.readline(), "sent\n")
            return process

        def end(process):
            return process.communicate("\n", timeout=10)[0].strip()

        for first, second, expected in ((uid, 12346, "b'end'"), (12346, uid, "b'S'")):
            with socket.socket() as probe:
                probe.bind((CLIENT, 0))
                port = probe.getsockname()[1]
            os.kill(self.gateway.pid, 19)
            try:
                end(begin(first, port, "reset"))
                process = begin(second, port, "stay")
            finally:
                os.kill(self.gateway.pid, 18)
            self.assertEqual(end(process), expected, (first, second))


class RelayHazards(HazardCase):
    def test_half_close_both_ways(self):
        for encrypted in (False, True):
            backend = self.backend()
            connection = self.encrypted() if encrypted else self.client()
            connection.sendall(ANN)
            server = backend.take(ANN, b"R")
            self.assertEqual(connection.recv(1), b"R")
            connection.sendall(b"last words")
            if encrypted:
                connection.setblocking(False)
                with self.assertRaises(ssl.SSLWantReadError):
                    connection.unwrap()
                connection.settimeout(5)
            else:
                connection.shutdown(socket.SHUT_WR)
            self.assertEqual(receive_all(server), b"last words")
            server.sendall(b"answer" * 1000)
            server.close()
            self.assertEqual(len(receive_all(connection)), 6000)
            self.doCleanups()
            super().setUp()

    def test_a_stalled_client_costs_nobody_else_anything(self):
        backend = self.backend()
        stalled = []
        for _ in range(50):
            self.client(ANN)
            server = backend.take(ANN, b"R")
            server.setblocking(False)
            stalled.append(server)
        sent = 0
        for server in stalled:
            try:
                while True:
                    sent += server.send(b"x" * 65536)
            except BlockingIOError:
                pass
        lively = self.client(ANN)
        server = backend.take(ANN, b"R")
        self.assertEqual(lively.recv(1), b"R")
        begun = time.monotonic()
        for _ in range(500):
            lively.sendall(b"ping")
            self.assertEqual(server.recv(4), b"ping")
            server.sendall(b"pong")
            self.assertEqual(lively.recv(4), b"pong")
        self.assertLess(time.monotonic() - begun, 3)
        if not SANITIZED:
            self.assertLess(self.resident_mib(), 60)
        self.assertGreater(sent, 1 << 20)

    def resident_mib(self):
        with open(f"/proc/{self.gateway.pid}/status") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:")) / 1024

    def test_five_thousand_idle_sessions_in_100_mib_and_not_one_more(self):
        resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
        backend = self.backend()
        clients = []
        for _ in range(5000):
            clients.append(self.client(ANN))
            backend.take(ANN, b"R")
        self.assertEqual(self.statistics()["open"], 5000)
        mib = self.resident_mib()
        if not SANITIZED:
            self.assertLess(mib, 100)
        print(f"[{mib:.0f} MiB] ", end="", file=sys.stderr)
        with socket.create_connection((HOST, self.port), 5) as one_more:
            self.assertEqual(fields(receive_all(one_more))["C"], "53300")
        for client, server in list(zip(clients, backend.taken))[::500]:
            client.sendall(b"ping")
            self.assertEqual(server.recv(4), b"ping")
        for connection in [*clients, *backend.taken]:
            connection.close()
        self.assert_nobody_left()

    def test_idle_sessions_in_tls_stay_small(self):
        backend = self.backend()
        before = self.resident_mib()
        clients = []
        for _ in range(500):
            connection = self.encrypted()
            connection.sendall(ANN)
            clients.append(connection)
            backend.take(ANN, b"R")
        kib = (self.resident_mib() - before) * 1024 / len(clients)
        print(f"[{kib:.0f} KiB each] ", end="", file=sys.stderr)
        if not SANITIZED:
            self.assertLess(kib, 64)
        for connection in [*clients, *backend.taken]:
            connection.close()
        self.assert_nobody_left()

    def test_cancel_keys_of_protocol_3_2_pass_unchanged(self):
        backend = self.backend()
        for encrypted in (False, True):
            for key in (b"keys", b"k" * 32, bytes(range(256))):
                packet = cancel(4711, key)
                connection = self.encrypted() if encrypted else self.client()
                connection.sendall(packet)
                server = backend.take(packet)
                server.close()
                self.assertEqual(receive_all(connection), b"")

    def test_a_cancel_ends_only_when_postgres_is_done_with_it(self):
        backend = self.backend()
        connection = self.client(cancel(1, b"keys"))
        server = backend.take(cancel(1, b"keys"))
        self.assertFalse(select.select([connection], [], [], 0.3)[0])
        server.close()
        self.assertEqual(receive_all(connection), b"")

    def test_a_storm_of_cancels_with_wrong_keys(self):
        connection = self.connect()
        pid = connection.get_backend_pid()
        result = []

        def sleep():
            with connection.cursor() as cursor:
                try:
                    cursor.execute("select pg_sleep(60)")
                except psycopg2.errors.QueryCanceled:
                    result.append("canceled")

        query = threading.Thread(target=sleep)
        query.start()
        for i in range(2000):
            with socket.create_connection((HOST, self.port), 5) as stranger:
                stranger.sendall(cancel(pid, struct.pack("!I", i)))
                if i % 20 == 0:
                    receive_all(stranger)
        self.assertEqual(result, [])
        self.assertTrue(query.is_alive())
        connection.cancel()
        query.join(10)
        self.assertEqual(result, ["canceled"])
        connection.close()

    def test_a_thousand_connections_a_second(self):
        seconds = 3
        answered, lock = [], threading.Lock()

        def storm(number, step):
            for i in range(number, 1000 * seconds, step):
                time.sleep(max(0, begun + i / 1000 - time.monotonic()))
                connection = socket.create_connection((HOST, self.port), 10)
                with connection:
                    connection.sendall(SSL_REQUEST)
                    answer = connection.recv(1)
                with lock:
                    answered.append(answer)

        slowest = 0
        with self.connect() as session, session.cursor() as cursor:
            begun = time.monotonic()
            threads = [threading.Thread(target=storm, args=(n, 4)) for n in range(4)]
            for thread in threads:
                thread.start()
            while any(thread.is_alive() for thread in threads):
                at = time.monotonic()
                cursor.execute("select 1")
                slowest = max(slowest, time.monotonic() - at)
        self.assertEqual(answered, [b"S"] * 1000 * seconds)
        self.assertLess(slowest, 1)
        session.close()
        print(f"[{len(answered) / (time.monotonic() - begun):.0f}/s, another session's slowest answer "
              f"{slowest * 1000:.0f} ms] ", end="", file=sys.stderr)
        self.assert_nobody_left()

    def test_a_thousand_may_wait_for_a_held_route_and_no_more(self):
        self.apply(state="held")
        waiting = [self.client(ANN) for _ in range(1000)]
        begun = time.monotonic()
        self.assertTrue(wait_for(lambda: self.statistics()["held"] == 1000), self.statistics())
        one_more = receive_all(self.client(ANN))
        if time.monotonic() - begun < 0.8:
            self.assertIn("too many clients wait", fields(one_more)["M"])
        for connection in waiting[::100]:
            self.assertEqual(fields(receive_all(connection))["C"], "57P03")
        for connection in waiting:
            connection.close()
        self.assert_nobody_left()


class FewDescriptors(HazardCase):
    """96 descriptors: 16 clients."""

    limits = staticmethod(lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (96, 96)))

    def test_without_descriptors_clients_are_refused_cleanly_and_the_gateway_recovers(self):
        session = self.connect()
        before = self.statistics()["refused"]
        crowd = [self.client() for _ in range(200)]
        ends = [receive_all(connection) for connection in crowd[50:]]
        self.assertTrue(all(end == b"" or fields(end)["C"] == "53300" for end in ends))
        self.assertGreater(sum(end != b"" for end in ends), 100)
        self.assertGreater(self.statistics()["refused"], before)
        with session.cursor() as cursor:
            cursor.execute("select 1")
        for connection in crowd:
            connection.close()
        self.assertTrue(wait_for(lambda: self.statistics()["open"] == 1))
        self.assertEqual(self.query(), 1)
        self.assertEqual(self.query(sslmode="require"), 1)
        session.close()


if __name__ == "__main__":
    unittest.main(verbosity=2)
