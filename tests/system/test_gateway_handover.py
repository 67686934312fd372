#!/usr/bin/python3
"""Which clients the gateway hands over, in which state their sockets are then, and who is refused before."""
import os
import socket
import ssl
import struct
import threading
import unittest

from gateway_harness import HOST, GatewayCase, wait_for
from gateway_wire import GSS_REQUEST, SSL_REQUEST, TakesOver, cancel, fields, receive_all, startup

ANN = startup(user="ann", database="postgres")


class HandoverTest(GatewayCase):
    def setUp(self):
        super().setUp()
        self.path = self.home + "/handover"
        self.taken = []
        self.server = TakesOver(self.path, self.taken.append)
        self.addCleanup(lambda: self.server.close())
        self.addCleanup(lambda: [client.close() for client in self.taken])
        self.apply(handover_socket=self.path)

    def client(self, data=b""):
        connection = socket.create_connection((HOST, self.port), 5)
        self.addCleanup(connection.close)
        connection.sendall(data)
        return connection

    def take(self):
        self.assertTrue(wait_for(lambda: self.taken), "nothing was handed over")
        client = self.taken.pop()
        client.settimeout(5)
        self.addCleanup(client.close)
        return client

    def assert_taken(self, client, data):
        """The server has the client's own socket, with everything that was sent still in it."""
        server = self.take()
        self.assertEqual(server.getpeername(), client.getsockname())
        received = b""
        while len(received) < len(data):
            received += server.recv(len(data) - len(received))
        self.assertEqual(received, data)
        server.sendall(b"served")
        self.assertEqual(client.recv(6), b"served")
        return server

    def test_a_startup_in_the_clear(self):
        before = self.statistics()
        client = self.client(ANN + b"more")
        server = self.assert_taken(client, ANN + b"more")
        self.assertEqual(self.server.messages, [b"H"])
        self.assertEqual(server.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY), 1)
        self.assertEqual(server.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE), 1)
        self.assertEqual(server.getsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT), 1)
        self.assertEqual(struct.unpack("ii", server.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8))[0], 0)
        after = self.statistics()
        self.assertEqual(after["handed_over"], before["handed_over"] + 1)
        self.assertTrue(wait_for(lambda: self.statistics()["open"] == 0))

    def test_the_servers_close_ends_the_connection(self):
        client = self.client(ANN)
        self.assert_taken(client, ANN).close()
        self.assertEqual(receive_all(client), b"")

    def test_a_packet_byte_by_byte(self):
        client = self.client()
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in ANN:
            client.sendall(bytes([byte]))
        self.assert_taken(client, ANN)

    def test_a_cancel_request(self):
        packet = cancel(4711, b"k" * 32)
        client = self.client(packet)
        self.assert_taken(client, packet)

    def test_tls_ends_in_the_gateway_unless_the_server_does_it(self):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        client = self.client(SSL_REQUEST)
        self.assertEqual(client.recv(1), b"S")
        with context.wrap_socket(client) as encrypted:
            self.assertTrue(encrypted.version())
        self.assertEqual(self.taken, [])

    def test_server_tls_hands_over_the_request_and_direct_tls(self):
        self.apply(handover_socket=self.path, server_tls=True)
        for data in (SSL_REQUEST, b"\x16\x03\x01"):
            self.assert_taken(self.client(data), data)

    def test_gss_is_answered_here_and_what_follows_is_looked_at(self):
        for server_tls in (False, True):
            self.apply(handover_socket=self.path, server_tls=server_tls)
            client = self.client(GSS_REQUEST)
            self.assertEqual(client.recv(1), b"N")
            client.sendall(ANN)
            self.assert_taken(client, ANN)
            client = self.client(GSS_REQUEST)
            self.assertEqual(client.recv(1), b"N")
            client.sendall(startup(user="rdsadmin"))
            self.assertEqual(fields(receive_all(client))["C"], "28000")
        self.assertEqual(self.taken, [])

    def test_stuffing_is_refused_before_anything_is_handed_over(self):
        for server_tls in (False, True):
            self.apply(handover_socket=self.path, server_tls=server_tls)
            for request in (SSL_REQUEST, GSS_REQUEST):
                self.assertEqual(fields(receive_all(self.client(request + b"x")))["C"], "08P01")
        self.assertEqual(self.taken, [])

    def test_forced_tls_and_own_roles_are_refused_here(self):
        self.apply(handover_socket=self.path, server_tls=True, force_tls=True)
        self.assertIn("no encryption", fields(receive_all(self.client(ANN)))["M"])
        self.apply(handover_socket=self.path)
        self.assertIn("not permitted", fields(receive_all(self.client(startup(user="rdsadmin"))))["M"])
        self.assertEqual(self.taken, [])

    def test_a_held_client_is_handed_over_when_the_route_opens(self):
        for server_tls, data in ((False, ANN), (True, SSL_REQUEST)):
            self.apply(handover_socket=self.path, server_tls=server_tls, state="held")
            client = self.client(data)
            self.assertTrue(wait_for(lambda: self.statistics()["held"] == 1))
            self.assertEqual(self.taken, [])
            self.apply(handover_socket=self.path, server_tls=server_tls)
            self.assert_taken(client, data)

    def test_a_closed_route_says_so_inside_tls(self):
        self.apply(handover_socket=self.path, server_tls=True, state="closed")
        with self.assertRaisesRegex(Exception, "not available"):
            self.connect(sslmode="require")

    def test_nobody_there_to_take_it(self):
        self.server.close()
        client = self.client(ANN)
        self.assertTrue(wait_for(lambda: self.statistics()["held"] == 1))
        self.server = TakesOver(self.path, self.taken.append)
        self.assert_taken(client, ANN)

    def test_a_full_backlog_is_waited_for(self):
        count = 200
        clients = [self.client(ANN) for _ in range(count)]
        self.assertTrue(wait_for(lambda: len(self.taken) == count))
        for client in clients:
            client.close()

    def test_a_restart_of_the_gateway_cuts_nobody_who_was_handed_over(self):
        client = self.client(ANN)
        server = self.assert_taken(client, ANN)
        self.control.close()
        self.stop_gateway()
        server.sendall(b"still here")
        self.assertEqual(client.recv(10), b"still here")
        type(self).start_gateway()
        super().setUp()

    def test_descriptors_are_not_kept(self):
        held = lambda: len(os.listdir(f"/proc/{self.gateway.pid}/fd"))
        self.assert_taken(self.client(ANN), ANN)
        self.assertTrue(wait_for(lambda: self.statistics()["open"] == 0))
        before = held()
        threads = [threading.Thread(target=self.client, args=(ANN,)) for _ in range(50)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertTrue(wait_for(lambda: len(self.taken) == 50))
        self.assertTrue(wait_for(lambda: held() == before), f"{before} descriptors became {held()}")


if __name__ == "__main__":
    unittest.main(verbosity=2)
