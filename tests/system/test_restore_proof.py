"""Restore tests: the newest backup is restored into a throw-away node and checked; what is wrong with a backup is loud, the
instance is untouched, and nothing is left behind, whatever is killed."""

import json
import os
import subprocess
import unittest

from harness import PROGRAM, Howdah, eventually


class RestoreTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.howdah = Howdah(options=["--restore-tests", "0"]).start()
        cls.addClassCleanup(cls.howdah.stop)
        cls.network = cls.howdah.network()
        cls.howdah.create_instance("db", cls.network, BackupRetentionPeriod=7)
        cls.instance = cls.howdah.await_available("db")
        cls.howdah.admit_host(cls.network["db"], cls.instance)
        cls.execute("create table t(n int primary key, pad text)",
                    "insert into t select g, repeat(md5(g::text), 20) from generate_series(1, 60000) g")

    @classmethod
    def execute(cls, *statements):
        connection = cls.howdah.connect(cls.instance)
        connection.autocommit = True
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            rows = cursor.fetchall() if cursor.description else []
        connection.close()
        return rows

    def seen(self):
        return next(one["RestoreTest"] for one in self.howdah.status()["Instances"] if one["DBInstanceIdentifier"] == "db")

    def messages(self):
        events = self.howdah.rds.describe_events(SourceIdentifier="db", SourceType="db-instance")["Events"]
        return [event["Message"] for event in events]

    def nodes(self):
        """Directories of nodes, wherever they keep something."""
        return sorted({path.name for path in [*self.howdah.home.glob("zones/*/n-*"), *self.howdah.home.glob("run/n-*")]})

    def assert_only_the_instance_is_left(self):
        eventually(lambda: len(self.nodes()) == 1, 30, "the copy being gone")
        self.assertEqual(len(self.howdah.processes.postmasters()), 1)
        self.assertEqual(self.execute("select count(*) from t")[0][0], 60000)

    def prove(self, check=True):
        return self.howdah.cli("-o", "json", "backup", "verify", "db", "--restore", check=check, timeout=180)

    def test_1_a_good_backup_is_proven(self):
        done = json.loads(self.prove().stdout)
        self.assertEqual((done["State"], done["Failure"]), ("passed", ""))
        for what in ("Databases", "Tables", "Pages", "Indexes"):
            self.assertGreater(done[what], 0, done)
        seen = self.seen()
        self.assertEqual((seen["State"], seen["Backup"]), ("passed", done["Backup"]))
        self.assertIn("passed", self.howdah.cli("status").stdout)
        self.assertTrue([m for m in self.messages() if "were restored for a test" in m], self.messages())
        self.assert_only_the_instance_is_left()

    def test_2_serve_killed_in_the_middle_goes_on_and_leaves_nothing(self):
        before = self.seen()["Finished"]
        asker = subprocess.Popen([PROGRAM, "--home", self.howdah.home, "backup", "verify", "db", "--restore"],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(3):
            eventually(lambda: len(self.nodes()) == 2 or self.seen()["Finished"] != before, 30, "the copy", 0.01)
            self.howdah.restart()
        eventually(lambda: self.seen()["Finished"] != before, 120, "the end of the test")
        asker.wait(60)
        self.assertEqual(self.seen()["State"], "passed")
        self.assert_only_the_instance_is_left()

    def test_3_an_instance_that_is_deleted_meanwhile_leaves_nothing(self):
        self.howdah.create_instance("brief", self.network, BackupRetentionPeriod=1)
        self.howdah.await_available("brief")
        asker = subprocess.Popen([PROGRAM, "--home", self.howdah.home, "backup", "verify", "brief", "--restore"],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        eventually(lambda: len(self.nodes()) == 3, 30, "the copy", 0.01)
        self.howdah.delete_instance("brief")
        self.assertEqual(asker.wait(60), 1)
        self.assert_only_the_instance_is_left()

    def test_4_a_damaged_backup_is_found_and_the_instance_untouched(self):
        backups = self.howdah.home / "backups/instances" / self.instance["DbiResourceId"] / "backups"
        packs = sorted(backups.glob("*/pack-*"))
        self.assertTrue(packs, list(backups.glob("*/*")))
        for pack in packs:
            with open(pack, "r+b") as file:
                file.seek(os.path.getsize(pack) // 2)
                byte = file.read(1)
                file.seek(-1, os.SEEK_CUR)
                file.write(bytes([byte[0] ^ 1]))
        done = self.prove(check=False)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertEqual(self.seen()["State"], "failed")
        self.assertTrue(self.seen()["Failure"])
        self.assertTrue([m for m in self.messages() if m.startswith("The restore test of the automated backups has failed")])
        doctor = self.howdah.cli("doctor", check=False)
        self.assertEqual(doctor.returncode, 1)
        self.assertIn("restore test of db", doctor.stdout)
        self.assertEqual(self.howdah.describe("db")["DBInstanceStatus"], "available")
        self.assert_only_the_instance_is_left()


if __name__ == "__main__":
    unittest.main()
