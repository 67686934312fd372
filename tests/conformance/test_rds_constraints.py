"""What RDS demands beyond its model: names, passwords, ports, windows, sizes, and what goes together.

Every line of the tables is a request with one thing wrong. It is sent without any client's own validation, must be
refused with AWS's code and a text that names the parameter (or is AWS's known text), and must have made nothing.
"""

import re
import unittest

from harness import VERSION, Howdah
from wire import Model, Wire

IPV, IPC = "InvalidParameterValue", "InvalidParameterCombination"
MISSING = "MissingParameter"
LONG = "a" * 64

# (what is changed in a good request; None leaves the parameter out), code, what the text says
CREATE = [
    *[({"DBInstanceIdentifier": name}, IPV, "DBInstanceIdentifier|identifier")
      for name in ("1db", "-db", "db-", "d--b", "d_b", "d.b", "d b", "db\u00e9", LONG)],
    ({"DBInstanceIdentifier": None}, MISSING, "DBInstanceIdentifier"),
    ({"Engine": None}, MISSING, "Engine"),
    ({"Engine": "mysql"}, IPV, "engine"),
    ({"Engine": "aurora-postgresql"}, IPV, "engine"),
    ({"EngineVersion": "99.9"}, IPC, "Cannot find version 99.9 for postgres"),
    ({"EngineVersion": "14.17.1"}, IPC, "Cannot find version 14.17.1 for postgres"),
    ({"EngineVersion": "fourteen"}, IPC, "Cannot find version fourteen for postgres"),
    ({"DBInstanceClass": None}, MISSING, "DBInstanceClass"),
    ({"DBInstanceClass": "db.bogus"}, f"{IPV}|{IPC}", "DBInstanceClass"),
    ({"DBInstanceClass": "t3.micro"}, f"{IPV}|{IPC}", "DBInstanceClass"),
    *[({"DBName": name}, IPV, "DBName") for name in ("1db", "_db", "d-b", "d b", "d\"b", LONG, "rdsadmin", "template0")],
    ({"MasterUsername": None}, MISSING, "MasterUsername"),
    *[({"MasterUsername": name}, IPV, "MasterUsername") for name in ("1a", "_a", "a-b", "a b", LONG)],
    *[({"MasterUsername": name}, IPV, f"MasterUsername {name} cannot be used as it is a reserved word used by the engine")
      for name in ("admin", "rdsadmin", "pg_me", "PG_me", "rds_superuser", "rds_iam", "rdsrepladmin", "rdstopmgr",
                   "Admin", "public")],
    ({"MasterUserPassword": None}, MISSING, "MasterUserPassword"),
    *[({"MasterUserPassword": word}, IPV, "MasterUserPassword")
      for word in ("short77", "p" * 129, "pass/word", "pass@word", 'pass"word', "pass word", "pass\tword", "p\u00e4ssword")],
    *[({"Port": port}, IPV, "port") for port in (0, -1, 22, 1149, 65536, 99999)],
    *[({"AllocatedStorage": size}, IPV, "storage") for size in (0, -5, 1, 19, 65537)],
    ({"AllocatedStorage": None}, MISSING, "AllocatedStorage"),
    ({"StorageType": "floppy"}, f"{IPV}|StorageTypeNotSupported", "storage type"),
    *[({"BackupRetentionPeriod": days}, f"{IPV}|{IPC}", "BackupRetentionPeriod|retention") for days in (-1, 36, 99)],
    *[({"PreferredBackupWindow": window}, IPV, "PreferredBackupWindow|backup window")
      for window in ("x", "24:00-01:00", "01:00-01:29", "1:00-2:00", "01:60-03:00", "01:00", "mon:01:00-mon:02:00")],
    *[({"PreferredMaintenanceWindow": window}, IPV, "PreferredMaintenanceWindow|maintenance window")
      for window in ("x", "01:00-02:00", "day:01:00-day:02:00", "mon:01:00-mon:01:29", "mon:24:00-tue:01:00",
                     "mon:01:00-wed:01:00")],
    ({"PreferredBackupWindow": "01:00-02:00", "PreferredMaintenanceWindow": "mon:01:30-mon:02:30"}, IPV, "overlap"),
    ({"PreferredBackupWindow": "23:30-00:30", "PreferredMaintenanceWindow": "mon:00:00-mon:01:00"}, IPV, "overlap"),
    ({"MonitoringInterval": 7}, f"{IPV}|{IPC}", "MonitoringInterval|monitoring"),
    ({"MonitoringInterval": 60}, f"{IPV}|{IPC}", "Monitoring"),
    ({"EnablePerformanceInsights": True, "PerformanceInsightsRetentionPeriod": 8}, f"{IPV}|{IPC}", "PerformanceInsights"),
    ({"AvailabilityZone": "us-west-2a", "MultiAZ": True}, IPC, "availability zone"),
    ({"AvailabilityZone": "mars-1a"}, f"{IPV}|InvalidVPCNetworkStateFault", "mars-1a"),
    ({"DBSubnetGroupName": "none-such"}, "DBSubnetGroupNotFoundFault", "none-such"),
    ({"VpcSecurityGroupIds": ["sg-00000000000000000"]}, f"{IPV}|InvalidParameterCombination", "sg-0000|security group"),
    ({"DBParameterGroupName": "none-such"}, "DBParameterGroupNotFound", "none-such"),
    ({"DBParameterGroupName": "default.postgres99"}, "DBParameterGroupNotFound", "default.postgres99"),
    ({"OptionGroupName": "none-such"}, "OptionGroupNotFoundFault", "none-such"),
    ({"LicenseModel": "bring-your-own-license"}, IPV, "license"),
    ({"CACertificateIdentifier": "rds-ca-1999"}, "CertificateNotFound", "rds-ca-1999"),
    ({"StorageEncrypted": True, "KmsKeyId": "alias/none-such"}, f"{IPC}|KMSKeyNotAccessibleFault", "Encrypted|KMS"),
    ({"Tags": [{"Key": "aws:mine", "Value": "x"}]}, IPV, "aws:"),
    ({"Tags": [{"Key": "k" * 129, "Value": "x"}]}, IPV, "[Tt]ag"),
    ({"Tags": [{"Key": "k", "Value": "v" * 257}]}, IPV, "[Tt]ag"),
    ({"Tags": [{"Key": f"k{i}", "Value": ""} for i in range(51)]}, IPV, "[Tt]ag|50"),
    ({"Iops": 3000}, f"{IPV}|{IPC}", "Iops|iops|IOPS"),
    ({"MaxAllocatedStorage": 10}, f"{IPV}|{IPC}", "MaxAllocatedStorage|max.* storage"),
    ({"NetworkType": "TRIPLE"}, f"{IPV}|{IPC}", "NetworkType|network type"),
    ({"ManageMasterUserPassword": True}, IPC, "ManageMasterUserPassword|MasterUserPassword"),
    ({"Timezone": "UTC"}, f"{IPV}|{IPC}", "Timezone|time zone"),
    ({"CharacterSetName": "LATIN1"}, f"{IPV}|{IPC}", "CharacterSetName|character set"),
]

MODIFY = [
    ({"AllocatedStorage": 10}, f"{IPV}|{IPC}", "storage"),
    ({"AllocatedStorage": 20, "StorageType": "floppy"}, f"{IPV}|StorageTypeNotSupported", "storage type"),
    ({"AllocatedStorage": 21}, f"{IPV}|{IPC}", "storage"),
    ({"AllocatedStorage": 70000}, f"{IPV}|{IPC}", "storage"),
    ({"DBInstanceClass": "db.bogus"}, f"{IPV}|{IPC}", "DBInstanceClass"),
    ({"MasterUserPassword": "short77"}, IPV, "MasterUserPassword"),
    ({"DBPortNumber": 22}, IPV, "port"),
    ({"NewDBInstanceIdentifier": "1-bad"}, IPV, "NewDBInstanceIdentifier|identifier"),
    ({"NewDBInstanceIdentifier": "bad-"}, IPV, "NewDBInstanceIdentifier|identifier"),
    ({"NewDBInstanceIdentifier": "other"}, "DBInstanceAlreadyExists", "already exists"),
    ({"PreferredBackupWindow": "x"}, IPV, "PreferredBackupWindow|backup window"),
    ({"PreferredMaintenanceWindow": "x"}, IPV, "PreferredMaintenanceWindow|maintenance window"),
    ({"BackupRetentionPeriod": 36}, f"{IPV}|{IPC}", "BackupRetentionPeriod|retention"),
    ({"BackupRetentionPeriod": -1}, f"{IPV}|{IPC}", "BackupRetentionPeriod|retention"),
    ({"EngineVersion": "13.1"}, f"{IPV}|{IPC}", "EngineVersion|Cannot (find|upgrade)"),
    ({"EngineVersion": "99.9"}, f"{IPV}|{IPC}", "EngineVersion|Cannot (find|upgrade)"),
    ({"DBParameterGroupName": "none-such"}, "DBParameterGroupNotFound", "none-such"),
    ({"OptionGroupName": "none-such"}, "OptionGroupNotFoundFault", "none-such"),
    ({"CACertificateIdentifier": "rds-ca-1999"}, "CertificateNotFound", "rds-ca-1999"),
    ({"VpcSecurityGroupIds": ["sg-00000000000000000"]}, f"{IPV}|{IPC}", "sg-0000|security group"),
    ({"MonitoringInterval": 7}, f"{IPV}|{IPC}", "MonitoringInterval|monitoring"),
    ({"DBSubnetGroupName": "none-such"}, "DBSubnetGroupNotFoundFault", "none-such"),
]

# operation, parameters, code, text
OTHERS = [
    *[("create_db_subnet_group", dict(DBSubnetGroupName=name, DBSubnetGroupDescription="x", SubnetIds=["@a", "@b"]),
       f"{IPV}|{MISSING}", "DBSubnetGroupName") for name in ("default", "a" * 256, "a/b", "")],
    ("create_db_subnet_group", dict(DBSubnetGroupName="sg1", DBSubnetGroupDescription="x", SubnetIds=["@a"]),
     "DBSubnetGroupDoesNotCoverEnoughAZs", "[Aa]vailability"),
    ("create_db_subnet_group", dict(DBSubnetGroupName="sg1", DBSubnetGroupDescription="x",
                                    SubnetIds=["subnet-00000000000000000", "@a"]), "InvalidSubnet", "subnet-0000"),
    ("create_db_subnet_group", dict(DBSubnetGroupName="subnets", DBSubnetGroupDescription="x", SubnetIds=["@a", "@b"]),
     "DBSubnetGroupAlreadyExists", "already exists"),
    ("modify_db_subnet_group", dict(DBSubnetGroupName="none-such", SubnetIds=["@a", "@b"]), "DBSubnetGroupNotFoundFault",
     "none-such"),
    ("delete_db_subnet_group", dict(DBSubnetGroupName="none-such"), "DBSubnetGroupNotFoundFault", "none-such"),
    ("describe_db_subnet_groups", dict(DBSubnetGroupName="none-such"), "DBSubnetGroupNotFoundFault", "none-such"),
    *[(operation, dict(DBInstanceIdentifier="none-such"), "DBInstanceNotFound", "none-such")
      for operation in ("modify_db_instance", "reboot_db_instance", "start_db_instance", "stop_db_instance",
                        "describe_db_instances")],
    ("delete_db_instance", dict(DBInstanceIdentifier="none-such", SkipFinalSnapshot=True), "DBInstanceNotFound",
     "none-such"),
    ("delete_db_instance", dict(DBInstanceIdentifier="db-1"), IPC,
     "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified"),
    ("delete_db_instance", dict(DBInstanceIdentifier="db-1", SkipFinalSnapshot=True, FinalDBSnapshotIdentifier="f"), IPC,
     "FinalDBSnapshotIdentifier"),
    ("reboot_db_instance", dict(DBInstanceIdentifier="db-1", ForceFailover=True), IPC, "[Ff]ailover"),
    ("start_db_instance", dict(DBInstanceIdentifier="db-1"), "InvalidDBInstanceState", "db-1|stopped|state"),
    *[("describe_db_instances", dict(MaxRecords=n), IPV, "MaxRecords") for n in (0, 19, 101)],
    ("describe_db_instances", dict(Marker="no-marker"), IPV, "[Mm]arker"),
    ("describe_db_instances", dict(Filters=[{"Name": "bogus", "Values": ["x"]}]), IPV, "bogus"),
    ("describe_db_instances", dict(Filters=[{"Name": "engine", "Values": []}]), f"{IPV}|{IPC}|{MISSING}", "filter|Values"),
    *[(operation, dict(MaxRecords=19), IPV, "MaxRecords")
      for operation in ("describe_db_subnet_groups", "describe_events", "describe_db_engine_versions",
                        "describe_db_parameter_groups",
                        "describe_certificates", "describe_pending_maintenance_actions", "describe_db_snapshots",
                        "describe_option_groups")],
    ("describe_orderable_db_instance_options", dict(Engine="postgres", MaxRecords=19), IPV, "MaxRecords"),
    ("describe_events", dict(SourceIdentifier="db-1"), IPC, "SourceType"),
    ("describe_events", dict(SourceType="no-such-type"), "ValidationError|" + IPV, "[Ss]ource ?[Tt]ype"),
    ("describe_db_parameters", dict(DBParameterGroupName="none-such"), "DBParameterGroupNotFound", "none-such"),
    ("describe_db_parameter_groups", dict(DBParameterGroupName="none-such"), "DBParameterGroupNotFound", "none-such"),
    ("describe_option_groups", dict(OptionGroupName="none-such"), "OptionGroupNotFoundFault", "none-such"),
    ("describe_certificates", dict(CertificateIdentifier="none-such"), "CertificateNotFound", "none-such"),
    ("list_tags_for_resource", dict(ResourceName="arn:aws:rds:us-west-2:000000000000:db:none-such"), "DBInstanceNotFound|"
     + IPV, "none-such|ARN"),
    ("list_tags_for_resource", dict(ResourceName="db-1"), IPV, "ARN|resource ?name"),
    ("add_tags_to_resource", dict(ResourceName="db-1", Tags=[{"Key": "a", "Value": "b"}]), IPV, "ARN|resource ?name"),
]


class RdsConstraints(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.howdah = howdah = Howdah().start()
        cls.addClassCleanup(howdah.stop)
        cls.network = howdah.network()
        for name in ("db-1", "other"):
            howdah.create_instance(name, cls.network)
        howdah.await_available("db-1")
        howdah.await_available("other")
        cls.model = Model("rds")
        cls.wire = Wire(howdah)
        cls.addClassCleanup(cls.wire.close)

    def attempt(self, operation, parameters, told, code, text):
        """What is wrong with the answer, or None."""
        action = next(name for name in self.model.operations if name.lower() == operation.replace("_", ""))
        wish = {name: value for name, value in parameters.items() if value is not None}
        answer = self.wire.call(self.model, action, wish)
        if answer.status < 300:
            return f"{action} {told}: was accepted"
        if answer.code not in code.split("|"):
            return f"{action} {told}: {answer} instead of {code}"
        if not re.search(text, answer.message, re.IGNORECASE):
            return f"{action} {told}: does not say /{text}/: {answer}"
        password = wish.get("MasterUserPassword")
        if password and password in answer.message:
            return f"{action} {told}: the password is in the text: {answer}"
        return None

    def all_refused(self, attempts):
        found = [wrong for attempt in attempts if (wrong := self.attempt(*attempt))]
        self.assertFalse(found, "\n" + "\n".join(found))
        self.assertEqual({i["DBInstanceIdentifier"] for i in self.howdah.rds.describe_db_instances()["DBInstances"]},
                         {"db-1", "other"})

    def test_create_db_instance(self):
        good = dict(DBInstanceIdentifier="fresh", Engine="postgres", EngineVersion=VERSION, DBInstanceClass="db.t3.micro",
                    AllocatedStorage=20, DBName="appdb", MasterUsername="dbadmin", MasterUserPassword="a-password-0",
                    DBSubnetGroupName="subnets", VpcSecurityGroupIds=[self.network["db"]], BackupRetentionPeriod=0)
        self.all_refused([("create_db_instance", {**good, **change}, change, code, text)
                          for change, code, text in CREATE])

    def test_modify_db_instance(self):
        before = self.howdah.describe("db-1")
        self.all_refused([("modify_db_instance", {"DBInstanceIdentifier": "db-1", "ApplyImmediately": True, **change},
                           change, code, text) for change, code, text in MODIFY])
        after = self.howdah.describe("db-1")
        for moving in ("LatestRestorableTime",):
            before.pop(moving, None), after.pop(moving, None)
        self.assertEqual(before, after)

    def test_other_operations(self):
        def real(value):
            subnets = {"@a": self.network["subnets"][0], "@b": self.network["subnets"][1]}
            return [subnets.get(item, item) for item in value] if isinstance(value, list) and all(
                isinstance(item, str) for item in value) else value
        self.all_refused([(operation, {k: real(v) for k, v in parameters.items()}, parameters, code, text)
                          for operation, parameters, code, text in OTHERS])


if __name__ == "__main__":
    unittest.main()
