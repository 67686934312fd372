#!/usr/bin/python3
"""The gateway in front of a real PostgreSQL, driven by psql, psycopg2 and pgbench. See gateway_harness.py."""
import contextlib
import os
import socket
import struct
import threading
import time
import unittest

import psycopg2

from gateway_harness import CLIENT, CLIENTS, HOST, LIBRARY, PASSWORD, Control, GatewayCase, must, wait_for


@contextlib.contextmanager
def canceling(connection):
    """Cancels what the connection does in the block, again until it has ended: a cancel may come before the query."""
    ended = threading.Event()

    def cancel():
        while not ended.wait(0.2):
            connection.cancel()

    thread = threading.Thread(target=cancel)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


class RelayTest(GatewayCase):
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
            with connection.cursor() as cursor, self.assertRaises(psycopg2.errors.QueryCanceled):
                with canceling(connection):
                    cursor.execute("select pg_sleep(20)")
            connection.close()

    def test_a_driver_in_many_threads(self):
        """Connects, large and small answers, transactions, errors and cancels at once: each gets its own."""
        failures = []

        def work(number):
            try:
                for turn in range(6):
                    connection = self.connect(sslmode=("disable", "require")[(number + turn) % 2])
                    with connection.cursor() as cursor:
                        size = (number * 7919 + turn * 104729) % 200_000
                        cursor.execute("select repeat(%s, %s)", (chr(97 + number), size))
                        assert cursor.fetchone()[0] == chr(97 + number) * size
                        with self.assertRaises(psycopg2.errors.QueryCanceled), canceling(connection):
                            cursor.execute("select pg_sleep(30)")
                        connection.rollback()
                        cursor.execute("select %s", (number,))
                        assert cursor.fetchone()[0] == number
                    connection.close()
            except Exception as error:
                failures.append(f"{number}: {error!r}")

        threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        self.assertEqual(failures, [])
        self.assertTrue(wait_for(lambda: self.statistics()["open"] == 0))

    def test_pgbench(self):
        env = dict(os.environ, PGPASSWORD=PASSWORD, PGHOST=HOST, PGPORT=str(self.port), PGUSER="ann")
        for mode in ("disable", "require"):
            env["PGSSLMODE"] = mode
            must(CLIENTS + "/pgbench", "-i", "-q", "postgres", env=env)
            done = must(CLIENTS + "/pgbench", "-S", "-c", "8", "-T", "1", "postgres", env=env)
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

    def test_the_servers_view_of_the_client(self):
        self.assertIsNone(self.query("select client_addr from pg_stat_activity where pid = pg_backend_pid()"))


@unittest.skipUnless(os.access(LIBRARY, os.R_OK), "HOWDAH_HANDOVER_LIBRARY is not set")
class HandoverTest(RelayTest):
    """The same, with sockets handed over; TLS ends in the gateway and is relayed."""

    handover = True

    def test_the_servers_view_of_the_client(self):
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute("select host(client_addr), client_port > 0, host(inet_server_addr()), inet_server_port() "
                           "from pg_stat_activity where pid = pg_backend_pid()")
            self.assertEqual(cursor.fetchone(), ("127.0.0.1", True, HOST, self.port))
        connection.close()

    def test_a_newer_epoch_cuts_sessions_of_the_older(self):
        """Those that were handed over are their server's, and end with it; of the relayed it holds here too."""
        handed_over, relayed = self.connect(), self.connect(sslmode="require")
        type(self).epoch += 1
        self.apply()
        with handed_over.cursor() as cursor:
            cursor.execute("select 1")
        with relayed.cursor() as cursor, self.assertRaises(psycopg2.OperationalError):
            cursor.execute("select 1")
        handed_over.close()

    def test_a_restart_of_the_gateway_cuts_nobody(self):
        connection = self.connect(sslmode=self.own_mode)
        self.control.close()
        self.stop_gateway()
        with connection.cursor() as cursor:
            cursor.execute("select 1")
        self.start_gateway()
        self.setUp()
        with connection.cursor() as cursor:
            cursor.execute("select 1")
        connection.close()

    own_mode = "disable"  # a client of this mode is handed over

    def test_it_is_counted_and_costs_the_gateway_nothing(self):
        before = self.statistics()
        connection = self.connect(sslmode=self.own_mode)
        after = self.statistics()
        self.assertEqual(after["handed_over"], before["handed_over"] + 1)
        self.assertTrue(wait_for(lambda: self.statistics()["open"] == 0))
        connection.close()


class HandoverWithTlsTest(HandoverTest):
    """TLS is the server's own."""

    server_tls = True
    own_mode = "require"

    def test_a_newer_epoch_cuts_sessions_of_the_older(self):
        self.skipTest("nothing is relayed")

    def test_channel_binding(self):
        self.assertEqual(self.query("select 1", sslmode="require", channel_binding="require"), 1)

    def test_the_server_knows_of_tls(self):
        self.assertTrue(self.query("select ssl from pg_stat_ssl where pid = pg_backend_pid()", sslmode="require"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
