"""A backup repository that is away: the instance goes on and says so, its disk is not filled, and what was lost to the
archive is said, never restored, and closed by a backup."""

import datetime
import os
import signal
import unittest

from harness import Howdah, eventually
from test_rds_api import Refuses


class RepositoryAway(Refuses, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.howdah = Howdah().start()
        cls.addClassCleanup(cls.howdah.stop)
        cls.network = cls.howdah.network()
        cls.howdah.create_instance("db", cls.network, BackupRetentionPeriod=7)
        cls.instance = cls.howdah.await_available("db")
        cls.howdah.admit_host(cls.network["db"], cls.instance)
        cls.objects = cls.howdah.home / "backups/instances" / cls.instance["DbiResourceId"]

    def execute(self, *statements):
        self.howdah.execute(self.instance, *statements)

    def status(self):
        return self.howdah.status()["Instances"][0]

    def messages(self):
        events = self.howdah.rds.describe_events(SourceIdentifier="db", SourceType="db-instance")["Events"]
        return [event["Message"] for event in events]

    def told(self, start):
        return [message for message in self.messages() if message.startswith(start)]

    def doctor(self):
        done = self.howdah.cli("doctor", check=False)
        return [line for line in done.stdout.splitlines() if "archive of db" in line]

    def keep_little(self):
        """As an instance of little storage: 32 MiB of the log are kept for the archive."""
        data = next(self.howdah.home.glob("zones/*/*/data"))
        with open(data / "postgresql.auto.conf", "a", encoding="ascii") as settings:
            settings.write("max_slot_wal_keep_size = '32MB'\ncheckpoint_timeout = '30s'\nmax_wal_size = '64MB'\n"
                           "min_wal_size = '32MB'\n")
        os.kill(self.status()["Nodes"][0]["Pid"], signal.SIGHUP)

    def test_it_is_told_of_and_its_gap_is_closed(self):
        eventually(lambda: self.status()["ArchiveState"] == "following", 20, "the archive")
        seen = self.status()
        self.assertTrue(seen["LastBackup"] and seen["LatestRestorableTime"])
        self.assertIn("following", self.howdah.cli("status").stdout)
        self.assertEqual(self.doctor(), [])
        self.execute("create table t(n int, pad text)")
        self.keep_little()

        self.objects.chmod(0)
        self.addCleanup(self.objects.chmod, 0o700)
        away = datetime.datetime.now(datetime.timezone.utc)
        for _ in range(20):
            self.execute("insert into t select g, repeat(md5(g::text), 30) from generate_series(1, 12000) g")
        eventually(lambda: self.told("The archive of the write-ahead log is behind"), 120, "the event of trouble")
        self.assertEqual(self.status()["ArchiveState"], "behind")
        self.assertTrue(self.doctor() and "warn" in self.doctor()[0], self.doctor())
        eventually(lambda: self.lost_log(), 90, "the server giving up the log that nobody takes")
        self.execute("insert into t values(0, 'written all the same')")
        self.assertLess(self.log_size(), 320 << 20)
        in_between = datetime.datetime.now(datetime.timezone.utc)

        self.objects.chmod(0o700)
        eventually(lambda: self.told("A part of the write-ahead log is lost to the backups"), 60, "the event of the gap")
        eventually(lambda: self.told("The archive of the write-ahead log has caught up"), 120, "the event of the end")
        eventually(lambda: len(self.snapshots()) >= 2, 120, "a backup at once")
        self.howdah.await_available("db")
        eventually(lambda: self.status()["NotRestorableSince"] is None, 30, "the end of the gap")
        eventually(lambda: self.howdah.describe("db")["LatestRestorableTime"] > in_between, 30, "restorable times again")
        for start in ("A part of the write-ahead log", "The archive of the write-ahead log is", "The archive of the "
                      "write-ahead log has"):
            self.assertEqual(len(self.told(start)), 1, self.messages())
        self.assertGreater(in_between, away)
        self.assert_refused("InvalidRestoreFault", "", self.howdah.rds.restore_db_instance_to_point_in_time,
                            SourceDBInstanceIdentifier="db", TargetDBInstanceIdentifier="never",
                            DBSubnetGroupName="subnets", RestoreTime=in_between)
        self.assertEqual(self.doctor(), [])

    def log_size(self):
        return sum(path.stat().st_size for path in self.howdah.home.glob("zones/*/*/data/pg_wal/*") if path.is_file())

    def lost_log(self):
        """The log of the time before has gone, though the archive's slot asked for it."""
        logs = self.howdah.home.glob("**/error/postgresql.log*")
        return any("invalidating" in log.read_text(errors="replace") and "howdah_archive" in log.read_text(errors="replace")
                   for log in logs)

    def snapshots(self):
        found = self.howdah.rds.describe_db_snapshots(DBInstanceIdentifier="db", SnapshotType="automated")["DBSnapshots"]
        return [one for one in found if one["Status"] == "available"]


if __name__ == "__main__":
    unittest.main()
