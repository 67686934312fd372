"""scripts/backup/backup-database.sh against a running Howdah, with the real AWS CLI."""

import os
import pathlib
import subprocess
import tempfile
import unittest

from harness import Howdah

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts/backup/backup-database.sh"


class BackupScript(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.howdah = Howdah().start()
        cls.addClassCleanup(cls.howdah.stop)
        network = cls.howdah.network()
        cls.howdah.create_instance("prod-e-db", network)
        cls.howdah.await_available("prod-e-db")
        cls.lock = tempfile.mktemp(prefix="backup-database-")
        cls.addClassCleanup(lambda: os.path.exists(cls.lock) and os.unlink(cls.lock))

    def run_script(self, *arguments, **environment):
        return subprocess.run([SCRIPT, "--lock", self.lock, *arguments], text=True, timeout=120, check=False,
                              capture_output=True, env={**self.howdah.environment(), "PATH": "/usr/bin:/bin", **environment})

    def names(self):
        found = self.howdah.rds.describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]
        return sorted(snapshot["DBSnapshotIdentifier"] for snapshot in found)

    def test_takes_waits_and_names_what_it_took(self):
        done = self.run_script()
        self.assertEqual(done.returncode, 0, done.stderr)
        name = done.stdout.strip()
        self.assertRegex(name, r"^prod-e-db-\d{8}-\d{6}$")
        found = self.howdah.rds.describe_db_snapshots(DBSnapshotIdentifier=name)["DBSnapshots"][0]
        self.assertEqual((found["Status"], found["PercentProgress"]), ("available", 100))
        self.assertIn("available and complete", done.stderr)

    def test_prunes_its_own_and_no_others(self):
        rds = self.howdah.rds
        rds.create_db_snapshot(DBInstanceIdentifier="prod-e-db", DBSnapshotIdentifier="prod-e-db-20200101-000000")
        rds.get_waiter("db_snapshot_available").wait(DBSnapshotIdentifier="prod-e-db-20200101-000000",
                                                     WaiterConfig={"Delay": 1, "MaxAttempts": 60})
        taken = [self.run_script("--prefix", "nightly", "--keep-least", "1", "--keep-most", "2").stdout.strip()
                 for _ in range(3)]
        left = self.names()
        self.assertNotIn(taken[0], left)
        self.assertLessEqual(set(taken[1:]), set(left))
        self.assertIn("prod-e-db-20200101-000000", left)  # it looks like one, and was taken by somebody else

    def test_a_dry_run_does_nothing(self):
        before = self.names()
        done = self.run_script("--dry-run", "--keep-most", "1", "--keep-least", "1")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("would take snapshot", done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertEqual(self.names(), before)

    def test_two_at_once_are_one(self):
        with open(self.lock, "w", encoding="ascii") as lock:
            with subprocess.Popen(["flock", "-n", str(lock.fileno())], pass_fds=[lock.fileno()]) as holder:
                holder.wait(10)  # the lock stays with our file
            done = self.run_script()
        self.assertEqual(done.returncode, 5, done.stderr)

    def test_says_what_is_wrong(self):
        self.assertEqual(self.run_script("--keep-days", "many").returncode, 2)
        self.assertEqual(self.run_script("--keep-most", "1", "--keep-least", "2").returncode, 2)
        missing = self.run_script("--instance", "none-such")
        self.assertEqual(missing.returncode, 3)
        self.assertIn("none-such", missing.stderr)
        refused = self.run_script(AWS_SECRET_ACCESS_KEY="wrong")
        self.assertEqual(refused.returncode, 1)
        self.assertNotIn("wrong\n", refused.stderr)
