"""A Multi-AZ instance whose standby is frozen: a commit that waits for it and is cut short never looks like a success,
however it is cut, however it was sent and whatever the session has set, and nobody sees it before the standby has it or
nobody waits for the standby; the server lives on, and what was acknowledged is there when the standby is back."""

import ctypes
import signal
import threading
import unittest

import psycopg2

from harness import MASTER, eventually
from multi_az import MultiAzCase, signal_all

PASSWORD = "a-password-0"
libpq = ctypes.CDLL("libpq.so.5")
for name in ("PQconnectdb", "PQgetResult"):
    getattr(libpq, name).restype = ctypes.c_void_p
BAD = 1  # PQstatus
FATAL_ERROR = 7  # PQresultStatus


class ExtendedSession:
    """One session of libpq that sends Parse, Bind, Execute, Sync; without TLS, so that PostgreSQL serves it itself."""

    def __init__(self, instance):
        endpoint = instance["Endpoint"]
        self.connection = ctypes.c_void_p(libpq.PQconnectdb(
            f"host={endpoint['Address']} port={endpoint['Port']} dbname=appdb user={MASTER} "
            f"password={PASSWORD} sslmode=disable".encode()))
        assert libpq.PQstatus(self.connection) == 0

    @property
    def pid(self):
        return libpq.PQbackendPID(self.connection)

    def run(self, sql):
        """The statuses that a client sees for it, in order."""
        assert libpq.PQsendQueryParams(self.connection, sql.encode(), 0, None, None, None, None, 0) == 1
        seen = []
        while result := libpq.PQgetResult(self.connection):
            seen.append(libpq.PQresultStatus(ctypes.c_void_p(result)))
            libpq.PQclear(ctypes.c_void_p(result))
        return seen

    def is_lost(self):
        return libpq.PQstatus(self.connection) == BAD

    def close(self):
        libpq.PQfinish(self.connection)


class CommitGuard(MultiAzCase):
    def session(self, *statements):
        connection = self.howdah.connect(self.instance)
        connection.autocommit = True
        self.addCleanup(connection.close)
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
        return connection

    def one(self, connection, sql):
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchone()[0]

    def setUp(self):
        self.await_phase("PROTECTED")
        self.watcher = self.session("drop table if exists t", "create table t (n int)")
        with self.watcher.cursor() as cursor:
            cursor.execute("create or replace procedure p() language plpgsql as "
                           "$$ begin insert into t values (0); commit; insert into t values (0); commit; end $$")
            cursor.execute("insert into t values (1)")
        self.primary = self.node("primary")["Pid"]

    def await_wait(self, pid):
        eventually(lambda: self.one(self.watcher, "select count(*) from pg_stat_activity where "
                                                  f"wait_event = 'SyncRep' and pid = {pid}"), 10, "it waits")

    def cut(self, how, pid, connection):
        """Cuts the wait short once it has begun; a statement_timeout does that by itself."""
        if how == "timeout":
            return
        self.await_wait(pid)
        if how == "request":
            connection.cancel()
        else:
            self.one(self.watcher, f"select {how}({pid})")

    def assert_lost(self, how, before, statement):
        """`statement`, cut short, ends the session and is no success."""
        connection = self.session(*before)
        pid, outcome = connection.info.backend_pid, []

        def run():
            try:
                with connection.cursor() as cursor:
                    cursor.execute(statement)
                outcome.append("success")
            except psycopg2.Error as error:
                outcome.append(error)
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        self.cut(how, pid, connection)
        thread.join(10)
        self.assertIsInstance((outcome or ["nothing"])[0], psycopg2.OperationalError, outcome)
        self.assertRegex(str(outcome[0]), "closed the connection|has been closed")
        self.assertTrue(connection.closed)

    def assert_lost_extended(self, how, statement):
        client = ExtendedSession(self.instance)
        pid, outcome = client.pid, []
        thread = threading.Thread(target=lambda: outcome.extend(client.run(statement)), daemon=True)
        thread.start()
        self.cut(how, pid, None)
        thread.join(10)
        self.assertEqual(set(outcome), {FATAL_ERROR})
        self.assertTrue(client.is_lost())
        client.close()

    def seen(self):
        """How many of the rows that were cut short others see."""
        return self.one(self.watcher, "select count(*) from t where n in (0, 3)")

    def assert_whole_again(self):
        self.assertEqual(self.node("primary")["Pid"], self.primary, "the server was not restarted")
        self.await_phase("PROTECTED")
        connection = self.session("insert into t values (2)")
        self.assertEqual(self.one(connection, "select count(*) from t where n in (1, 2)"), 2)

    def test_status_says_that_it_is_on(self):
        self.assertEqual(self.status()["CommitGuard"], "on")

    def test_a_commit_that_is_cut_short_is_never_a_success(self):
        """With serve away nobody stops the primary from waiting."""
        insert = "insert into t values (3)"
        do = "do $$ begin insert into t values (3); commit; end $$"
        timeout = "set statement_timeout = '300ms'"
        self.howdah.status()
        frozen = self.freeze("standby")
        self.howdah.kill()
        for how, before, statement in (
                ("pg_cancel_backend", [], insert),
                ("pg_cancel_backend", ["set client_min_messages = error"], insert),
                ("pg_cancel_backend", ["begin", insert], "commit"),
                ("request", [], insert),
                ("request", ["set client_min_messages = error"], insert),
                ("pg_terminate_backend", [], insert),
                ("timeout", [timeout], do),
                ("timeout", [timeout, "set client_min_messages = error"], "call p()"),
                ("pg_cancel_backend", ["set synchronous_commit = off"], insert),
                ("pg_cancel_backend", ["set synchronous_commit = local"], insert)):
            with self.subTest(how=how, before=before, statement=statement):
                self.assert_lost(how, before, statement)
        for how in ("pg_cancel_backend", "pg_terminate_backend"):
            with self.subTest(how=how, sent="extended"):
                self.assert_lost_extended(how, insert)
        self.assertEqual(self.seen(), 0)
        signal_all(frozen, signal.SIGCONT)
        eventually(lambda: self.seen() == 12, 20, "the standby has them all")
        self.howdah.start()
        self.assert_whole_again()

    def test_cut_short_before_the_primary_stops_waiting(self):
        frozen = self.freeze("standby")
        self.assert_lost("pg_cancel_backend", [], "insert into t values (3)")
        self.assertTrue(self.seen() == 0 or self.status()["Phase"] == "DEGRADED")
        self.await_phase("DEGRADED", seconds=20)
        eventually(lambda: self.seen() == 1, 10, "seen without the standby")
        self.session("insert into t values (4)")
        signal_all(frozen, signal.SIGCONT)
        self.assert_whole_again()

    def test_a_session_cannot_do_without_the_standby(self):
        self.session(f"alter role {MASTER} set synchronous_commit = off")
        self.addCleanup(lambda: self.session(f"alter role {MASTER} reset synchronous_commit"))
        connection = self.session()
        self.assertEqual(self.one(connection, "show synchronous_commit"), "off")
        for forbidden in ("set howdah.enforce_synchronous_commit = off",
                          f"alter role {MASTER} set howdah.enforce_synchronous_commit = off"):
            with self.assertRaises(psycopg2.Error):
                self.session(forbidden)
        frozen = self.freeze("standby")
        self.assert_lost("pg_cancel_backend", [], "insert into t values (3)")
        signal_all(frozen, signal.SIGCONT)
        self.assert_whole_again()

    def test_a_tag_lets_sessions_decide(self):
        arn = self.instance["DBInstanceArn"]
        tag = "howdah:synchronous-commit"
        with self.assertRaisesRegex(self.howdah.rds.exceptions.ClientError, tag):
            self.howdah.rds.add_tags_to_resource(ResourceName=arn, Tags=[{"Key": tag, "Value": "off"}])
        self.howdah.rds.add_tags_to_resource(ResourceName=arn, Tags=[{"Key": tag, "Value": "session"}])
        eventually(lambda: self.enforced() == "off", 15, "sessions decide")
        self.assertEqual(self.one(self.watcher, "show rds.allow_async_commit"), "1")
        frozen = self.freeze("standby")
        self.howdah.kill()
        self.session("set synchronous_commit = local", "insert into t values (3)")
        signal_all(frozen, signal.SIGCONT)
        self.howdah.start()
        self.howdah.rds.remove_tags_from_resource(ResourceName=arn, TagKeys=[tag])
        eventually(lambda: self.enforced() == "on", 15, "enforced again")
        self.assert_whole_again()

    def enforced(self):
        return self.one(self.watcher, "show howdah.enforce_synchronous_commit")


if __name__ == "__main__":
    unittest.main()
