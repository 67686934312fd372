"""PostgreSQL's protocol by hand, as far as hostile and unusual clients need it; and a server that takes sockets over."""
import os
import socket
import ssl
import struct
import threading

SSL_REQUEST = struct.pack("!II", 8, 80877103)
GSS_REQUEST = struct.pack("!II", 8, 80877104)


def startup(version=3 << 16, **parameters):
    body = b"".join(name.encode() + b"\0" + value.encode() + b"\0" for name, value in parameters.items()) + b"\0"
    return struct.pack("!II", len(body) + 8, version) + body


def cancel(pid, key):
    return struct.pack("!III", 12 + len(key), 80877102, pid) + key


def receive_all(connection):
    """Everything until the end, however it ends."""
    data = b""
    try:
        while chunk := connection.recv(65536):
            data += chunk
    except (ConnectionResetError, BrokenPipeError, ssl.SSLZeroReturnError):
        pass
    return data


def fields(error_response):
    """An ErrorResponse's fields by their letter."""
    assert error_response[:1] == b"E", error_response
    return {field[:1].decode(): field[1:].decode() for field in error_response[5:].split(b"\0") if field}


class TakesOver:
    """A stand-in for a postmaster with the handover library: accepts on a Unix socket and gets a client's own socket
    with the first byte. What it does with each is serve(client)."""

    def __init__(self, path, serve):
        self.path, self.serve, self.messages = path, serve, []
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(path)
        self.socket.listen(16)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                message, descriptors, _, _ = socket.recv_fds(connection, 16, 1)
                self.messages.append(message)
                for descriptor in descriptors:
                    client = socket.socket(fileno=descriptor)
                    client.setblocking(True)
                    self.serve(client)

    def close(self):
        if self.socket.fileno() < 0:
            return
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join(5)
        os.unlink(self.path)
