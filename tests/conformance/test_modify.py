"""ModifyDBInstance by RDS's rules: what waits for the maintenance window, what does not, and what flushes the queue."""

import unittest

from harness import Howdah, eventually

class Modify(unittest.TestCase):
    """One instance a test: they change it for good."""

    @classmethod
    def setUpClass(cls):
        cls.howdah = Howdah().start()
        cls.addClassCleanup(cls.howdah.stop)
        cls.network = cls.howdah.network()
        cls.rds = cls.howdah.rds
        for name in ("deferred", "at-once", "renamed", "password"):
            cls.howdah.create_instance(name, cls.network)
        for name in ("deferred", "at-once", "renamed", "password"):
            cls.howdah.await_available(name)

    def modify(self, name, **change):
        return self.rds.modify_db_instance(DBInstanceIdentifier=name, **change)["DBInstance"]

    def pending(self, name):
        return self.howdah.describe(name).get("PendingModifiedValues", {})

    def test_what_waits_for_the_window_and_is_flushed(self):
        answer = self.modify("deferred", DBInstanceClass="db.t3.small", AllocatedStorage=30)
        waiting = {"DBInstanceClass": "db.t3.small", "AllocatedStorage": 30}
        self.assertEqual(answer["PendingModifiedValues"], waiting)
        self.assertEqual((answer["DBInstanceClass"], answer["AllocatedStorage"]), ("db.t3.micro", 20))
        self.assertEqual(answer["DBInstanceStatus"], "available")
        self.assertEqual(self.pending("deferred"), waiting)
        # Back to what it is: nothing waits any more.
        self.modify("deferred", DBInstanceClass="db.t3.micro")
        self.assertEqual(self.pending("deferred"), {"AllocatedStorage": 30})
        self.modify("deferred", DBInstanceClass="db.t3.small")
        # Any later call with ApplyImmediately flushes the whole queue.
        answer = self.modify("deferred", PreferredBackupWindow="03:00-04:00", ApplyImmediately=True)
        self.assertEqual(answer["DBInstanceStatus"], "modifying")
        instance = self.howdah.await_available("deferred")
        self.assertEqual((instance["DBInstanceClass"], instance["AllocatedStorage"], instance["PreferredBackupWindow"]),
                         ("db.t3.small", 30, "03:00-04:00"))
        self.assertEqual(instance.get("PendingModifiedValues", {}), {})

    def test_what_counts_whatever_apply_immediately_says(self):
        self.modify("at-once", DeletionProtection=True, CopyTagsToSnapshot=True, AutoMinorVersionUpgrade=False,
                    PreferredMaintenanceWindow="tue:01:00-tue:02:00", PreferredBackupWindow="03:00-04:00")

        def now():
            instance = self.howdah.describe("at-once")
            return {name: instance[name] for name in ("DeletionProtection", "CopyTagsToSnapshot", "AutoMinorVersionUpgrade",
                                                      "PreferredMaintenanceWindow", "PreferredBackupWindow")}
        wanted = {"DeletionProtection": True, "CopyTagsToSnapshot": True, "AutoMinorVersionUpgrade": False,
                  "PreferredMaintenanceWindow": "tue:01:00-tue:02:00", "PreferredBackupWindow": "03:00-04:00"}
        eventually(lambda: now() == wanted, 30, "the new settings")
        self.assertEqual(self.pending("at-once"), {})
        self.howdah.await_available("at-once")
        self.modify("at-once", DeletionProtection=False)
        eventually(lambda: not self.howdah.describe("at-once")["DeletionProtection"], 30, "no protection")
        self.howdah.await_available("at-once")
        self.modify("at-once", DBPortNumber=5544)
        self.howdah.await_available("at-once")
        eventually(lambda: self.howdah.describe("at-once")["Endpoint"]["Port"] == 5544, 30, "the port")

    def test_a_rename_keeps_the_resource(self):
        before = self.howdah.describe("renamed")
        answer = self.modify("renamed", NewDBInstanceIdentifier="Other-Name", ApplyImmediately=True)
        self.assertIn(answer["DBInstanceStatus"], ("renaming", "modifying"))
        wanted = [{"Name": "dbi-resource-id", "Values": [before["DbiResourceId"]]}]

        def found():
            return self.rds.describe_db_instances(Filters=wanted)["DBInstances"][0]
        eventually(lambda: found()["DBInstanceIdentifier"] == "other-name", 60, "the new name")
        after = self.howdah.await_available("other-name")
        self.assertEqual(after["DbiResourceId"], before["DbiResourceId"])
        self.assertTrue(after["DBInstanceArn"].endswith(":db:other-name"))
        with self.assertRaises(self.rds.exceptions.DBInstanceNotFoundFault):
            self.howdah.describe("renamed")

    def test_a_password_takes_effect_without_apply_immediately(self):
        self.howdah.admit_host(self.network["db"], self.howdah.describe("password"))
        answer = self.modify("password", MasterUserPassword="another-password-1")
        self.assertIn(answer["DBInstanceStatus"], ("resetting-master-credentials", "available", "modifying"))
        self.assertNotIn("another-password-1", str(answer))
        instance = self.howdah.await_available("password")
        self.howdah.connect(instance, password="another-password-1").close()
        self.assertNotIn("MasterUserPassword", self.pending("password"))


if __name__ == "__main__":
    unittest.main()
