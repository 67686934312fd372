"""Backups and restores when something goes wrong: parts killed at observed moments, damaged objects, a repository that is
full. What is available afterwards is right; what is not says why; the archive has no gap."""

import json
import os
import random
import shutil
import signal
import subprocess
import unittest

import botocore.exceptions

from harness import Howdah, eventually
from multi_az import signal_all
from point_in_time import Ledger, RestoreCase, now, start_howdah
from test_storage import grow, mount, own_mounts

RANDOM = """insert into filler select g, (select string_agg(md5(random()::text || g || i), '') from generate_series(1, 30) i)
            from generate_series(1, {}) g"""


# Each part at each moment takes minutes; else each part at some moment.
EVERYTHING = os.environ.get("HOWDAH_BACKUP_FAULTS") == "all"


class FaultCase(RestoreCase, unittest.TestCase):
    def begin(self, rows=0, **more):
        self.howdah.create_instance("db-1", self.network, BackupRetentionPeriod=1, **more)
        self.instance = self.howdah.await_available("db-1")
        self.repository = self.howdah.home / "backups"
        self.own = self.repository / "instances" / self.instance["DbiResourceId"]
        self.ledger = Ledger(self.howdah, self.instance).create()
        self.execute(self.instance, "create table filler (n int, junk text)", RANDOM.format(rows))
        self.ledger.write()

    def verify(self):
        done = self.howdah.cli("backup", "verify", "-o", "json", check=False)
        return done.returncode, json.loads(done.stdout)["Damages"], done.stderr

    def assert_whole(self):
        self.assertEqual(self.verify()[:2], (0, []))

    def snapshot_status(self, name):
        return self.howdah.rds.describe_db_snapshots(DBSnapshotIdentifier=name)["DBSnapshots"][0]["Status"]

    def restore_snapshot(self, snapshot, name):
        self.howdah.rds.restore_db_instance_from_db_snapshot(
            DBInstanceIdentifier=name, DBSnapshotIdentifier=snapshot, DBSubnetGroupName="subnets",
            VpcSecurityGroupIds=[self.network["db"]])

    def end_of_restore(self, name):
        """Its status when nothing more happens."""
        def ended():
            status = self.howdah.describe(name)["DBInstanceStatus"]
            return status if status in ("available", "incompatible-restore") else None
        return eventually(ended, 120, f"the restore of {name} ends")

    def node_root(self, name):
        """Of the instance's one node."""
        node = next((node["NodeId"] for instance in self.howdah.status()["Instances"]
                     if instance["DBInstanceIdentifier"] == name for node in instance["Nodes"]), None)
        return node and next(self.howdah.home.glob(f"zones/*/{node}"), None)

    def postmaster(self, name):
        root = self.node_root(name)
        found = [p["pid"] for p in self.howdah.processes.postmasters() if root and p["cwd"].startswith(str(root))]
        return found[0] if found else None


class Killed(FaultCase):
    """Each part is killed at moments that are seen in the repository, on disk and among the processes."""

    @classmethod
    def setUpClass(cls):
        start_howdah(cls)
        case = cls("begin")
        case.begin(rows=40000)
        for name in ("instance", "repository", "own", "ledger"):
            setattr(cls, name, getattr(case, name))

    def restart_serve(self):
        self.howdah.kill()
        self.howdah.start()

    def kill_primary(self):
        os.kill(self.postmaster("db-1"), signal.SIGKILL)

    def kill_walsender(self):
        root = str(self.node_root("db-1"))
        signal_all([p["pid"] for p in self.howdah.processes.postgres()
                    if p["cwd"].startswith(root) and "walsender" in p["command"]], signal.SIGKILL)

    def settle(self):
        self.howdah.await_available("db-1", 120)
        eventually(self.write, 60, "the instance serves")
        self.await_restorable("db-1", now(), 60)

    def write(self):
        try:
            return self.ledger.write()
        except Exception:  # the connection ended with its server
            self.ledger.connection = None
            return None

    def snapshot_moments(self, name):
        before = set(self.own.glob("backups/*"))
        new = lambda pattern: any(p.match(pattern) for d in set(self.own.glob("backups/*")) - before for p in d.iterdir())
        return {"asked": lambda: True, "begun": lambda: new("begun") or self.snapshot_status(name) != "creating",
                "packed": lambda: new("pack-*") or self.snapshot_status(name) != "creating",
                "listed": lambda: new("files") or self.snapshot_status(name) != "creating"}

    def test_while_a_snapshot_is_taken(self):
        for victim in (self.restart_serve, self.kill_primary, self.kill_walsender):
            for moment in self.some("asked", "begun", "packed", "listed"):
                name = f"{victim.__name__}-{moment}".replace("_", "-")
                with self.subTest(name):
                    # So that each has something to write.
                    self.execute(self.instance, "update filler set n = n + 1 where random() < 0.2")
                    taken_after = self.ledger.write()
                    reached = self.snapshot_moments(name)[moment]
                    self.howdah.rds.create_db_snapshot(DBInstanceIdentifier="db-1", DBSnapshotIdentifier=name)
                    eventually(reached, 60, moment, pause=0.002)
                    victim()
                    eventually(lambda: self.snapshot_status(name) != "creating", 120, "the snapshot ends")
                    self.assertIn(self.snapshot_status(name), ("available", "failed"))
                    self.settle()
                    if self.snapshot_status(name) == "available" and (EVERYTHING or victim == self.kill_primary):
                        self.check_snapshot(name, taken_after)
        self.assert_whole()
        self.check_latest()

    @staticmethod
    def some(*moments):
        return moments if EVERYTHING else (random.choice(moments),)

    def check_snapshot(self, snapshot, taken_after):
        self.restore_snapshot(snapshot, "of-snapshot")
        instance = self.howdah.await_available("of-snapshot", 120)
        self.assertEqual(self.execute(instance, "select count(*) from filler"), [(40000,)])
        present = dict(self.rows(instance))
        self.assertEqual([n for n, ended in self.ledger.ended.items() if ended <= taken_after and n not in present], [])
        self.howdah.delete_instance("of-snapshot")

    def check_latest(self):
        self.howdah.cli("restore", "db-1", "--to", "latest", "--as", "of-latest")
        instance = self.howdah.describe("of-latest")
        self.howdah.admit_host(instance["VpcSecurityGroups"][0]["VpcSecurityGroupId"], instance)
        self.ledger.check(self.rows(instance), max(self.ledger.ended.values()))
        self.howdah.delete_instance("of-latest")

    def test_while_an_instance_is_restored(self):
        target = self.ledger.write()
        self.ledger.write()
        self.await_restorable("db-1", now())
        moments = {
            "asked": lambda: True,
            "decided": lambda: (self.node_root("again") or self.repository / "none").joinpath("restore/order.json").exists(),
            "files": lambda: (self.node_root("again") or self.repository / "none").joinpath("data").exists(),
            "replay": lambda: self.postmaster("again"),
        }
        for moment in (*self.some("asked", "decided", "files"), "replay"):
            reached = moments[moment]
            for victim in ("serve", "server") if moment == "replay" else ("serve",):
                with self.subTest(f"{victim} killed: {moment}"):
                    self.howdah.rds.restore_db_instance_to_point_in_time(
                        SourceDBInstanceIdentifier="db-1", TargetDBInstanceIdentifier="again", RestoreTime=target,
                        DBSubnetGroupName="subnets", VpcSecurityGroupIds=[self.network["db"]])
                    found = eventually(lambda: self.howdah.describe("again")["DBInstanceStatus"] == "available" or reached(),
                                       60, moment, pause=0.01)
                    if victim == "serve":
                        self.restart_serve()
                    elif isinstance(found, int):
                        signal_all([found], signal.SIGKILL)
                    self.assertGreater(self.latest("db-1"), target, "what was restorable stays it")
                    self.assertEqual(self.end_of_restore("again"), "available")
                    self.ledger.check(self.rows(self.howdah.describe("again")), target)
                    self.howdah.delete_instance("again")
        self.settle()
        self.assert_whole()


class Damaged(FaultCase):
    """Objects of the repository that are not as they were written."""

    @classmethod
    def setUpClass(cls):
        start_howdah(cls)
        case = cls("begin")
        case.begin(rows=100)
        for name in ("instance", "repository", "own", "ledger"):
            setattr(cls, name, getattr(case, name))
        cls.howdah.cli("backup", "create", "db-1", "--name", "snap")

    @staticmethod
    def harms(path):
        whole = path.read_bytes()
        middle = len(whole) // 2
        return {"flipped": lambda: path.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1:]),
                "cut off": lambda: path.write_bytes(whole[:middle]),
                "torn": lambda: path.write_bytes(whole[:middle] + bytes(len(whole) - middle)),
                "empty": lambda: path.write_bytes(b""),
                "missing": path.unlink}, lambda: path.write_bytes(whole)

    def assert_named(self, name):
        code, damages, error = self.verify()
        self.assertEqual(code, 1)
        self.assertTrue(any(name in damage for damage in damages), (name, damages))
        self.assertIn("backups are damaged", error)

    def test_of_a_backup(self):
        self.ledger.write()
        newest = max(self.own.glob("backups/*/manifest"), key=lambda path: path.stat().st_mtime).parent
        used = set(self.own.glob("backups/*/pack-*")) | set(newest.iterdir())
        for path in sorted(used):
            name = str(path.relative_to(self.repository))
            harms, mend = self.harms(path)
            try:
                for harm, do in harms.items():
                    with self.subTest(f"{name} {harm}"):
                        do()
                        self.assert_named(name)
                with self.subTest(f"restore without {name}"):
                    self.check_restore(name)
            finally:
                mend()
        self.assert_whole()

    def check_restore(self, damaged):
        """Refused, or given up, with the object's name; or right, where it is not needed."""
        try:
            self.restore_snapshot("snap", "hurt")
        except botocore.exceptions.ClientError as error:
            self.assertEqual(error.response["Error"]["Code"], "InvalidRestoreFault")
            self.assertIn(damaged, error.response["Error"]["Message"])
            return
        status = self.end_of_restore("hurt")
        if status == "available":
            self.assertEqual(len(self.rows(self.howdah.describe("hurt"))), 1)
        else:
            self.assertTrue(any(damaged in message for message in self.messages("hurt")), self.messages("hurt"))
        self.howdah.delete_instance("hurt")

    def messages(self, name):
        events = self.howdah.rds.describe_events(SourceIdentifier=name, SourceType="db-instance", Duration=60)["Events"]
        return [event["Message"] for event in events if event["Message"].startswith("DB instance could not")]

    def test_of_the_archive(self):
        self.await_restorable("db-1", self.ledger.write())
        path = max(self.own.glob("wal/*/*/*-*-*-*"))
        name = str(path.relative_to(self.repository))
        harms, mend = self.harms(path)
        harms["flipped"]()
        self.assert_named(name)
        self.begin_restore("db-1", "unarchived", UseLatestRestorableTime=True)
        self.assertEqual(self.end_of_restore("unarchived"), "incompatible-restore")
        self.assertTrue(any(name in message for message in self.messages("unarchived")), self.messages("unarchived"))
        mend()

    def test_nothing_of_an_instance_is_not_found(self):
        done = self.howdah.cli("backup", "verify", "db-NONE", check=False)
        self.assertEqual(done.returncode, 3)
        self.assertIn("the repository has nothing of db-NONE", done.stderr)


class Full(FaultCase):
    """A repository on a file system that fills up."""

    @classmethod
    def setUpClass(cls):
        own_mounts()

    def test_the_archive_waits_for_room(self):
        self.howdah = Howdah()
        backups = self.howdah.home / "backups"
        self.addCleanup(shutil.rmtree, self.howdah.base, ignore_errors=True)
        self.addCleanup(subprocess.run, ["umount", "-l", backups], stderr=subprocess.DEVNULL)
        mount(backups, "48m")
        self.howdah.start()
        self.addCleanup(self.howdah.stop)
        self.network = self.howdah.network()
        self.howdah.admit_host(self.network["db"])
        self.begin()
        self.addCleanup(self.ledger.end)
        eventually(self.fill, 120, "the repository is full")
        stood = self.latest("db-1")
        acknowledged = self.ledger.write()  # the instance goes on
        self.assertLess(stood, acknowledged)
        grow(backups, "1g")
        self.await_restorable("db-1", acknowledged, 60)
        self.assert_whole()
        self.ledger.check(self.rows(self.restore("db-1", "roomy", UseLatestRestorableTime=True)), acknowledged)

    def fill(self):
        self.execute(self.instance, RANDOM.format(10000))
        return "does not take WAL" in self.howdah.log_tail(1000)


if __name__ == "__main__":
    unittest.main()
