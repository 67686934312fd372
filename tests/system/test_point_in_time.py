"""Restores to a point in time, on real servers: what was committed by then is there and nothing after it, whatever
happened to the instance before and after. HOWDAH_PITR_GIB=5 adds a larger database under pgbench's workload to every
engine; see docs/backups.md, "How it is tested"."""

import datetime
import os
import signal
import subprocess
import time
import unittest
from concurrent.futures import ThreadPoolExecutor

import psycopg2
import psycopg2.errors

from harness import eventually
from point_in_time import Ledger, RestoreCase, now, start_howdah
from multi_az import MultiAzCase

MICROSECOND = datetime.timedelta(microseconds=1)
INDIA = datetime.timezone(datetime.timedelta(hours=5, minutes=30))


class AfterFailovers(RestoreCase, MultiAzCase):
    """One Multi-AZ instance that is written to all the time, through everything that may happen to it. Every test restores
    it to one of the moments that are noted on the way."""

    @classmethod
    def setUpClass(cls):
        start_howdah(cls, options=("--failover-hold-down", "0"))
        cls.howdah.create_instance("db-1", cls.network, MultiAZ=True, BackupRetentionPeriod=1)
        cls.instance = cls.howdah.await_available("db-1")
        cls.ledger = Ledger(cls.howdah, cls.instance).create()
        cls.moments = {}
        cls.live(cls("live"))

    def live(self):
        """The history of the instance."""
        self.await_phase("PROTECTED")
        self.write_two_with_a_moment_between()
        self.ledger.start()
        self.addClassCleanup(self.ledger.end)
        self.note("before the failover")
        self.fail_over()
        self.note("after the failover")
        self.switch_over()
        self.note("after the switchover")
        self.lose_the_control_plane()
        self.lose_the_repository()
        self.ledger.await_writes()
        self.ledger.end()
        self.write_the_last_one()

    def note(self, what):
        self.ledger.await_writes(10)
        self.moments[what] = now()
        self.ledger.await_writes(10)

    def write_two_with_a_moment_between(self):
        first = self.ledger.write()
        self.moments["between"] = now()
        second = self.ledger.write()
        self.assertLess((second - first).total_seconds(), 1)

    def fail_over(self):
        epoch = self.status()["Epoch"]
        os.kill(self.node("primary")["Pid"], signal.SIGKILL)
        self.moments["as the primary died"] = now()
        self.await_phase("PROTECTED", epoch + 1)

    def switch_over(self):
        epoch = self.status()["Epoch"]
        self.howdah.rds.reboot_db_instance(DBInstanceIdentifier="db-1", ForceFailover=True)
        self.howdah.await_available("db-1")
        self.await_phase("PROTECTED", epoch + 1)

    def lose_the_control_plane(self):
        self.howdah.kill()
        self.note("without a control plane")
        self.howdah.start()
        self.await_restorable("db-1", self.moments["without a control plane"])

    def lose_the_repository(self):
        backups = self.howdah.home / "backups"
        away = self.howdah.home / "backups-away"
        backups.rename(away)
        gone = now()
        try:
            self.note("without a repository")
            self.assertLessEqual(self.latest("db-1"), gone + datetime.timedelta(seconds=1))
            self.assertFalse((backups / "instances").exists(), "nothing is written beside what is away")
        finally:
            if backups.exists():
                backups.rmdir()
            away.rename(backups)
        self.await_restorable("db-1", now())

    def write_the_last_one(self):
        """Its own time stands in the archive's index, unless the server itself committed something right after it."""
        for _ in range(20):
            acknowledged = self.ledger.write()
            begun = self.ledger.begun[self.ledger.number - 1]
            self.await_restorable("db-1", acknowledged)
            found = [time for time in self.newest_commits() if begun <= time <= acknowledged]
            if found:
                type(self).last_commit = max(found)
                return
        self.fail("no commit of ours is the newest one of its object")

    def newest_commits(self):
        wal = self.howdah.home / "backups/instances" / self.instance["DbiResourceId"] / "wal"
        times = [path.name[-16:] for path in wal.glob("*/*/*-*-*-*")]
        return [datetime.datetime.fromtimestamp(0, datetime.timezone.utc) + int(time, 16) * MICROSECOND
                for time in times if not time.startswith("never")]

    def check(self, name, target, **words):
        instance = self.restore("db-1", name, **(words or {"RestoreTime": target}))
        return instance, self.ledger.check(self.rows(instance), target)

    def check_moments(self, **moments):
        """All at once; how many rows each has."""
        for name, what in moments.items():
            self.begin_restore("db-1", name, RestoreTime=self.moments[what])
        return [self.ledger.check(self.rows(self.howdah.await_available(name, 300)), self.moments[what])
                for name, what in moments.items()]

    def test_between_two_commits_of_one_second(self):
        self.assertEqual(self.check_moments(between="between"), [1])

    def test_around_failovers(self):
        counts = self.check_moments(before="before the failover", amid="as the primary died",
                                    after="after the failover", switched="after the switchover")
        self.assertEqual(counts, sorted(counts))

    def test_while_the_control_plane_or_the_repository_was_away(self):
        self.check_moments(uncontrolled="without a control plane", unarchived="without a repository")

    def test_exactly_at_a_commit_and_a_microsecond_before(self):
        last = self.ledger.number - 1
        self.begin_restore("db-1", "with-it", RestoreTime=self.last_commit)
        self.begin_restore("db-1", "without", RestoreTime=self.last_commit - MICROSECOND)
        numbers = [{number for number, _ in self.rows(self.howdah.await_available(name, 300))}
                   for name in ("with-it", "without")]
        self.assertIn(last, numbers[0])
        self.assertEqual(numbers[0] - numbers[1], {last})

    def test_the_latest_time_is_everything(self):
        instance, _ = self.check("latest", now(), UseLatestRestorableTime=True)
        self.assertEqual({number for number, _ in self.rows(instance)} & set(self.ledger.ended), set(self.ledger.ended))

    def test_the_earliest_time_as_it_is_described(self):
        backups = self.howdah.rds.describe_db_instance_automated_backups(DBInstanceIdentifier="db-1")
        earliest = backups["DBInstanceAutomatedBackups"][0]["RestoreWindow"]["EarliestTime"]
        instance = self.restore("db-1", "earliest", RestoreTime=earliest)
        with self.assertRaises(psycopg2.errors.UndefinedTable):
            self.rows(instance)

    def test_a_time_in_another_time_zone(self):
        target = self.moments["between"]
        spelled = target.astimezone(INDIA).isoformat(timespec="microseconds")
        self.assertTrue(spelled.endswith("+05:30"))

        def spell(params, **_):
            params["body"]["RestoreTime"] = spelled  # boto3 itself says every time in UTC

        events = self.howdah.rds.meta.events
        events.register("before-call.rds.RestoreDBInstanceToPointInTime", spell)
        self.addCleanup(events.unregister, "before-call.rds.RestoreDBInstanceToPointInTime", spell)
        self.assertEqual(self.check("zoned", target)[1], 1)

    def test_a_restored_instance_is_restored(self):
        first, _ = self.check("first", self.moments["after the failover"])
        ledger = Ledger(self.howdah, first, first=1_000_000)
        self.addCleanup(ledger.end)
        ledger.write()
        target = now()
        ledger.write()
        self.await_restorable("first", ledger.ended[1_000_001])
        second = self.restore("first", "second", RestoreTime=target)
        rows = self.rows(second)
        ledger.check([row for row in rows if row[0] >= 1_000_000], target)
        self.assertIn(1_000_000, dict(rows))
        self.ledger.check([row for row in rows if row[0] < 1_000_000], self.moments["after the failover"])

    def test_the_command_line_restores_to_the_microsecond(self):
        target = self.moments["between"].isoformat(timespec="microseconds")
        told = self.howdah.cli("restore", "db-1", "--to", target, "--as", "commanded", "-o", "json")
        self.addCleanup(self.howdah.rds.delete_db_instance, DBInstanceIdentifier="commanded", SkipFinalSnapshot=True)
        self.assertIn(self.moments["between"].strftime("%H:%M:%S.%f"), told.stdout)
        instance = self.howdah.describe("commanded")
        self.howdah.admit_host(instance["VpcSecurityGroups"][0]["VpcSecurityGroupId"], instance)
        self.assertEqual(self.ledger.check(self.rows(instance), self.moments["between"]), 1)


PGBENCH = "/usr/lib/postgresql/15/bin/pgbench"
TABLES = ("pgbench_accounts", "pgbench_tellers", "pgbench_branches", "pgbench_history")


@unittest.skipUnless(os.environ.get("HOWDAH_PITR_GIB"), "HOWDAH_PITR_GIB=5: some minutes an engine")
class Large(RestoreCase, unittest.TestCase):
    """A database of so many GiB under pgbench, on every engine or on those that HOWDAH_PITR_ENGINES names."""

    @classmethod
    def setUpClass(cls):
        start_howdah(cls)

    def test_a_database_under_pgbench(self):
        found = self.howdah.rds.describe_db_engine_versions(Engine="postgres")["DBEngineVersions"]
        versions = sorted({engine["EngineVersion"] for engine in found})
        for version in os.environ.get("HOWDAH_PITR_ENGINES", " ".join(versions)).split():
            with self.subTest(engine=version):
                self.check(version, "pg-" + version.replace(".", "-"))

    def pgbench(self, instance, *words):
        endpoint = instance["Endpoint"]
        subprocess.run([PGBENCH, "-h", endpoint["Address"], "-p", str(endpoint["Port"]), "-U", "dbadmin", "-n", *words,
                        "appdb"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                       env={**os.environ, "PGPASSWORD": "a-password-0"})

    def sums(self, instance):
        """Of everything in the four tables."""
        return [self.execute(instance, f"select count(*), sum(hashtextextended(t::text, 0)) from {table} t")[0]
                for table in TABLES]

    def assert_balanced(self, instance):
        """Every transaction is there with all of its parts, or not at all."""
        sums = self.execute(instance, """select (select sum(abalance) from pgbench_accounts),
            (select sum(tbalance) from pgbench_tellers), (select sum(bbalance) from pgbench_branches),
            (select sum(delta) from pgbench_history), (select max(mtime) from pgbench_history)""")[0]
        self.assertEqual(len(set(sums[:4])), 1, sums)

    def check(self, version, name):
        self.howdah.create_instance(name, self.network, EngineVersion=version, BackupRetentionPeriod=1,
                                    AllocatedStorage=100)
        instance = self.howdah.await_available(name)
        scale = int(float(os.environ["HOWDAH_PITR_GIB"]) * 68)
        took = {"load": self.timed(lambda: self.pgbench(instance, "-i", "-q", "-s", str(scale)))}
        took["snapshot"] = self.timed(lambda: self.howdah.cli("backup", "create", name, timeout=1800))
        self.pgbench(instance, "-c", "4", "-T", "20")
        expected, quiet = self.sums(instance), now()
        self.pgbench(instance, "-c", "4", "-T", "10")
        busy = self.moment_amid_a_workload(instance)
        self.await_restorable(name, now(), 120)
        for target, check in ((quiet, lambda made: self.assertEqual(self.sums(made), expected)),
                              (busy, self.assert_balanced)):
            restored = name + "-then"
            took["restore"] = self.timed(lambda: self.restore_to(name, restored, target))
            check(self.howdah.describe(restored))
            self.howdah.delete_instance(restored)
        size = self.execute(instance, "select pg_size_pretty(pg_database_size('appdb'))")[0][0]
        verified = self.timed(lambda: self.howdah.cli("backup", "verify", timeout=1800))
        print(f"    {version}: {size}, {expected[3][0]} transactions, {took}, verify {verified} s")

    def moment_amid_a_workload(self, instance):
        before = self.execute(instance, "select count(*) from pgbench_history")[0][0]
        with ThreadPoolExecutor() as pool:
            running = pool.submit(self.pgbench, instance, "-c", "4", "-T", "20")
            eventually(lambda: self.execute(instance, "select count(*) from pgbench_history")[0][0] > before + 1000, 60)
            amid = now()
            running.result()
        return amid

    def restore_to(self, source, name, target):
        self.howdah.rds.restore_db_instance_to_point_in_time(
            SourceDBInstanceIdentifier=source, TargetDBInstanceIdentifier=name, RestoreTime=target, MultiAZ=False,
            DBSubnetGroupName="subnets", VpcSecurityGroupIds=[self.network["db"]])
        self.howdah.await_available(name, 1800)

    @staticmethod
    def timed(do):
        began = time.monotonic()
        do()
        return round(time.monotonic() - began)


class EveryEngine(RestoreCase, unittest.TestCase):
    """The core of it on every engine there is."""

    @classmethod
    def setUpClass(cls):
        start_howdah(cls)
        found = cls.howdah.rds.describe_db_engine_versions(Engine="postgres")["DBEngineVersions"]
        cls.versions = sorted({engine["EngineVersion"] for engine in found})
        for version in cls.versions:
            cls.howdah.create_instance(cls.name(version), cls.network, EngineVersion=version, BackupRetentionPeriod=1)

    @staticmethod
    def name(version):
        return "pg-" + version.replace(".", "-")

    def test_a_time_between_two_commits(self):
        self.assertIn("14.17", self.versions)
        for version in self.versions:
            with self.subTest(engine=version):
                self.check(version)

    def allow_prepared_transactions(self, name):
        """Whoever administers this host can, where the API offers no parameter for it."""
        pid = next(node["Pid"] for instance in self.howdah.status()["Instances"]
                   if instance["DBInstanceIdentifier"] == name for node in instance["Nodes"])
        directory = next(p["cwd"] for p in self.howdah.processes.postmasters() if p["pid"] == pid)
        with open(directory + "/postgresql.auto.conf", "a") as settings:
            settings.write("max_prepared_transactions = 5\n")
        self.howdah.rds.reboot_db_instance(DBInstanceIdentifier=name)
        instance = self.howdah.await_available(name)
        self.howdah.cli("backup", "create", name)  # from which every restore begins: it has the setting
        return instance

    def check(self, version):
        name = self.name(version)
        self.howdah.await_available(name, 120)
        instance = self.allow_prepared_transactions(name)
        self.assertEqual(self.execute(instance, "show max_prepared_transactions"), [("5",)])
        ledger = Ledger(self.howdah, instance).create()
        self.addCleanup(ledger.end)
        self.execute(instance, "create unlogged table loose (n int)", "insert into loose values (1)",
                     "create table prepared (n int)", "begin", "insert into prepared values (1)",
                     "prepare transaction 'before'", "begin", "insert into prepared values (2)",
                     "prepare transaction 'ended after'")
        with self.assertRaises(psycopg2.errors.InsufficientPrivilege):  # so no backup ever meets one
            self.execute(instance, "create tablespace elsewhere location '/tmp'")
        ledger.write()
        target = now()
        self.execute(instance, "commit prepared 'ended after'", "begin", "insert into prepared values (3)",
                     "prepare transaction 'after'")
        ledger.write()
        self.await_restorable(name, ledger.ended[2])
        self.begin_restore(name, name + "-then", RestoreTime=target)
        self.check_then(self.howdah.await_available(name + "-then", 120), ledger, target)
        if version not in (self.versions[0], self.versions[-1]):
            return
        latest = self.restore(name, name + "-latest", UseLatestRestorableTime=True)
        self.assertEqual(ledger.check(self.rows(latest), now()), 2)
        self.assertEqual(self.execute(latest, "select n from prepared"), [(2,)])

    def check_then(self, instance, ledger, target):
        self.assertEqual(ledger.check(self.rows(instance), target), 1)
        self.assertEqual(self.execute(instance, "select gid from pg_prepared_xacts order by 1"),
                         [("before",), ("ended after",)])
        self.assertEqual(self.execute(instance, "select n from prepared"), [])
        self.execute(instance, "commit prepared 'before'", "rollback prepared 'ended after'")
        self.assertEqual(self.execute(instance, "select n from prepared"), [(1,)])
        self.assertEqual(self.execute(instance, "select n from loose"), [], "an unlogged table is there, and empty")
        self.execute(instance, "insert into loose values (1)")


if __name__ == "__main__":
    unittest.main()
