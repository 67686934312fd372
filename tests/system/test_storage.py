"""Storage that fills up, on real small file systems: an instance is read-only before its disk is full, PostgreSQL never
meets the end of the disk, nothing acknowledged is lost, and more room brings it back by itself."""

import ctypes
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import time
import unittest

import botocore.exceptions
import psycopg2
import psycopg2.errors

from harness import Howdah, eventually

MIB = 1024 * 1024
GIB = 1024 * MIB
SMALL, LARGE = "600m", "1500m"
CLONE_NEWNS = 0x00020000
ROWS = 2000
INSERT = f"""INSERT INTO filler SELECT %s, repeat(md5(random()::text || g), 16)
             FROM generate_series(1, {ROWS}) g"""


def own_mounts():
    """Mounts of this process and of its children only. Raises SkipTest where that is not allowed."""
    if os.geteuid() != 0:
        raise unittest.SkipTest("a small file system is mounted as root only")
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) != 0:
        raise unittest.SkipTest(f"no mounts of our own: {os.strerror(ctypes.get_errno())}")
    done = subprocess.run(["mount", "--make-rprivate", "/"], stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise unittest.SkipTest(f"no mounts of our own: {done.stderr.strip()}")


def mount(path, size):
    user = pwd.getpwnam("howdah")
    path.mkdir(parents=True, mode=0o700, exist_ok=True)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=700,uid={user.pw_uid},gid={user.pw_gid}",
                           "tmpfs", path], stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise unittest.SkipTest(f"no file system in memory: {done.stderr.strip()}")


def grow(path, size):
    subprocess.run(["mount", "-o", f"remount,size={size}", path], check=True)


class Small(unittest.TestCase):
    """Instances whose nodes are on file systems of some hundred MiB."""

    @classmethod
    def setUpClass(cls):
        own_mounts()

    def begin(self, mounts, **more):
        """A daemon and an instance; mounts: directories below home/zones, or "" for all of it."""
        self.howdah = Howdah()
        self.addCleanup(self.end)
        zones = self.howdah.home / "zones"
        zones.mkdir(mode=0o700)
        shutil.chown(zones, "howdah", "howdah")
        self.mounts = [zones / name for name in mounts]
        for path in self.mounts:
            mount(path, SMALL)
        self.howdah.start()
        network = self.howdah.network()
        self.howdah.admit_host(network["db"])
        self.howdah.create_instance("db", network, **more)
        self.instance = self.howdah.await_available("db")
        with self.howdah.connect(self.instance) as connection, connection.cursor() as cursor:
            cursor.execute("CREATE TABLE filler (batch int, junk text)")
        self.acked = set()

    def end(self):
        try:
            self.howdah.stop()
        finally:
            for path in self.mounts:
                subprocess.run(["umount", "-l", path], stderr=subprocess.DEVNULL)
            shutil.rmtree(self.howdah.base, ignore_errors=True)

    # --- what is looked at

    def status(self):
        return self.howdah.describe("db")["DBInstanceStatus"]

    def await_status(self, status, seconds=40):
        eventually(lambda: self.status() == status, seconds, status)

    def node(self, role="primary"):
        instance = self.howdah.status()["Instances"][0]
        return next(node for node in instance["Nodes"] if node["Role"] == role)

    def messages(self, category):
        events = self.howdah.rds.describe_events(SourceType="db-instance", SourceIdentifier="db", Duration=60)["Events"]
        return [event["Message"] for event in events if category in event["EventCategories"]]

    def server_logs(self):
        logs = self.howdah.home.glob("zones/*/*/log/**/*")
        return "".join(path.read_text(errors="replace") for path in logs if path.is_file())

    def assert_never_met_the_end(self):
        text = self.server_logs()
        self.assertTrue(text)
        self.assertNotIn("No space left on device", text)
        self.assertNotIn("PANIC", text)

    def batches(self, connection):
        with connection.cursor() as cursor:
            cursor.execute("SELECT batch, count(*) FROM filler GROUP BY batch")
            rows = dict(cursor.fetchall())
        connection.rollback()
        return rows

    def assert_nothing_lost(self):
        connection = self.howdah.connect(self.instance)
        rows = self.batches(connection)
        connection.close()
        self.assertEqual([batch for batch in self.acked if rows.get(batch) != ROWS], [])

    # --- what is done

    def fill(self, setting="", seconds=60):
        """Inserts until it is refused; the error. Whatever is acknowledged is remembered."""
        connection = self.howdah.connect(self.instance)
        connection.autocommit = True
        deadline = time.monotonic() + seconds
        try:
            with connection.cursor() as cursor:
                if setting:
                    cursor.execute(setting)
                while time.monotonic() < deadline:
                    batch = len(self.acked)
                    cursor.execute(INSERT, (batch,))
                    self.acked.add(batch)
        except psycopg2.Error as error:
            return error
        finally:
            connection.close()
        raise AssertionError(f"{len(self.acked)} batches, and nobody refused")

    def insert_one(self):
        connection = self.howdah.connect(self.instance)
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                cursor.execute("INSERT INTO filler VALUES (-1, '')")
        finally:
            connection.close()

    def assert_read_only(self):
        with self.assertRaises(psycopg2.errors.ReadOnlySqlTransaction) as refused:
            self.insert_one()
        self.assertIn("cannot execute INSERT in a read-only transaction", str(refused.exception))

    # --- the tests

    def test_full_is_read_only_and_more_room_brings_it_back(self):
        self.begin([""])
        self.assertEqual(self.node()["StorageState"], "normal")
        # In the middle of a transaction when the fence falls: it is ended, not let run on.
        waiting = self.howdah.connect(self.instance)
        with waiting.cursor() as cursor:
            cursor.execute("INSERT INTO filler VALUES (-2, '')")
        error = self.fill()
        self.assertIsInstance(error, (psycopg2.errors.ReadOnlySqlTransaction, psycopg2.errors.AdminShutdown,
                                      psycopg2.OperationalError))
        self.await_status("storage-full")
        self.assert_read_only()
        with self.assertRaises(psycopg2.Error):
            with waiting.cursor() as cursor:
                eventually(lambda: cursor.execute("SELECT 1"), 10, "the end of an old writer", pause=0.2)
        waiting.close()
        self.assertGreater(len(self.acked), 20)
        self.assert_nothing_lost()
        self.assertEqual(self.node()["State"], "running")
        self.assertTrue(any("nearly full" in message for message in self.messages("low storage")))
        with self.assertRaises(self.howdah.rds.exceptions.InvalidDBInstanceStateFault):
            self.howdah.rds.modify_db_instance(DBInstanceIdentifier="db", DBPortNumber=5433, ApplyImmediately=True)
        # Killed in that state, control plane and server: it is the same when they are back.
        self.howdah.restart()
        self.assert_read_only()
        self.kill_server()
        eventually(self.can_read, 30, "a server again")
        self.assert_read_only()
        self.assertEqual(self.status(), "storage-full")
        self.assert_nothing_lost()
        grow(self.mounts[0], LARGE)
        self.await_status("available")
        eventually(self.can_write, 10, "writes")
        self.assert_nothing_lost()
        self.assert_never_met_the_end()
        self.assertIn("The DB instance has storage again and takes writes.", self.messages("notification"))

    def test_who_writes_on_is_stopped_before_the_disk_ends(self):
        self.begin([""])
        self.fill()
        self.await_status("storage-full")
        # Whoever still writes from before is ended; who says that he wants to is let, up to the last line.
        eventually(self.writes_until_stopped, 30, "the end of the server")
        eventually(lambda: not self.howdah.processes.postgres(), 30, "the end of its processes")
        self.assertEqual(self.status(), "storage-full")
        self.assertIn("storage full", self.node()["Detail"])
        self.howdah.restart()
        # A server that should not be started would be within a moment: nobody sees one for a whole second.
        looked_enough = time.monotonic() + 1
        while time.monotonic() < looked_enough:
            self.assertEqual(self.howdah.processes.postgres(), [])
        self.assertEqual(self.status(), "storage-full")
        # More allocated storage is not what it lacks; the request is carried out and keeps nothing from coming back.
        self.howdah.rds.modify_db_instance(DBInstanceIdentifier="db", AllocatedStorage=40, ApplyImmediately=True)
        self.await_status("storage-full")
        self.assertEqual(self.howdah.describe("db")["AllocatedStorage"], 40)
        grow(self.mounts[0], LARGE)
        self.await_status("available", 60)
        eventually(self.can_write, 10, "writes")
        self.assert_nothing_lost()
        self.assert_never_met_the_end()

    def test_room_that_a_user_makes_brings_it_back(self):
        self.begin([""])
        self.fill()
        self.await_status("storage-full")
        connection = self.howdah.connect(self.instance)
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SET default_transaction_read_only = off")
            cursor.execute("TRUNCATE filler")
            cursor.execute("SELECT 1")
        connection.close()
        self.acked.clear()
        self.await_status("available")
        eventually(self.can_write, 10, "writes")
        self.assert_never_met_the_end()

    def test_a_full_standby_does_not_let_the_primary_run_on(self):
        self.begin(["us-west-2b"], MultiAZ=True)
        primary = self.node("primary")["AvailabilityZone"]
        self.assertEqual(primary, "us-west-2a")
        junk = self.mounts[0] / "junk"
        left = shutil.disk_usage(self.mounts[0]).free - 60 * MIB
        subprocess.run(["fallocate", "-l", str(left), junk], check=True)
        self.await_status("storage-full")
        eventually(self.is_read_only, 10, "a primary that takes no writes")
        status = self.howdah.status()["Instances"][0]
        self.assertEqual(status["Phase"], "PROTECTED")
        junk.unlink()
        self.await_status("available")
        eventually(self.can_write, 10, "writes")
        self.assertEqual(self.howdah.status()["Instances"][0]["Phase"], "PROTECTED")
        self.assert_never_met_the_end()

    def is_read_only(self):
        try:
            self.insert_one()
        except psycopg2.errors.ReadOnlySqlTransaction:
            return True
        return False

    def writes_until_stopped(self):
        if self.node()["StorageState"] == "held":
            return True
        if self.can_read():
            self.fill("SET default_transaction_read_only = off")
        return False

    def can_write(self):
        try:
            self.insert_one()
        except psycopg2.Error:
            return False
        return True

    def can_read(self):
        try:
            self.howdah.connect(self.instance).close()
        except psycopg2.Error:
            return False
        return True

    def kill_server(self):
        before = self.node()["Pid"]
        os.kill(before, signal.SIGKILL)
        eventually(lambda: self.node()["State"] == "running" and self.node()["Pid"] not in (0, before), 30, "a restart")


class ControlPlane(unittest.TestCase):
    """Howdah's own state on a full disk."""

    @classmethod
    def setUpClass(cls):
        own_mounts()

    def test_a_full_disk_under_the_store_stops_changes_and_nothing_else(self):
        howdah = Howdah()
        (howdah.home / "engines").unlink()
        mount(howdah.home, "200m")
        self.addCleanup(shutil.rmtree, howdah.base, ignore_errors=True)
        self.addCleanup(subprocess.run, ["umount", "-l", howdah.home])
        howdah.start()
        self.addCleanup(howdah.stop)
        kept = howdah.ec2.create_vpc(CidrBlock="10.200.0.0/16")["Vpc"]["VpcId"]
        junk = howdah.home / "junk"
        self.fill_up(junk)
        refused = None
        for number in range(50):  # what the store has in hand still takes a few
            try:
                howdah.ec2.create_vpc(CidrBlock=f"10.{number}.0.0/16")
            except botocore.exceptions.ClientError as error:
                refused = error.response
                break
        self.assertIsNotNone(refused)
        self.assertEqual(refused["ResponseMetadata"]["HTTPStatusCode"], 503)
        self.assertIn("is full", refused["Error"]["Message"])
        known = self.vpcs(howdah)
        self.assertIn(kept, known)
        self.assertIsNone(howdah.serve.poll())
        # Killed and started on the full disk it either runs, or says why it does not.
        howdah.kill()
        try:
            howdah.start()
            self.assertEqual(self.vpcs(howdah), known)
            howdah.kill()
        except AssertionError:
            self.assertRegex(howdah.log_tail(), "is full|No space left")
            howdah.serve.wait(10)
            howdah.serve.stdout.close()
        junk.unlink()
        howdah.start()
        self.assertEqual(self.vpcs(howdah), known)
        howdah.ec2.create_vpc(CidrBlock="10.201.0.0/16")

    @staticmethod
    def fill_up(path):
        with open(path, "wb", buffering=0) as junk:
            for size in (MIB, 4096, 1):
                while True:
                    try:
                        if junk.write(b"x" * size) < size:
                            break
                    except OSError:
                        break

    @staticmethod
    def vpcs(howdah):
        return sorted(vpc["VpcId"] for vpc in howdah.ec2.describe_vpcs()["Vpcs"])


class Allocated(unittest.TestCase):
    """The other limit: what the instance was given, on a disk that has more."""

    def test_the_allocation_fills_and_more_of_it_brings_the_instance_back(self):
        howdah = Howdah()
        if shutil.disk_usage(howdah.base).free < 28 * GIB:
            howdah.destroy()
            self.skipTest("the smallest instance has 20 GiB, and there are not 28 GiB free")
        howdah.start()
        self.addCleanup(howdah.stop)
        network = howdah.network()
        howdah.admit_host(network["db"])
        howdah.create_instance("db", network)
        instance = howdah.await_available("db")
        directory = next(howdah.home.glob("zones/*/*"))
        # Length alone is no use of storage.
        with open(directory / "sparse", "wb") as sparse:
            sparse.truncate(30 * GIB)

        def storage():
            return howdah.status()["Instances"][0]["Nodes"][0]

        def status():
            return howdah.describe("db")["DBInstanceStatus"]

        # Reserved blocks are, though nothing is written to them. In steps that leave more than they take: storage that
        # would be gone within a second is full already.
        for size in [9000, 14000, 16900, 18500]:
            done = subprocess.run(["fallocate", "-l", str(size * MIB), directory / "junk"], capture_output=True)
            if done.returncode != 0:
                self.skipTest(f"the file system reserves nothing: {done.stderr.decode().strip()}")
            eventually(lambda: storage()["UsedStorage"] >= size * MIB, 40, f"{size} MiB")
        eventually(lambda: storage()["StorageState"] == "low", 10, "the warning")
        self.assertEqual(status(), "available")
        subprocess.run(["fallocate", "-l", str(19 * GIB + 640 * MIB), directory / "junk"], check=True)
        eventually(lambda: status() == "storage-full", 40, "storage-full")
        connection = howdah.connect(instance)
        with self.assertRaises(psycopg2.errors.ReadOnlySqlTransaction), connection.cursor() as cursor:
            cursor.execute("CREATE TABLE t (n int)")
        connection.close()
        answer = howdah.rds.modify_db_instance(DBInstanceIdentifier="db", AllocatedStorage=30, ApplyImmediately=True)
        self.assertEqual(answer["DBInstance"]["DBInstanceStatus"], "modifying")
        eventually(lambda: status() == "available", 40, "available")
        connection = howdah.connect(instance)
        with connection, connection.cursor() as cursor:
            cursor.execute("CREATE TABLE t (n int)")
        connection.close()
        messages = [event["Message"] for event in howdah.rds.describe_events(
            SourceType="db-instance", SourceIdentifier="db", EventCategories=["low storage"], Duration=60)["Events"]]
        self.assertEqual(len(messages), 2)
        self.assertEqual(sum("of the provisioned storage" in message for message in messages), 1, messages)
        self.assertEqual(sum("Allocated storage has been exhausted." in message for message in messages), 1)

    def test_what_cannot_be_measured_is_an_error_and_not_an_empty_disk(self):
        howdah = Howdah().start()
        self.addCleanup(howdah.stop)
        if os.geteuid() != 0:
            self.skipTest("another user's directory is made as root only")
        howdah.create_instance("db", howdah.network())
        howdah.await_available("db")
        eventually(lambda: howdah.status()["Instances"][0]["Nodes"][0]["UsedStorage"], 30, "a measurement")
        closed = pathlib.Path(next(howdah.home.glob("zones/*/*"))) / "closed"
        closed.mkdir(mode=0o700)

        def node():
            return howdah.status()["Instances"][0]["Nodes"][0]

        eventually(lambda: node()["StorageError"], 60, "the error")
        self.assertIn("closed", node()["StorageError"])
        self.assertIn("Permission denied", node()["StorageError"])
        self.assertGreater(node()["UsedStorage"], 0)
        closed.rmdir()
        eventually(lambda: node()["StorageError"] is None, 10, "the end of the error")
        events = howdah.rds.describe_events(SourceType="db-instance", SourceIdentifier="db", Duration=60)["Events"]
        self.assertEqual(sum("Watching the storage" in event["Message"] for event in events), 1)


if __name__ == "__main__":
    unittest.main()
