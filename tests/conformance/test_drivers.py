"""Drivers that applications use, many connections at once, on both ways of a connection: handed over to PostgreSQL and
relayed by the gateway, plain and with TLS that is verified."""

import os
import pathlib
import shutil
import subprocess
import threading
import unittest

from harness import MASTER, Howdah

HERE = pathlib.Path(__file__).resolve().parent
JDBC = pathlib.Path("/usr/share/java/postgresql.jar")
PASSWORD = "a-password-0"


class Drivers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.howdah = Howdah().start()
        cls.addClassCleanup(cls.howdah.stop)
        network = cls.howdah.network()
        cls.howdah.admit_host(network["db"])
        cls.root = str(cls.howdah.home / "ca/ca.pem")
        tags = {"handover": [{"Key": "howdah:tls", "Value": "server"}],
                "relay": [{"Key": "howdah:data-path", "Value": "relay"}]}
        for name, tag in tags.items():
            cls.howdah.create_instance(name, network, Tags=tag)
        cls.endpoints = {name: cls.howdah.await_available(name)["Endpoint"] for name in tags}
        for found in cls.howdah.status()["Instances"]:
            assert found["DataPath"].startswith(found["DBInstanceIdentifier"]), found

    def on_both_paths(self, drive):
        for name, endpoint in self.endpoints.items():
            for tls in (False, True):
                with self.subTest(path=name, tls=tls):
                    drive(endpoint["Address"], endpoint["Port"], tls)

    def run_ok(self, *command, **env):
        done = subprocess.run(command, text=True, capture_output=True, timeout=180, env={**os.environ, **env})
        self.assertEqual((done.returncode, done.stdout.strip()), (0, "ok"), done.stderr)

    @unittest.skipUnless((HERE / "js/node_modules/pg").exists(), "node-postgres is not installed: ./dev test conformance")
    def test_node_postgres(self):
        self.on_both_paths(lambda host, port, tls: self.run_ok(
            "node", str(HERE / "js/concurrency.mjs"), host, str(port), MASTER, "appdb", "tls" if tls else "plain",
            PGPASSWORD=PASSWORD, ROOT_CERTIFICATE=self.root))

    @unittest.skipUnless(shutil.which("javac") and JDBC.exists(), "no JDK, or no libpostgresql-jdbc-java")
    def test_jdbc(self):
        def drive(host, port, tls):
            mode = f"sslmode=verify-full&sslrootcert={self.root}" if tls else "sslmode=disable"
            self.run_ok("java", "-Xmx256m", "-cp", str(JDBC), str(HERE / "java/Concurrency.java"),
                        f"jdbc:postgresql://{host}:{port}/appdb?{mode}", MASTER, PASSWORD)
        self.on_both_paths(drive)

    def test_psycopg2(self):
        import psycopg2

        def work(number, arguments, wrong):
            with psycopg2.connect(**arguments) as connection, connection.cursor() as cursor:
                cursor.execute("prepare sum as select $1::int * 1000 + $2::int")
                for i in range(50):
                    cursor.execute("execute sum (%s, %s)", (number, i))
                    if cursor.fetchone()[0] != number * 1000 + i:
                        wrong.append((number, i))
            connection.close()

        def drive(host, port, tls):
            arguments = dict(host=host, port=port, user=MASTER, password=PASSWORD, dbname="appdb",
                             sslmode="verify-full" if tls else "disable", sslrootcert=self.root)
            wrong = []
            threads = [threading.Thread(target=work, args=(n, arguments, wrong)) for n in range(16)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(wrong, [])
        self.on_both_paths(drive)


if __name__ == "__main__":
    unittest.main()
