"""Real clients through the endpoint, with and without TLS: psycopg, pgbench, pg_dump | psql."""

import os
import subprocess
import unittest

import psycopg2

from harness import MASTER, Howdah

PASSWORD = "pass-word-'q'-%0"


class ThroughTheEndpoint(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.howdah = Howdah().start()
        cls.addClassCleanup(cls.howdah.stop)
        network = cls.howdah.network()
        cls.howdah.create_instance("db-1", network, password=PASSWORD, MultiAZ=True)
        cls.howdah.admit_host(network["db"])
        cls.instance = cls.howdah.await_available("db-1")
        cls.authority = cls.howdah.home / "ca/ca.pem"

    def connect(self, **more):
        return self.howdah.connect(self.instance, password=PASSWORD, **more)

    def environment(self, **more):
        endpoint = self.instance["Endpoint"]
        return {**os.environ, "PGHOST": endpoint["Address"], "PGPORT": str(endpoint["Port"]), "PGUSER": MASTER,
                "PGPASSWORD": PASSWORD, "PGDATABASE": "appdb", "PGSSLROOTCERT": str(self.authority), **more}

    def shell(self, command, **environment):
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", command], text=True, timeout=120,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.environment(**environment))
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def one(self, connection, query):
        with connection, connection.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchone()

    def test_psycopg_with_and_without_tls(self):
        for mode, tls in (("disable", False), ("require", True), ("verify-full", True)):
            with self.subTest(mode):
                connection = self.connect(sslmode=mode, sslrootcert=str(self.authority))
                self.assertEqual(connection.info.ssl_in_use, tls)
                self.assertEqual(self.one(connection, "select 1"), (1,))
                connection.close()

    def test_a_wrong_password_is_refused_by_postgres(self):
        with self.assertRaisesRegex(psycopg2.OperationalError, "password authentication failed"):
            self.howdah.connect(self.instance, password="wrong")

    def test_our_own_roles_cannot_come_in_by_the_endpoint(self):
        for role in ("rdsadmin", "rdsrepladmin"):
            with self.assertRaises(psycopg2.OperationalError):
                self.howdah.connect(self.instance, user=role, password="x").close()

    def test_a_query_can_be_cancelled(self):
        import threading
        connection = self.connect()
        timer = threading.Timer(0.5, connection.cancel)
        timer.start()
        with self.assertRaises(psycopg2.errors.QueryCanceled), connection.cursor() as cursor:
            cursor.execute("select pg_sleep(30)")
        timer.join()
        connection.close()

    def test_large_results_arrive_whole(self):
        connection = self.connect()
        total = self.one(connection, "select sum(length(s)) from (select repeat(md5(i::text), 100) s "
                                     "from generate_series(1, 5000) i) t")[0]
        with connection.cursor() as cursor:
            cursor.execute("select repeat(md5(i::text), 100) from generate_series(1, 5000) i")
            self.assertEqual(sum(len(row[0]) for row in cursor), total)
        connection.close()

    def test_pgbench(self):
        for mode in ("disable", "require"):
            with self.subTest(mode):
                self.shell("pgbench -i -q -s 1 2>&1", PGSSLMODE=mode)
                output = self.shell("pgbench -c 8 -j 2 -T 3 2>&1", PGSSLMODE=mode)
                self.assertIn("number of failed transactions: 0", output)

    def test_dump_and_restore(self):
        for mode in ("disable", "verify-full"):
            with self.subTest(mode):
                connection = self.connect()
                connection.autocommit = True
                with connection.cursor() as cursor:
                    cursor.execute("drop database if exists copy")
                    cursor.execute("create database copy")
                    cursor.execute("drop table if exists things")
                    cursor.execute("create table things as select i, md5(i::text) m from generate_series(1, 20000) i")
                connection.close()
                self.shell("pg_dump --table=things | psql -q -v ON_ERROR_STOP=1 copy", PGSSLMODE=mode)
                query = "select count(*), md5(string_agg(m, '' order by i)) from things"
                self.assertEqual(self.shell(f'psql -At -c "{query}" appdb'), self.shell(f'psql -At -c "{query}" copy'))

    def test_the_master_user_is_no_superuser(self):
        connection = self.connect()
        for statement in ("copy (select 1) to program 'true'", "select pg_read_file('/etc/passwd')",
                          "alter system set work_mem = '8MB'", "create role evil superuser"):
            with self.assertRaises(psycopg2.Error, msg=statement), connection.cursor() as cursor:
                cursor.execute(statement)
            connection.rollback()
        connection.close()

    def test_commits_wait_for_the_standby(self):
        connection = self.connect()
        state = self.one(connection, "select count(*) from pg_stat_activity where backend_type = 'walsender'")
        self.assertEqual(state, (1,))
        self.assertEqual(self.one(connection, "show data_checksums"), ("on",))
        self.assertNotEqual(self.one(connection, "show synchronous_standby_names"), ("",))
        connection.close()


if __name__ == "__main__":
    unittest.main()
