"""Snapshots, automated backups and restores through the RDS API, on real servers."""

import datetime
import json
import unittest

from harness import Howdah, eventually
from test_rds_api import Refuses


class Backups(Refuses, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.howdah = Howdah().start()
        cls.addClassCleanup(cls.howdah.stop)
        cls.rds = cls.howdah.rds
        cls.network = cls.howdah.network()
        created = cls.howdah.create_instance("source", cls.network, BackupRetentionPeriod=7, CopyTagsToSnapshot=True,
                                             Tags=[{"Key": "team", "Value": "blue"}])
        assert created["BackupRetentionPeriod"] == 7, created
        cls.source = cls.howdah.await_available("source")
        cls.howdah.admit_host(cls.network["db"], cls.source)
        cls.execute(cls.source, "create table t(n int primary key, at timestamptz default clock_timestamp())")

    @classmethod
    def execute(cls, instance, *statements):
        return cls.howdah.execute(instance, *statements)

    def numbers(self, instance):
        return [row[0] for row in self.execute(instance, "select n from t order by n")]

    def now(self, name="source"):
        return self.howdah.describe(name)

    def snapshot(self, name, **words):
        made = self.rds.create_db_snapshot(DBInstanceIdentifier="source", DBSnapshotIdentifier=name, **words)["DBSnapshot"]
        self.assertEqual((made["Status"], made["SnapshotType"]), ("creating", "manual"))
        self.assertEqual(self.now()["DBInstanceStatus"], "backing-up")
        self.rds.get_waiter("db_snapshot_available").wait(DBSnapshotIdentifier=name,
                                                          WaiterConfig={"Delay": 1, "MaxAttempts": 90})
        self.howdah.await_available("source")
        return self.rds.describe_db_snapshots(DBSnapshotIdentifier=name)["DBSnapshots"][0]

    def to(self, name, **words):
        wish = dict(TargetDBInstanceIdentifier=name, DBSubnetGroupName="subnets", VpcSecurityGroupIds=[self.network["db"]])
        if "SourceDbiResourceId" not in words:
            wish["SourceDBInstanceIdentifier"] = "source"
        return self.rds.restore_db_instance_to_point_in_time(**{**wish, **words})["DBInstance"]

    def restored(self, name):
        instance = self.howdah.await_available(name, 120)
        self.addCleanup(self.howdah.rds.delete_db_instance, DBInstanceIdentifier=name, SkipFinalSnapshot=True)
        return instance

    def test_a_new_instance_is_backed_up_before_it_is_available(self):
        found = self.rds.describe_db_snapshots(DBInstanceIdentifier="source", SnapshotType="automated")["DBSnapshots"]
        self.assertGreaterEqual(len(found), 1)
        self.assertRegex(found[0]["DBSnapshotIdentifier"], r"^rds:source-\d{4}-\d\d-\d\d-\d\d-\d\d$")
        self.assertEqual((found[0]["Status"], found[0]["PercentProgress"]), ("available", 100))
        self.assert_refused("InvalidDBSnapshotState", "automated", self.rds.delete_db_snapshot,
                            DBSnapshotIdentifier=found[0]["DBSnapshotIdentifier"])
        backups = self.rds.describe_db_instance_automated_backups(DBInstanceIdentifier="source")
        backup = backups["DBInstanceAutomatedBackups"][0]
        self.assertEqual(backup["Status"], "active")
        self.assertIn("EarliestTime", backup["RestoreWindow"])
        messages = [event["Message"] for event in self.rds.describe_events()["Events"]]
        self.assertIn("Automated snapshot created", messages)

    def test_what_can_be_restored_follows_the_clock(self):
        self.execute(self.source, "insert into t values(1000)")
        written = datetime.datetime.now(datetime.timezone.utc)
        eventually(lambda: self.now().get("LatestRestorableTime", written) > written, 15, "the archive")

    def test_a_snapshot_is_restored_with_its_data_and_its_password(self):
        self.execute(self.source, "insert into t values(1)")
        snapshot = self.snapshot("first")
        self.assertEqual(snapshot["TagList"], [{"Key": "team", "Value": "blue"}])
        self.execute(self.source, "insert into t values(2)")
        made = self.rds.restore_db_instance_from_db_snapshot(
            DBInstanceIdentifier="copy", DBSnapshotIdentifier="first", DBSubnetGroupName="subnets",
            VpcSecurityGroupIds=[self.network["db"]])["DBInstance"]
        self.assertEqual(made["DBInstanceStatus"], "creating")
        self.assertNotEqual(made["DbiResourceId"], self.source["DbiResourceId"])
        copy = self.restored("copy")
        numbers = self.numbers(copy)
        self.assertIn(1, numbers)
        self.assertNotIn(2, numbers)
        self.execute(copy, "insert into t values(3)")
        self.assertNotIn(3, self.numbers(self.source))

    def test_a_point_in_time_lies_between_two_commits(self):
        self.execute(self.source, "insert into t values(10)")
        target = self.execute(self.source, "select clock_timestamp()")[0][0]
        self.execute(self.source, "insert into t values(11)")
        eventually(lambda: self.now()["LatestRestorableTime"] > target, 15, "the archive")
        self.to("then", RestoreTime=target)
        numbers = self.numbers(self.restored("then"))
        self.assertIn(10, numbers)
        self.assertNotIn(11, numbers)
        # It has backups of its own, and the source's go on.
        self.assertEqual(len(self.rds.describe_db_snapshots(DBInstanceIdentifier="then")["DBSnapshots"]), 1)

    def refused_command(self, exit_code, text, *words):
        done = self.howdah.cli(*words, check=False)
        self.assertEqual((done.returncode, done.stdout), (exit_code, ""))
        self.assertIn(text, done.stderr)

    def test_the_command_line_lists_takes_and_plans(self):
        said = self.howdah.cli("backup", "create", "source", "--name", "by-hand").stdout
        self.assertIn("snapshot by-hand of source is available", said)
        listed = json.loads(self.howdah.cli("backup", "list", "source", "-o", "json").stdout)
        self.assertIn("by-hand", [snapshot["DBSnapshotIdentifier"] for snapshot in listed["Snapshots"]])
        self.assertEqual([backup["Status"] for backup in listed["AutomatedBackups"]], ["active"])
        self.assertRegex(self.howdah.cli("backup", "list").stdout, r"by-hand +source +manual +available .* 100 %")
        plan = json.loads(self.howdah.cli("restore", "source", "--to", "latest", "--dry-run", "-o", "json").stdout)
        self.assertEqual(plan["DbiResourceId"], self.source["DbiResourceId"])
        self.assertLess(plan["EarliestTime"], plan["Until"])
        self.assertGreater(plan["Size"], 20_000_000)
        text = self.howdah.cli("restore", "source", "--to", plan["LatestTime"], "--dry-run").stdout
        self.assertRegex(text, r"restorable +from .* to ")
        self.assertRegex(text, r"estimate +\d+ s")
        self.refused_command(1, "DBSnapshotAlreadyExists", "backup", "create", "source", "--name", "by-hand")
        self.refused_command(3, "DBInstanceNotFound", "backup", "create", "none")
        self.refused_command(3, "There is no DB instance 'none'", "restore", "none", "--to", "latest")
        self.refused_command(2, "--to yesterday is no time", "restore", "source", "--to", "yesterday")
        self.refused_command(1, "cannot be restored: it can be from", "restore", "source", "--to", "2020-01-01T00:00:00Z")
        self.assert_refused("DBInstanceNotFound", "restored", self.rds.describe_db_instances,
                            DBInstanceIdentifier="source-restored")

    def test_what_cannot_be_restored_is_refused_before_anything_is_made(self):
        hour = datetime.timedelta(hours=1)
        now = datetime.datetime.now(datetime.timezone.utc)
        for time_asked in (now + hour, now - hour):
            self.assert_refused("InvalidRestoreFault", "it can be restored to any time from", self.to, name="never",
                                RestoreTime=time_asked)
        self.assert_refused("InvalidParameterCombination", "UseLatestRestorableTime", self.to, name="never")
        self.assert_refused("DBInstanceAutomatedBackupNotFound", "No automated backup", self.to, name="never",
                            SourceDbiResourceId="db-NONE", UseLatestRestorableTime=True)
        self.assert_refused("DBSnapshotNotFound", "none", self.rds.restore_db_instance_from_db_snapshot,
                            DBInstanceIdentifier="never", DBSnapshotIdentifier="none")
        self.assert_refused("DBInstanceNotFound", "never", self.rds.describe_db_instances, DBInstanceIdentifier="never")

    def test_snapshots_are_listed_copied_tagged_and_deleted(self):
        self.snapshot("second", Tags=[{"Key": "k", "Value": "v"}])
        self.assert_refused("DBSnapshotAlreadyExists", "second", self.rds.create_db_snapshot,
                            DBInstanceIdentifier="source", DBSnapshotIdentifier="SECOND")
        copy = self.rds.copy_db_snapshot(SourceDBSnapshotIdentifier="second", TargetDBSnapshotIdentifier="second-copy",
                                         CopyTags=True)["DBSnapshot"]
        self.assertEqual({tag["Key"] for tag in copy["TagList"]}, {"k", "team"})
        self.assert_refused("KMSKeyNotAccessibleFault", "KMS key", self.rds.copy_db_snapshot, KmsKeyId="alias/mine",
                            SourceDBSnapshotIdentifier="second", TargetDBSnapshotIdentifier="third")
        self.rds.add_tags_to_resource(ResourceName=copy["DBSnapshotArn"], Tags=[{"Key": "more", "Value": ""}])
        tags = self.rds.list_tags_for_resource(ResourceName=copy["DBSnapshotArn"])["TagList"]
        self.assertEqual({tag["Key"] for tag in tags}, {"k", "more", "team"})
        attributes = self.rds.describe_db_snapshot_attributes(DBSnapshotIdentifier="second")["DBSnapshotAttributesResult"]
        self.assertEqual(attributes["DBSnapshotAttributes"], [{"AttributeName": "restore", "AttributeValues": []}])
        for filters in ([{"Name": "db-snapshot-id", "Values": ["second-copy"]}],
                        [{"Name": "snapshot-type", "Values": ["manual"]}, {"Name": "db-snapshot-id", "Values": ["second-copy"]}]):
            found = self.rds.describe_db_snapshots(Filters=filters)["DBSnapshots"]
            self.assertEqual([one["DBSnapshotIdentifier"] for one in found], ["second-copy"])
        self.assertEqual(self.rds.delete_db_snapshot(DBSnapshotIdentifier="second")["DBSnapshot"]["Status"], "deleted")
        self.rds.get_waiter("db_snapshot_deleted").wait(DBSnapshotIdentifier="second",
                                                        WaiterConfig={"Delay": 1, "MaxAttempts": 10})
        self.rds.delete_db_snapshot(DBSnapshotIdentifier="second-copy")

    def test_a_final_snapshot_and_retained_backups_outlive_their_instance(self):
        self.howdah.create_instance("brief", self.network, BackupRetentionPeriod=1)
        brief = self.howdah.await_available("brief")
        self.execute(brief, "create table t(n int)", "insert into t values(7)")
        self.rds.delete_db_instance(DBInstanceIdentifier="brief", FinalDBSnapshotIdentifier="brief-last",
                                    DeleteAutomatedBackups=False)
        self.rds.get_waiter("db_instance_deleted").wait(DBInstanceIdentifier="brief",
                                                        WaiterConfig={"Delay": 1, "MaxAttempts": 90})
        last = self.rds.describe_db_snapshots(DBSnapshotIdentifier="brief-last")["DBSnapshots"][0]
        self.assertEqual(last["Status"], "available")
        backup = self.rds.describe_db_instance_automated_backups(DbiResourceId=brief["DbiResourceId"])
        self.assertEqual(backup["DBInstanceAutomatedBackups"][0]["Status"], "retained")
        self.to("brief-again", SourceDbiResourceId=brief["DbiResourceId"], UseLatestRestorableTime=True)
        self.assertEqual(self.numbers(self.restored("brief-again")), [7])
        self.rds.delete_db_instance_automated_backup(DbiResourceId=brief["DbiResourceId"])
        self.assert_refused("DBInstanceAutomatedBackupNotFound", "No automated backup",
                            self.rds.describe_db_instance_automated_backups, DbiResourceId=brief["DbiResourceId"])

    def test_backups_are_switched_off_and_on(self):
        self.howdah.create_instance("switch", self.network, BackupRetentionPeriod=0)
        self.howdah.await_available("switch")
        self.assertNotIn("LatestRestorableTime", self.now("switch"))
        self.assert_refused("PointInTimeRestoreNotEnabled", "switch", self.rds.restore_db_instance_to_point_in_time,
                            SourceDBInstanceIdentifier="switch", TargetDBInstanceIdentifier="never",
                            UseLatestRestorableTime=True)
        pending = self.rds.modify_db_instance(DBInstanceIdentifier="switch", BackupRetentionPeriod=3)["DBInstance"]
        self.assertEqual(pending["PendingModifiedValues"]["BackupRetentionPeriod"], 3)
        self.rds.modify_db_instance(DBInstanceIdentifier="switch", BackupRetentionPeriod=3, ApplyImmediately=True)
        on = self.howdah.await_available("switch")
        self.assertEqual(on["BackupRetentionPeriod"], 3)
        self.assertEqual(len(self.rds.describe_db_snapshots(DBInstanceIdentifier="switch")["DBSnapshots"]), 1)
        self.rds.modify_db_instance(DBInstanceIdentifier="switch", BackupRetentionPeriod=0, ApplyImmediately=True)
        self.howdah.await_available("switch")
        self.assertEqual(self.rds.describe_db_snapshots(DBInstanceIdentifier="switch")["DBSnapshots"], [])
        messages = [event["Message"] for event in self.rds.describe_events(SourceType="db-instance")["Events"]]
        self.assertIn("Enabled automated backups", messages)
        self.assertIn("Disabled automated backups", messages)
        self.rds.delete_db_instance(DBInstanceIdentifier="switch", SkipFinalSnapshot=True)


if __name__ == "__main__":
    unittest.main()
