"""A client of the endpoint: a thread with one connection and a bounded rate, which connects again at once when it is lost.

What an error means is decided in one place, Outcome: `fail` only where it is certain that nothing happened.
"""

import random
import socket
import threading

import psycopg2
import psycopg2.errors

from checkers.operation import FAIL, INFO, OK, Operation
from history import now

# Which server is this? A session keeps its server, and a server its timeline, so it is asked once a session.
WHO = "SELECT current_setting('cluster_name'), substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8), pg_backend_pid()"


class Outcome:
    """What an error says about what was asked."""

    # Raised before anything is committed, whatever the statement: class 40 says "rolled back".
    CERTAIN = ("23", "25", "42", "53", "55", "57014", "22")

    @staticmethod
    def of(error, connection, sent_alone=True):
        """sent_alone: the statement may itself have committed (autocommit, or COMMIT)."""
        if not sent_alone:
            return FAIL
        code = error.pgcode or ""
        if code in ("40001", "40P01") or code.startswith(Outcome.CERTAIN):
            return FAIL
        return INFO


class Client(threading.Thread):
    """One connection; `step` does one operation of the workload."""

    workload = ""
    period = 0.1  # seconds between operations, on average
    settings = ()

    def __init__(self, number, context):
        super().__init__(daemon=True, name=f"{self.workload}-{number}")
        self.number, self.context = number, context
        self.random = random.Random(f"{context.seed}-{self.name}")
        self.connection = None
        self.node, self.timeline, self.backend = None, 0, None
        self.began = None  # of the operation in flight, for who looks for clients that hang
        self.longest = 0
        self.refusals = {}  # why connecting failed: how often

    def run(self):
        while not self.context.done.is_set():
            if not (self.connection or self.connect()):
                self.context.done.wait(0.02)
                continue
            self.step()
            self.context.done.wait(self.random.uniform(0, 2 * self.period * self.context.slowness))
        self.disconnect()

    def connect(self):
        self.began = now()
        during = "login"
        try:
            self.connection = psycopg2.connect(**self.context.endpoint, connect_timeout=5,
                                               application_name=self.name, options="-c statement_timeout=0")
            self.connection.autocommit = True
            during = "first statement"
            with self.connection.cursor() as cursor:
                cursor.execute(WHO)
                self.node, timeline, self.backend = cursor.fetchone()
                self.timeline = int(timeline, 16)
                for setting in self.settings:
                    self.try_setting(cursor, setting)
        except psycopg2.Error as error:
            self.refused(during, error)
            self.disconnect()
        self.finished()
        return self.connection is not None

    @staticmethod
    def try_setting(cursor, setting):
        """A user's wish that the server may refuse."""
        try:
            cursor.execute(setting)
        except psycopg2.errors.lookup("42501"):
            pass

    def refused(self, during, error):
        reason = during + ": " + (error.pgcode or "") + " " + str(error).strip().split("\n")[0][-90:]
        self.refusals[reason] = self.refusals.get(reason, 0) + 1

    def disconnect(self):
        if self.connection:
            try:
                self.connection.close()
            except psycopg2.Error:
                pass
        self.connection = None

    def finished(self):
        self.longest = max(self.longest, now() - self.began)
        self.began = None

    def cut(self):
        """Ends what it waits for, from another thread: for a server that never answers."""
        connection = self.connection
        try:
            if connection:
                duplicate = socket.fromfd(connection.fileno(), socket.AF_INET, socket.SOCK_STREAM)
                duplicate.shutdown(socket.SHUT_RDWR)
                duplicate.close()
        except (OSError, psycopg2.Error):
            pass

    def operate(self, kind, value, body, filled=None, certain=None):
        """body(cursor) -> result. The value that is recorded for an acknowledged one is `filled` where it is given."""
        self.alone = True
        self.began = begun = now()
        state, result, code = OK, None, None
        try:
            with self.connection.cursor() as cursor:
                result = body(cursor)
        except psycopg2.Error as error:
            code = error.pgcode or "lost"
            state = certain(error) if certain else Outcome.of(error, self.connection, self.alone)
        ended = now()
        self.context.history.record(Operation(
            self.workload, self.number, kind, filled if filled and state == OK else value, begun, ended, state, result,
            self.node, self.timeline, code, self.backend))
        self.finished()
        self.tidy(state)
        return state

    def tidy(self, state):
        """After an error the transaction is ended, or the connection is."""
        if state != OK and self.connection:
            try:
                if self.connection.closed == 0:
                    with self.connection.cursor() as cursor:
                        cursor.execute("ROLLBACK")
            except psycopg2.Error:
                self.connection.close()
            if self.connection.closed:
                self.connection = None

    def begin(self, cursor, how="BEGIN"):
        """Until COMMIT is sent, an error is certain to have undone everything."""
        self.alone = False
        cursor.execute(how)

    def commit(self, cursor):
        self.alone = True
        cursor.execute("COMMIT")
