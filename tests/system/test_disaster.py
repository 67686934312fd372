"""The stack prod-e comes back from nothing but the repository of backups and the master key, on a fresh home: the procedure
of docs/backups.md, "From nothing but the repository"."""

import json
import pathlib
import shutil
import tempfile
import unittest

from harness import Howdah, eventually

TEMPLATE = (pathlib.Path(__file__).resolve().parents[2] / "examples/prod-e/stack.yaml").read_text()


class FromNothingButTheRepository(unittest.TestCase):
    def setUp(self):
        self.place = pathlib.Path(tempfile.mkdtemp(prefix="howdah-repository-"))
        self.addCleanup(shutil.rmtree, self.place, True)
        self.place.chmod(0o1777)  # a mounted disk that the daemon's own user may write to

    def start(self, master_key=None):
        howdah = Howdah(options=["--repository", self.place / "backups"])
        self.addCleanup(howdah.destroy)
        if master_key:
            key = howdah.home / "master.key"
            key.touch(mode=0o600)
            key.write_bytes(master_key)
        return howdah.start()

    def deploy(self, howdah, *parameters):
        howdah.client("cloudformation").create_stack(
            StackName="prod-e", TemplateBody=TEMPLATE,
            Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters])
        howdah.client("cloudformation").get_waiter("stack_create_complete").wait(StackName="prod-e",
                                                                      WaiterConfig={"Delay": 1, "MaxAttempts": 180})
        instance = howdah.describe("prod-e-db")
        howdah.admit_host(instance["VpcSecurityGroups"][0]["VpcSecurityGroupId"], instance)
        return instance

    def open(self, howdah, instance):
        """As the application does: with what the secret says, admitted as a task is."""
        value = howdah.client("secretsmanager").get_secret_value(SecretId="prod-e/db-credentials")["SecretString"]
        secret = json.loads(value)
        connection = howdah.connect(instance, secret["password"], user=secret["username"])
        connection.autocommit = True
        return connection

    def test_the_stack_comes_back_with_its_last_second(self):
        lost = self.start()
        instance = self.deploy(lost)
        with self.open(lost, instance).cursor() as cursor:
            cursor.execute("create table orders(n int)")
            cursor.execute("insert into orders select generate_series(1, 1000)")
            cursor.execute("select clock_timestamp()")
            written = cursor.fetchone()[0]
        eventually(lambda: lost.describe("prod-e-db").get("LatestRestorableTime", written) > written, 15, "the archive")
        lost.rds.create_db_snapshot(DBInstanceIdentifier="prod-e-db", DBSnapshotIdentifier="before")
        lost.rds.get_waiter("db_snapshot_available").wait(DBSnapshotIdentifier="before",
                                                         WaiterConfig={"Delay": 1, "MaxAttempts": 60})
        eventually(lambda: lost.describe("prod-e-db")["DBInstanceStatus"] == "available", 30, "available")
        with self.open(lost, instance).cursor() as cursor:
            cursor.execute("insert into orders values(1001)")
            cursor.execute("select clock_timestamp()")
            written = cursor.fetchone()[0]
        eventually(lambda: lost.describe("prod-e-db").get("LatestRestorableTime", written) > written, 15, "the archive")
        key = (lost.home / "master.key").read_bytes()
        lost.stop()  # which removes its home

        fresh = self.start(master_key=key)
        self.assertEqual(fresh.rds.describe_db_snapshots()["DBSnapshots"], [])
        found = json.loads(fresh.cli("backup", "import", "-o", "json").stdout)["Instances"]
        self.assertEqual([(one["DBInstanceIdentifier"], one["State"]) for one in found], [("prod-e-db", "imported")])
        self.assertEqual(found[0]["DbiResourceId"], instance["DbiResourceId"])
        self.assertIn("before", fresh.cli("backup", "list").stdout)
        again = json.loads(fresh.cli("backup", "import", "-o", "json").stdout)["Instances"]
        self.assertEqual(again[0]["State"], "known")
        back = self.deploy(fresh, ("RestoreFrom", instance["DbiResourceId"]))
        self.assertNotEqual(back["DbiResourceId"], instance["DbiResourceId"])
        self.assertTrue(back["MultiAZ"])
        with self.open(fresh, back).cursor() as cursor:
            cursor.execute("select count(*), max(n) from orders")
            self.assertEqual(cursor.fetchone(), (1001, 1001))
        fresh.stop()

    def test_another_master_key_is_told_from_damage(self):
        lost = self.start()
        network = lost.network()
        lost.create_instance("small", network, BackupRetentionPeriod=1)
        lost.await_available("small")
        lost.stop()
        fresh = self.start()
        refused = fresh.cli("backup", "import", check=False)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("master key", refused.stderr)
        fresh.stop()


if __name__ == "__main__":
    unittest.main()
