#!/usr/bin/python3
"""What clients of the gateway see of a primary that dies and of the one that takes its place: those who are not served yet
a wait and no error, those who are a reset; and that nobody gets to the old one after the gateway has said so."""
import os
import shutil
import socket
import threading
import unittest

from gateway_harness import HOST, Control, GatewayCase, wait_for
from gateway_wire import SSL_REQUEST, TakesOver, cancel, fields, receive_all, startup

ANN = startup(user="ann", database="postgres")


class Primary:
    """A server's Unix socket, relayed to; what happens on it is the test's business."""

    def __init__(self, directory):
        os.mkdir(directory)
        self.directory = directory
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(directory + "/.s.PGSQL.5432")
        self.socket.listen(4096)
        self.socket.settimeout(5)

    def take(self):
        connection, _ = self.socket.accept()
        connection.settimeout(5)
        received = connection.recv(len(ANN))
        assert received == ANN, received
        return connection

    def kill(self):
        self.socket.close()
        shutil.rmtree(self.directory, True)


class FailoverCase(GatewayCase):
    words = ("2", "2000", "3000")
    names = 0

    def client(self, data=ANN):
        connection = socket.create_connection((HOST, self.port), 5)
        self.addCleanup(connection.close)
        connection.sendall(data)
        return connection

    def new_name(self):
        type(self).names += 1
        return f"{self.home}/primary-{self.names}"

    def primary(self):
        primary = Primary(self.new_name())
        self.addCleanup(primary.kill)
        return primary

    def new_epoch(self, **changes):
        type(self).epoch += 1
        self.apply(**{"handover_socket": "", **changes})

    def assert_waits(self, count=1):
        self.assertTrue(wait_for(lambda: self.statistics()["held"] == count), self.statistics())

    def assert_relayed(self, client, primary):
        server = primary.take()
        self.addCleanup(server.close)
        server.sendall(b"R")
        self.assertEqual(client.recv(1), b"R")
        client.sendall(b"query")
        self.assertEqual(server.recv(5), b"query")
        server.sendall(b"row")
        self.assertEqual(client.recv(3), b"row")
        return server


class RelayedFailover(FailoverCase):
    def test_a_client_waits_for_the_next_primary(self):
        old, new = self.primary(), self.primary()
        self.new_epoch(backend_socket_dir=old.directory)
        old.kill()
        client = self.client()
        self.assert_waits()
        self.new_epoch(state="held")
        self.assert_waits()
        self.apply(handover_socket="", backend_socket_dir=new.directory)
        self.assert_relayed(client, new)

    def test_and_for_the_same_one_when_it_comes_back_within_its_epoch(self):
        primary = self.primary()
        self.new_epoch(backend_socket_dir=primary.directory)
        primary.kill()
        client = self.client()
        self.assert_waits()
        primary.__init__(primary.directory)
        self.assert_relayed(client, primary)

    def test_a_primary_that_dies_before_it_answers(self):
        old, new = self.primary(), self.primary()
        self.new_epoch(backend_socket_dir=old.directory)
        client, encrypted = self.client(), self.encrypted()
        for _ in range(2):
            old.take().close()
        old.kill()
        self.assert_waits(2)
        self.new_epoch(backend_socket_dir=new.directory)
        for server in (new.take(), new.take()):
            self.addCleanup(server.close)
            server.sendall(b"R")
        self.assertEqual((client.recv(1), encrypted.recv(1)), (b"R", b"R"))

    def encrypted(self):
        from test_gateway_hazards import tls_context
        connection = self.client(SSL_REQUEST)
        self.assertEqual(connection.recv(1), b"S")
        encrypted = tls_context().wrap_socket(connection)
        self.addCleanup(encrypted.close)
        encrypted.sendall(ANN)
        return encrypted

    def test_a_primary_that_is_frozen_before_it_answers_loses_its_clients_at_once(self):
        old, new = self.primary(), self.primary()
        self.new_epoch(backend_socket_dir=old.directory)
        client = self.client()
        server = old.take()
        self.new_epoch(state="held")
        self.assertEqual(receive_all(server), b"")
        self.apply(handover_socket="", backend_socket_dir=new.directory)
        self.assert_relayed(client, new)

    def test_who_was_served_is_reset_at_once(self):
        old = self.primary()
        self.new_epoch(backend_socket_dir=old.directory)
        client = self.client()
        server = self.assert_relayed(client, old)
        self.new_epoch(state="held")
        client.settimeout(0)
        with self.assertRaises(ConnectionResetError):
            client.recv(1)
        self.assertEqual(receive_all(server), b"")

    def test_what_is_said_when_the_time_is_up(self):
        self.new_epoch(state="held")
        clients = [self.client(), self.encrypted()]
        self.assert_waits(2)
        for client in clients:
            self.assertEqual(fields(receive_all(client))["C"], "57P03")
        self.new_epoch(backend_socket_dir=self.home + "/nothing")
        self.assertIn("starting up", fields(receive_all(self.client()))["M"])
        frozen = self.primary()
        self.new_epoch(backend_socket_dir=frozen.directory)
        self.assertIn("starting up", fields(receive_all(self.client()))["M"])
        self.assertTrue(wait_for(lambda: self.statistics()["open"] == 0))

    def test_who_gives_up_gives_up_its_place(self):
        self.new_epoch(state="held")
        client = self.client()
        self.assert_waits()
        client.close()
        self.assertTrue(wait_for(lambda: self.statistics()["open"] == 0, 2))
        self.assertEqual(self.statistics()["held"], 0)

    def test_cancels_meanwhile_go_nowhere(self):
        for changes in ({"state": "held"}, {"backend_socket_dir": self.home + "/nothing"},
                        {"handover_socket": self.home + "/nothing"}):
            self.new_epoch(**changes)
            for connection in [self.client(cancel(n, b"keys")) for n in range(200)]:
                self.assertEqual(receive_all(connection), b"")
        self.assertTrue(wait_for(lambda: self.statistics()["open"] == 0))

    def test_nobody_gets_to_the_old_primary_after_the_answer(self):
        primary = self.primary()
        self.new_epoch(backend_socket_dir=primary.directory)
        stop = threading.Event()

        def storm():
            while not stop.is_set():
                with socket.socket() as client:
                    client.settimeout(0.01)
                    try:
                        client.connect((HOST, self.port))
                        client.sendall(ANN)
                        client.recv(1)
                    except OSError:
                        pass

        def serve(primary, mine):
            """Answers most, until nobody comes any more."""
            primary.socket.settimeout(0.5)
            while True:
                try:
                    connection, _ = primary.socket.accept()
                except OSError:
                    return
                mine.append(connection)
                if len(mine) % 3:
                    try:
                        connection.send(b"R")
                    except OSError:
                        pass

        threads = [threading.Thread(target=storm) for _ in range(2)]
        for thread in threads:
            thread.start()
        seen = 0
        for _ in range(10):
            mine = []
            server = threading.Thread(target=serve, args=(primary, mine))
            server.start()
            wait_for(lambda: len(mine) > 20)
            following = self.primary()
            self.new_epoch(backend_socket_dir=following.directory)
            # All that the old primary has or could still accept is at its end already.
            primary.socket.shutdown(socket.SHUT_RDWR)
            server.join(5)
            for connection in mine:
                connection.setblocking(False)
                self.assertIn(receive_all(connection), (b"", ANN))
                connection.close()
            seen += len(mine)
            primary.kill()
            primary = following
        stop.set()
        for thread in threads:
            thread.join(5)
        self.assertGreater(seen, 100)

    def test_a_restarted_gateway_knows_the_epochs(self):
        self.new_epoch(backend_socket_dir="/somewhere")
        self.control.close()
        self.stop_gateway()
        self.start_gateway()
        self.control = Control(self.control_path)
        for changes, why in (({"epoch": self.epoch - 1}, "is older than"), ({}, "was open already with another")):
            answer = self.control.ask({"version": 1, "routes": [self.route(**{"handover_socket": "", **changes})]})
            self.assertIn(why, answer["errors"][0]["error"])
        self.assertEqual(self.control.ask({"statistics": True})["statistics"], {})
        self.apply(handover_socket="", backend_socket_dir="/somewhere")


class HandedOverFailover(FailoverCase):
    def setUp(self):
        super().setUp()
        self.taken = []
        self.addCleanup(lambda: [client.close() for client in self.taken])

    def frozen(self):
        """A postmaster that takes nobody."""
        path = self.new_name()
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen(64)
        self.addCleanup(listener.close)
        return path, listener

    def alive(self):
        server = TakesOver(self.new_name(), self.taken.append)
        self.addCleanup(server.close)
        return server.path

    def assert_handed_over(self, client, data=ANN):
        self.assertTrue(wait_for(lambda: self.taken), "nothing was handed over")
        server = self.taken.pop()
        server.settimeout(5)
        self.addCleanup(server.close)
        self.assertEqual(server.getpeername(), client.getsockname())
        self.assertEqual(server.recv(len(data)), data)
        server.sendall(b"served")
        self.assertEqual(client.recv(6), b"served")

    def test_a_client_waits_for_the_next_primary(self):
        for server_tls, data in ((False, ANN), (True, SSL_REQUEST), (True, b"\x16\x03\x01")):
            self.new_epoch(handover_socket=self.home + "/nothing", server_tls=server_tls)
            client = self.client(data)
            self.assert_waits()
            self.new_epoch(handover_socket="", server_tls=server_tls, state="held")
            self.new_epoch(handover_socket=self.alive(), server_tls=server_tls)
            self.assert_handed_over(client, data)

    def test_a_postmaster_that_dies_with_clients_in_its_backlog(self):
        path, listener = self.frozen()
        self.new_epoch(handover_socket=path)
        before = self.statistics()["handed_over"]
        client = self.client()
        self.assertTrue(wait_for(lambda: self.statistics()["handed_over"] == before + 1))
        listener.close()
        self.assert_waits()
        self.assertEqual(self.statistics()["handed_over"], before)
        self.new_epoch(handover_socket=self.alive())
        self.assert_handed_over(client)

    def test_a_client_in_a_frozen_postmasters_backlog_is_given_to_nobody_else_before_that_is_dead(self):
        path, listener = self.frozen()
        self.new_epoch(handover_socket=path)
        before = self.statistics()["handed_over"]
        client = self.client()
        self.assertTrue(wait_for(lambda: self.statistics()["handed_over"] == before + 1))
        self.new_epoch(handover_socket=self.alive())
        other = self.client()
        self.assert_handed_over(other)
        self.assertEqual(self.taken, [])
        listener.close()
        self.assert_handed_over(client)

    def test_the_next_primary_need_not_take_sockets_over(self):
        primary = self.primary()
        self.new_epoch(handover_socket=self.home + "/nothing", server_tls=True)
        clear, asks = self.client(), self.client(SSL_REQUEST)
        self.assert_waits(2)
        self.new_epoch(server_tls=False, backend_socket_dir=primary.directory)
        self.assertEqual(asks.recv(1), b"S")
        self.assert_relayed(clear, primary)

    def test_a_frozen_postmaster_keeps_who_it_has(self):
        path, listener = self.frozen()
        self.new_epoch(handover_socket=path)
        client = self.client()
        self.assertTrue(wait_for(lambda: self.statistics()["open"] == 1))
        self.assertTrue(wait_for(lambda: self.statistics()["open"] == 0))
        connection, _ = listener.accept()
        _, descriptors, _, _ = socket.recv_fds(connection, 16, 1)
        with socket.socket(fileno=descriptors[0]) as server:
            server.setblocking(True)
            self.assertEqual(server.recv(len(ANN)), ANN)
        self.assertEqual(receive_all(client), b"")


if __name__ == "__main__":
    unittest.main(verbosity=2)
