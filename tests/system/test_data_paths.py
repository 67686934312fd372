"""The two ways of a client's connection, on every engine that is here: handed over to PostgreSQL, or relayed. Both
pass the same tests; what differs is said by `howdah status` and seen by PostgreSQL."""

import os
import signal
import subprocess
import threading
import unittest

import psycopg2

from harness import VERSION, Howdah, eventually

RELAY = [{"Key": "howdah:data-path", "Value": "relay"}]
SERVER_TLS = [{"Key": "howdah:tls", "Value": "server"}]


def one(connection, sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


class DataPathCase(unittest.TestCase):
    """A daemon of its own; each test makes the instances that it needs."""

    @classmethod
    def setUpClass(cls):
        cls.howdah = Howdah().start()
        cls.addClassCleanup(cls.howdah.stop)
        cls.network = cls.howdah.network()
        cls.howdah.admit_host(cls.network["db"])
        cls.root = str(cls.howdah.home / "ca/ca.pem")

    def make(self, name, version=VERSION, tags=(), **more):
        self.howdah.create_instance(name, self.network, EngineVersion=version, Tags=list(tags), **more)
        self.addCleanup(self.howdah.delete_instance, name)
        return self.howdah.await_available(name)

    def path(self, name):
        """(data path, place of TLS) as status says, once the first look at the server is over."""
        def look():
            found = next(i for i in self.howdah.status()["Instances"] if i["DBInstanceIdentifier"] == name)
            return (found["DataPath"], found["Tls"]) if found["DataPath"] else None
        return eventually(look, 10, "the data path is known")

    def address_seen(self, instance, sslmode):
        connection = self.howdah.connect(instance, sslmode=sslmode)
        try:
            return one(connection, "select host(inet_client_addr())")
        finally:
            connection.close()

    def assert_serves(self, instance, sslmode):
        """What every path owes: queries, large answers, cancels, errors, many at once."""
        connection = self.howdah.connect(instance, sslmode=sslmode)
        self.addCleanup(connection.close)
        self.assertEqual(len(one(connection, "select repeat('x', 5000000)")), 5000000)
        timer = threading.Timer(0.2, connection.cancel)
        timer.start()
        with self.assertRaises(psycopg2.errors.QueryCanceled):
            one(connection, "select pg_sleep(20)")
        timer.join()
        connection.rollback()
        with self.assertRaisesRegex(psycopg2.OperationalError, "password authentication failed"):
            self.howdah.connect(instance, password="wrong", sslmode=sslmode)
        for role in ("rdsadmin", "rdsrepladmin"):
            with self.assertRaises(psycopg2.OperationalError):
                self.howdah.connect(instance, user=role, sslmode=sslmode)
        self.assert_many_at_once(instance, sslmode)

    def assert_many_at_once(self, instance, sslmode):
        wrong = []

        def work(number):
            connection = self.howdah.connect(instance, sslmode=sslmode)
            for i in range(50):
                if one(connection, f"select {number} * 1000 + {i}") != number * 1000 + i:
                    wrong.append((number, i))
            connection.close()
        threads = [threading.Thread(target=work, args=(n,)) for n in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])


class EveryEngine(DataPathCase):
    def engines(self):
        listed = self.howdah.cli("engine", "list").stdout.splitlines()[1:]
        return [line.split()[0] for line in listed]

    def test_each_engine_takes_over_its_clients(self):
        for version in self.engines():
            with self.subTest(version=version):
                name = "db-" + version.replace(".", "-")
                instance = self.make(name, version)
                path, tls = self.path(name)
                self.assertIn("handover", path)
                forced = int(version.split(".")[0]) >= 15
                if tls == "server":
                    self.assertEqual(self.address_seen(instance, "require"), "127.0.0.1")
                else:
                    self.assertIn("end of life", tls)
                    self.assertIsNone(self.address_seen(instance, "require"), "relayed: TLS ends in the gateway")
                if forced:
                    with self.assertRaisesRegex(psycopg2.OperationalError, "no encryption"):
                        self.howdah.connect(instance, sslmode="disable")
                else:
                    self.assertEqual(self.address_seen(instance, "disable"), "127.0.0.1")
                for mode in ("require",) if forced else ("require", "disable"):
                    self.assert_serves(instance, mode)

    def test_each_engine_can_speak_tls_itself_and_be_verified(self):
        for version in self.engines():
            with self.subTest(version=version):
                name = "tls-" + version.replace(".", "-")
                instance = self.make(name, version, SERVER_TLS)
                self.assertEqual(self.path(name), ("handover", "server"))
                connection = self.howdah.connect(instance, sslmode="verify-full", sslrootcert=self.root,
                                                 channel_binding="require")
                self.addCleanup(connection.close)
                self.assertEqual(one(connection, "select ssl and host(inet_client_addr()) = '127.0.0.1' "
                                                 "from pg_stat_ssl where pid = pg_backend_pid()"), True)
                self.assert_serves(instance, "require")


class TheTwoPaths(DataPathCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for name, tags in (("fast", []), ("relayed", RELAY)):
            cls.howdah.create_instance(name, cls.network, Tags=tags)
        cls.fast = cls.howdah.await_available("fast")
        cls.relayed = cls.howdah.await_available("relayed")

    def test_a_relayed_instance_serves_alike(self):
        path, tls = self.path("relayed")
        self.assertEqual(path, "relay, as configured")
        self.assertTrue(tls.startswith("gateway"), tls)
        for mode in ("disable", "require"):
            self.assertIsNone(self.address_seen(self.relayed, mode))
            self.assert_serves(self.relayed, mode)

    def test_a_gateway_that_dies_cuts_no_session_that_was_handed_over(self):
        fast = self.howdah.connect(self.fast, sslmode="disable")
        relayed = self.howdah.connect(self.relayed, sslmode="disable")
        for connection in (fast, relayed):
            self.addCleanup(connection.close)
            connection.autocommit = True
        mine = one(fast, "select pg_backend_pid()")
        gateway = self.howdah.status()["Gateway"]["Pid"]
        os.kill(gateway, signal.SIGKILL)
        with self.assertRaises(psycopg2.OperationalError):
            one(relayed, "select 1")
        self.assertEqual(one(fast, "select pg_backend_pid()"), mine)
        eventually(lambda: self.howdah.status()["Gateway"]["Pid"] not in (0, None, gateway), 10, "a new gateway")
        eventually(self.comes_in, 10, "clients come in again")
        self.assertEqual(one(fast, "select pg_backend_pid()"), mine)

    def comes_in(self):
        try:
            self.howdah.connect(self.fast, sslmode="disable").close()
            return True
        except psycopg2.OperationalError:
            return False

    def test_the_sessions_of_a_server_end_with_it(self):
        session = self.howdah.connect(self.fast, sslmode="disable")
        self.addCleanup(session.close)
        node = next(i for i in self.howdah.status()["Instances"] if i["DBInstanceIdentifier"] == "fast")["Nodes"][0]
        os.kill(node["Pid"], signal.SIGKILL)
        with self.assertRaises(psycopg2.OperationalError):
            one(session, "select pg_sleep(30)")
        eventually(self.comes_in, 30, "the server is back")
        self.assertIn("handover", self.path("fast")[0])

    def test_status_counts_sessions_on_both_paths(self):
        connections = [self.howdah.connect(i, sslmode="disable") for i in (self.fast, self.relayed) for _ in range(3)]
        try:
            def counts():
                found = {i["DBInstanceIdentifier"]: i["OpenConnections"] for i in self.howdah.status()["Instances"]}
                return found["fast"] >= 3 and found["relayed"] >= 3
            eventually(counts, 10, "the sessions are counted")
        finally:
            for connection in connections:
                connection.close()

    def test_a_revoked_rule_holds_for_new_connections_on_both_paths(self):
        for instance in (self.fast, self.relayed):
            self.howdah.connect(instance, sslmode="disable").close()
        rule = [self.howdah.host_rule()]
        self.howdah.ec2.revoke_security_group_ingress(GroupId=self.network["db"], IpPermissions=rule)
        try:
            for instance in (self.fast, self.relayed):
                eventually(lambda it=instance: not self.can_connect(it), 5, "refusal")
        finally:
            self.howdah.ec2.authorize_security_group_ingress(GroupId=self.network["db"], IpPermissions=rule)
            eventually(lambda: self.can_connect(self.fast), 5, "admission")

    def can_connect(self, instance):
        try:
            self.howdah.connect(instance, sslmode="disable").close()
            return True
        except psycopg2.OperationalError:
            return False

    def test_a_tag_of_another_value_is_refused(self):
        for key, value in (("howdah:data-path", "fast"), ("howdah:tls", "client")):
            with self.assertRaisesRegex(self.howdah.rds.exceptions.ClientError, key):
                self.howdah.create_instance("never", self.network, Tags=[{"Key": key, "Value": value}])
            with self.assertRaisesRegex(self.howdah.rds.exceptions.ClientError, key):
                self.howdah.rds.add_tags_to_resource(ResourceName=self.fast["DBInstanceArn"],
                                                     Tags=[{"Key": key, "Value": value}])

    def test_the_path_changes_with_the_tag_and_cuts_nobody(self):
        instance = self.make("moves")
        session = self.howdah.connect(instance, sslmode="disable")
        self.addCleanup(session.close)
        self.assertEqual(one(session, "select host(inet_client_addr())"), "127.0.0.1")
        arn = instance["DBInstanceArn"]
        self.howdah.rds.add_tags_to_resource(ResourceName=arn, Tags=RELAY)
        eventually(lambda: self.address_seen(instance, "disable") is None, 15, "new clients are relayed")
        self.assertEqual(one(session, "select host(inet_client_addr())"), "127.0.0.1")
        self.howdah.rds.remove_tags_from_resource(ResourceName=arn, TagKeys=["howdah:data-path"])
        eventually(lambda: self.address_seen(instance, "disable") == "127.0.0.1", 15, "handed over again")


if __name__ == "__main__":
    unittest.main()
