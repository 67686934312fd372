"""The RDS API beyond the life of an instance: modifications that wait or do not, lists and their pages, refusals."""

import datetime
import json
import unittest

import botocore.exceptions

from harness import MASTER, VERSION, Howdah, eventually, probe


def fault(call, **words):
    """Code and message of what the call is refused with."""
    try:
        call(**words)
    except botocore.exceptions.ClientError as error:
        return error.response["Error"]["Code"], error.response["Error"]["Message"]
    raise AssertionError(f"not refused: {words}")


class Refuses:
    def assert_refused(self, code, text, call, **words):
        found_code, message = fault(call, **words)
        self.assertEqual(found_code, code, message)
        self.assertIn(text, message)


def window(ahead):
    """A maintenance window of an hour whose middle is that far from now, and a backup window twelve hours from it."""
    middle = datetime.datetime.now(datetime.timezone.utc) + ahead
    half = datetime.timedelta(minutes=30)
    other = middle + datetime.timedelta(hours=12)
    return {"PreferredMaintenanceWindow": f"{middle - half:%a:%H:%M}-{middle + half:%a:%H:%M}".lower(),
            "PreferredBackupWindow": f"{other:%H:%M}-{other + half:%H:%M}"}


OPEN, CLOSED = window(datetime.timedelta()), window(datetime.timedelta(days=3))


class Modifications(Refuses, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.howdah = Howdah().start()
        cls.addClassCleanup(cls.howdah.stop)
        cls.network = cls.howdah.network()
        cls.howdah.create_instance("db-1", cls.network, **CLOSED)
        cls.id = cls.howdah.await_available("db-1")["DbiResourceId"]
        cls.howdah.admit_host(cls.network["db"])

    def modify(self, name="db-1", **words):
        return self.howdah.rds.modify_db_instance(DBInstanceIdentifier=name, **words)["DBInstance"]

    @staticmethod
    def pending(instance):
        return {name: value for name, value in instance["PendingModifiedValues"].items() if value != []}

    def now(self):
        found = self.howdah.rds.describe_db_instances(Filters=[{"Name": "dbi-resource-id", "Values": [self.id]}])
        return found["DBInstances"][0]

    def ask(self, query):
        with self.howdah.connect(self.now()) as connection, connection.cursor() as cursor:
            cursor.execute(query)
            answer = cursor.fetchone()[0]
        connection.close()
        return answer

    def test_what_waits_is_pending_and_a_later_call_flushes_the_whole_queue(self):
        queued = self.modify(DBInstanceClass="db.t3.small", AllocatedStorage=30)
        self.assertEqual(queued["DBInstanceStatus"], "available")
        self.assertEqual((queued["DBInstanceClass"], queued["AllocatedStorage"]), ("db.t3.micro", 20))
        self.assertEqual(self.pending(queued), {"DBInstanceClass": "db.t3.small", "AllocatedStorage": 30})
        self.howdah.restart()
        self.assertEqual(self.pending(self.now()), self.pending(queued))
        self.assertEqual(self.pending(self.modify(DBInstanceClass="db.t3.micro")), {"AllocatedStorage": 30},
                         "what is asked for as it is waits no more")
        self.modify(DBInstanceClass="db.t3.small")
        before = int(self.ask("show max_connections"))
        begun = self.modify(ApplyImmediately=True, CopyTagsToSnapshot=True)
        self.assertEqual(begun["DBInstanceStatus"], "modifying")
        self.assertEqual(self.pending(begun), {"DBInstanceClass": "db.t3.small", "AllocatedStorage": 30})
        done = self.howdah.await_available("db-1")
        self.assertEqual((done["DBInstanceClass"], done["AllocatedStorage"]), ("db.t3.small", 30))
        self.assertEqual(self.pending(done), {})
        self.assertTrue(done["CopyTagsToSnapshot"])
        self.assertGreater(int(self.ask("show max_connections")), before)
        self.modify(DBInstanceClass="db.t3.micro", ApplyImmediately=True)
        self.howdah.await_available("db-1")
        self.assertEqual(int(self.ask("show max_connections")), before)
        self.assert_refused("InvalidParameterCombination", "AllocatedStorage", self.modify, AllocatedStorage=20)
        self.assert_refused("InvalidParameterCombination", "10 %", self.modify, AllocatedStorage=31)

    def test_the_maintenance_window_carries_out_what_waits(self):
        self.modify(MultiAZ=True)
        self.assertEqual(self.pending(self.now()), {"MultiAZ": True})
        self.addCleanup(self.modify, **CLOSED)
        moved = self.modify(**OPEN)
        self.assertEqual({name: moved[name] for name in OPEN}, OPEN)
        eventually(lambda: self.now()["DBInstanceStatus"] == "modifying", 40, "the window's run")
        instance = self.howdah.await_available("db-1")
        self.assertTrue(instance["MultiAZ"])
        self.assertNotEqual(instance["SecondaryAvailabilityZone"], instance["AvailabilityZone"])
        self.assertEqual(len(self.howdah.processes.postmasters()), 2)
        self.assertNotEqual(self.ask("show synchronous_standby_names"), "")
        self.modify(MultiAZ=False, ApplyImmediately=True)
        instance = self.howdah.await_available("db-1")
        self.assertFalse(instance["MultiAZ"])
        self.assertNotIn("SecondaryAvailabilityZone", instance)
        self.assertEqual(len(self.howdah.processes.postmasters()), 1)
        self.assertEqual(self.ask("show synchronous_standby_names"), "")

    def test_a_rename_keeps_the_resource_id_and_the_data(self):
        self.ask("create table if not exists kept (n int); insert into kept values (1); select 1")
        begun = self.modify(NewDBInstanceIdentifier="DB-Two", ApplyImmediately=True)
        self.assertEqual((begun["DBInstanceIdentifier"], begun["DBInstanceStatus"]), ("db-1", "renaming"))
        self.assertEqual(begun["PendingModifiedValues"]["DBInstanceIdentifier"], "db-two")
        eventually(lambda: self.now()["DBInstanceIdentifier"] == "db-two", 30, "the new name")
        renamed = self.howdah.await_available("db-two")
        self.assertEqual(renamed["DbiResourceId"], self.id)
        self.assertTrue(renamed["DBInstanceArn"].endswith(":db:db-two"))
        self.assertEqual(self.ask("select n from kept limit 1"), 1)
        self.assert_refused("DBInstanceNotFound", "DBInstance db-1 not found", self.howdah.describe, name="db-1")
        self.modify("db-two", NewDBInstanceIdentifier="db-1", ApplyImmediately=True)
        eventually(lambda: self.now()["DBInstanceIdentifier"] == "db-1", 30, "the old name")
        self.howdah.await_available("db-1")

    def test_a_port_moves_the_endpoint_whatever_apply_immediately_says(self):
        old = self.now()["Endpoint"]
        begun = self.modify(DBPortNumber=6432)
        self.assertEqual((begun["Endpoint"]["Port"], begun["PendingModifiedValues"]["Port"]), (5432, 6432))
        moved = self.howdah.await_available("db-1")["Endpoint"]
        self.assertEqual((moved["Address"], moved["Port"]), (old["Address"], 6432))
        self.howdah.ec2.authorize_security_group_ingress(
            GroupId=self.network["db"], IpPermissions=[{"IpProtocol": "tcp", "FromPort": 6432, "ToPort": 6432,
                                                        "IpRanges": [{"CidrIp": "127.0.0.1/32"}]}])
        eventually(lambda: probe(moved["Address"], 6432), 5, "the new port")
        self.assertFalse(probe(old["Address"], 5432))
        self.modify(DBPortNumber=5432)
        self.howdah.await_available("db-1")

    def test_a_password_is_never_shown(self):
        begun = self.modify(MasterUserPassword="another-pass-1")
        self.assertEqual(begun["DBInstanceStatus"], "resetting-master-credentials")
        self.assertEqual(self.pending(begun), {"MasterUserPassword": "****"})
        instance = self.howdah.await_available("db-1")
        self.howdah.connect(instance, password="another-pass-1").close()
        self.modify(MasterUserPassword="a-password-0")
        self.howdah.await_available("db-1")

    def test_what_cannot_be_is_refused_in_the_words_of_rds(self):
        value, combination = "InvalidParameterValue", "InvalidParameterCombination"
        other = self.howdah.rds.create_db_subnet_group(DBSubnetGroupName="others", DBSubnetGroupDescription="same vpc",
                                                       SubnetIds=self.network["subnets"])
        self.addCleanup(self.howdah.rds.delete_db_subnet_group, DBSubnetGroupName="others")
        self.assertEqual(other["DBSubnetGroup"]["VpcId"], self.network["vpc"])
        for code, text, words in (
                (combination, "No modifications were requested", {}),
                (combination, "No modifications were requested", {"ApplyImmediately": True}),
                (combination, "db.bogus", {"DBInstanceClass": "db.bogus"}),
                (value, "DBPortNumber", {"DBPortNumber": 80}),
                (value, "PreferredBackupWindow", {"PreferredBackupWindow": "10:00-10:10"}),
                (value, "PreferredMaintenanceWindow", {"PreferredMaintenanceWindow": "mon:10:00"}),
                (value, "must not overlap", {"PreferredMaintenanceWindow": "mon:10:00-mon:11:00",
                                             "PreferredBackupWindow": "10:30-11:30"}),
                (value, "MasterUserPassword", {"MasterUserPassword": "a"}),
                (value, "NewDBInstanceIdentifier", {"NewDBInstanceIdentifier": "1--"}),
                (combination, "Cannot find version 14.99", {"EngineVersion": "14.99"}),
                (combination, "Cannot upgrade postgres from 14.17 to 14.2", {"EngineVersion": "14.2"}),
                (combination, "TdeCredentialArn", {"TdeCredentialArn": "arn:x"}),
                ("DBSubnetGroupNotFoundFault", "nowhere", {"DBSubnetGroupName": "nowhere"}),
                ("InvalidVPCNetworkStateFault", "already in the target", {"DBSubnetGroupName": "subnets"}),
                ("InvalidVPCNetworkStateFault", "in the same VPC", {"DBSubnetGroupName": "others"}),
                ("StorageTypeNotSupported", "io1", {"StorageType": "io1"})):
            with self.subTest(words):
                self.assert_refused(code, text, self.modify, **words)
        self.assert_refused("DBInstanceNotFound", "nobody", self.modify, name="nobody", MultiAZ=True)
        self.assertEqual(self.pending(self.now()), {})

    def test_a_protected_instance_is_not_deleted(self):
        self.assertEqual(self.modify(DeletionProtection=True)["DBInstanceStatus"], "available")
        delete = self.howdah.rds.delete_db_instance
        self.assert_refused("InvalidParameterCombination", "disable deletion pro", delete, DBInstanceIdentifier="db-1",
                            SkipFinalSnapshot=True)
        self.modify(DeletionProtection=False)
        self.assert_refused("InvalidParameterCombination", "FinalDBSnapshotIdentifier is required unless "
                            "SkipFinalSnapshot is specified", delete, DBInstanceIdentifier="db-1")
        self.assert_refused("InvalidDBInstanceState", "is not in stopped state",
                            self.howdah.rds.start_db_instance, DBInstanceIdentifier="db-1")

    def test_tags_come_and_go_and_are_in_the_description(self):
        arn = self.now()["DBInstanceArn"]
        rds = self.howdah.rds
        rds.add_tags_to_resource(ResourceName=arn, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}])
        self.assertEqual(self.now()["TagList"], [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}])
        rds.remove_tags_from_resource(ResourceName=arn, TagKeys=["a", "nothing"])
        self.assertEqual(rds.list_tags_for_resource(ResourceName=arn)["TagList"], [{"Key": "b", "Value": ""}])
        rds.remove_tags_from_resource(ResourceName=arn, TagKeys=["b"])
        for key in ("aws:x", "rds:x", "", "x" * 129, "a*b"):
            self.assert_refused("InvalidParameterValue", "Tags", rds.add_tags_to_resource, ResourceName=arn,
                                Tags=[{"Key": key, "Value": "v"}])
        self.assert_refused("InvalidParameterValue", "50", rds.add_tags_to_resource, ResourceName=arn,
                            Tags=[{"Key": f"k{i}", "Value": "v"} for i in range(51)])
        prefix = arn[:-len("db:db-1")]
        self.assert_refused("DBInstanceNotFound", "nobody", rds.list_tags_for_resource, ResourceName=prefix + "db:nobody")
        self.assert_refused("DBSnapshotNotFound", "s", rds.list_tags_for_resource, ResourceName=prefix + "snapshot:s")
        self.assertEqual(rds.list_tags_for_resource(ResourceName=prefix + "pg:default.postgres14")["TagList"], [])

    def test_an_instance_is_found_by_every_filter(self):
        describe = self.howdah.rds.describe_db_instances
        arn = self.now()["DBInstanceArn"]
        for name, value, count in (("db-instance-id", "db-1", 1), ("db-instance-id", arn, 1), ("engine", "postgres", 1),
                                   ("dbi-resource-id", self.id, 1), ("dbi-resource-id", "db-NOTHING", 0),
                                   ("engine", "mysql", 0), ("db-cluster-id", "x", 0), ("domain", "x", 0)):
            found = describe(Filters=[{"Name": name, "Values": [value]}])["DBInstances"]
            self.assertEqual(len(found), count, (name, value))
        self.assertEqual(len(describe(DBInstanceIdentifier=arn)["DBInstances"]), 1)
        self.assert_refused("InvalidParameterValue", "Unrecognized filter name: x", describe,
                            Filters=[{"Name": "x", "Values": ["y"]}])
        self.assert_refused("InvalidParameterValue", "MaxRecords", describe, MaxRecords=5)
        self.assert_refused("InvalidParameterValue", "Marker", describe, Marker="nonsense")
        self.assert_refused("DBInstanceNotFound", "db-nothing", describe, DBInstanceIdentifier="db-NOTHING")

    def test_events_are_filtered_by_source_and_category(self):
        rds = self.howdah.rds
        events = rds.describe_events(SourceIdentifier="db-1", SourceType="db-instance", Duration=20160,
                                     EventCategories=["creation"])["Events"]
        self.assertEqual([event["Message"] for event in events], ["DB instance created"])
        self.assertEqual(events[0]["SourceArn"], self.now()["DBInstanceArn"])
        self.assertEqual(rds.describe_events(SourceType="db-snapshot")["Events"], [])
        self.assert_refused("InvalidParameterCombination", "SourceType", rds.describe_events, SourceIdentifier="db-1")
        self.assert_refused("InvalidParameterValue", "Duration", rds.describe_events, Duration=99999)

    def test_what_it_can_become(self):
        valid = self.howdah.rds.describe_valid_db_instance_modifications(DBInstanceIdentifier="db-1")
        sizes = {option["StorageType"]: option["StorageSize"][0]
                 for option in valid["ValidDBInstanceModificationsMessage"]["Storage"]}
        self.assertEqual(set(sizes), {"gp2", "gp3"})
        self.assertGreaterEqual(sizes["gp2"]["From"] * 10, self.now()["AllocatedStorage"] * 11)


class Catalogue(Refuses, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.howdah = Howdah().start()
        cls.addClassCleanup(cls.howdah.stop)
        cls.network = cls.howdah.network()

    def test_versions_and_what_can_be_ordered(self):
        rds = self.howdah.rds
        versions = rds.describe_db_engine_versions(Engine="postgres")["DBEngineVersions"]
        self.assertIn(VERSION, {version["EngineVersion"] for version in versions})
        by_filter = rds.describe_db_engine_versions(Filters=[{"Name": "engine-version", "Values": [VERSION]}])
        self.assertEqual([version["EngineVersion"] for version in by_filter["DBEngineVersions"]], [VERSION])
        self.assertEqual(len(rds.describe_db_engine_versions(DefaultOnly=True)["DBEngineVersions"]), 1)
        self.assertIn("14", {major["MajorEngineVersion"]
                             for major in json.loads(self.aws_majors())["DBMajorEngineVersions"]}) \
            if self.knows_majors() else None
        pages = rds.get_paginator("describe_orderable_db_instance_options").paginate(
            Engine="postgres", EngineVersion=VERSION, PaginationConfig={"PageSize": 20})
        options = [option for page in pages for option in page["OrderableDBInstanceOptions"]]
        names = [(option["DBInstanceClass"], option["StorageType"]) for option in options]
        self.assertIn(("db.t3.micro", "gp2"), names)
        self.assertEqual(len(names), len(set(names)), "a page repeats another")
        self.assertEqual((options[0]["MinStorageSize"], options[0]["MaxStorageSize"]), (20, 65536))
        self.assertIn({"Name": "us-west-2a"}, options[0]["AvailabilityZones"])

    def knows_majors(self):
        return hasattr(self.howdah.rds, "describe_db_major_engine_versions")

    def aws_majors(self):
        return json.dumps(self.howdah.rds.describe_db_major_engine_versions(), default=str)

    def test_lists_turn_pages_and_quotas_are_true(self):
        rds = self.howdah.rds
        for i in range(24):
            rds.create_db_subnet_group(DBSubnetGroupName=f"group-{i:02}", DBSubnetGroupDescription="one of many",
                                       SubnetIds=self.network["subnets"])
        first = rds.describe_db_subnet_groups(MaxRecords=20)
        self.assertEqual(len(first["DBSubnetGroups"]), 20)
        rest = rds.describe_db_subnet_groups(MaxRecords=20, Marker=first["Marker"])
        self.assertEqual(len(rest["DBSubnetGroups"]), 5)
        self.assertNotIn("Marker", rest)
        quotas = {quota["AccountQuotaName"]: (quota["Used"], quota["Max"])
                  for quota in rds.describe_account_attributes()["AccountQuotas"]}
        self.assertEqual(quotas["DBSubnetGroups"], (25, 50))
        self.assertEqual(quotas["DBInstances"], (0, 40))

    def test_what_is_not_there_is_an_empty_list(self):
        rds = self.howdah.rds
        self.assertEqual(rds.describe_db_security_groups()["DBSecurityGroups"], [])
        self.assertEqual(rds.describe_reserved_db_instances()["ReservedDBInstances"], [])
        self.assertEqual(rds.describe_source_regions()["SourceRegions"], [])
        self.assertEqual(rds.describe_pending_maintenance_actions()["PendingMaintenanceActions"], [])
        self.assertEqual(rds.describe_certificates()["Certificates"][0]["CertificateIdentifier"], "rds-ca-rsa2048-g1")
        self.assertIn("db-instance", {group["SourceType"]
                                      for group in rds.describe_event_categories()["EventCategoriesMapList"]})
        self.assertEqual(rds.describe_option_groups(EngineName="postgres", MajorEngineVersion="14")
                         ["OptionGroupsList"][0]["OptionGroupName"], "default:postgres-14")

    def test_every_operation_that_is_not_served_is_refused_as_aws_would(self):
        rds = self.howdah.rds
        model = rds.meta.service_model
        served = set(json.loads((self.howdah_root() / "api/rds.json").read_text())["operations"])
        refused = 0
        for name in model.operation_names:
            if name in served:
                continue
            code, status = self.send(name, model.api_version)
            self.assertTrue(400 <= status < 500, (name, code, status))
            self.assertTrue(code, name)
            refused += 1
        self.assertGreater(refused, 80)

    @staticmethod
    def howdah_root():
        from harness import ROOT
        return ROOT

    def send(self, operation, version):
        """A signed request of that operation without parameters; its error code and HTTP status."""
        import re
        import urllib.error
        import urllib.request
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        credentials = self.howdah.rds._request_signer._credentials
        request = AWSRequest("POST", self.howdah.url + "/", data=f"Action={operation}&Version={version}",
                             headers={"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"})
        SigV4Auth(credentials, "rds", "us-west-2").add_auth(request)
        try:
            urllib.request.urlopen(urllib.request.Request(
                self.howdah.url + "/", data=request.body if isinstance(request.body, bytes) else request.body.encode(),
                headers=dict(request.headers)), timeout=10)
        except urllib.error.HTTPError as error:
            found = re.search(r"<ErrorResponse .*<Code>([A-Za-z.]+)</Code>", error.read().decode())
            return found and found.group(1), error.code
        raise AssertionError(f"{operation} was answered")

    def test_what_is_wrong_is_named(self):
        good = dict(DBInstanceIdentifier="db-1", Engine="postgres", EngineVersion=VERSION, DBInstanceClass="db.t3.micro",
                    AllocatedStorage=20, MasterUsername=MASTER, MasterUserPassword="a-password-0",
                    DBSubnetGroupName="subnets", BackupRetentionPeriod=0)
        value, combination = "InvalidParameterValue", "InvalidParameterCombination"
        for code, text, wrong in (
                (value, "DBInstanceIdentifier", {"DBInstanceIdentifier": "1db"}),
                (value, "DBInstanceIdentifier", {"DBInstanceIdentifier": "a--b"}),
                (value, "DBInstanceIdentifier", {"DBInstanceIdentifier": "a" * 64}),
                (value, "DBName", {"DBName": "1x"}),
                (value, "MasterUsername admin cannot be used as it is a reserved word used by the engine",
                 {"MasterUsername": "admin"}),
                (value, "MasterUsername", {"MasterUsername": "rdsadmin"}),
                (value, "MasterUsername", {"MasterUsername": "a" * 17}),
                (value, "MasterUserPassword", {"MasterUserPassword": "short"}),
                (value, "MasterUserPassword", {"MasterUserPassword": "with/slash/0"}),
                (value, "Port", {"Port": 80}),
                (value, "AllocatedStorage", {"AllocatedStorage": 1}),
                (value, "AllocatedStorage", {"AllocatedStorage": 65537}),
                (value, "engine", {"Engine": "oracle-ee"}),
                (value, "PreferredBackupWindow", {"PreferredBackupWindow": "10:00"}),
                (value, "PreferredMaintenanceWindow", {"PreferredMaintenanceWindow": "sun:10:00-sun:10:10"}),
                (value, "license", {"LicenseModel": "license-included"}),
                (value, "security group", {"VpcSecurityGroupIds": ["sg-00000000000000000"]}),
                (combination, "Cannot find version 99.9 for postgres", {"EngineVersion": "99.9"}),
                (combination, "RDS does not support creating a DB instance with the following combination: "
                 "DBInstanceClass=db.bogus, Engine=postgres", {"DBInstanceClass": "db.bogus"}),
                (combination, "availability zone", {"MultiAZ": True, "AvailabilityZone": "us-west-2a"}),
                (value, "backup retention period", {"BackupRetentionPeriod": 99}),
                (combination, "StorageEncrypted", {"StorageEncrypted": True}),
                (combination, "MaxAllocatedStorage", {"MaxAllocatedStorage": 100}),
                (combination, "MonitoringInterval", {"MonitoringInterval": 60}),
                (combination, "EnablePerformanceInsights", {"EnablePerformanceInsights": True}),
                (combination, "PromotionTier", {"PromotionTier": 1}),
                ("StorageTypeNotSupported", "io1", {"StorageType": "io1", "Iops": 0}),
                ("DBSubnetGroupNotFoundFault", "nowhere", {"DBSubnetGroupName": "nowhere"}),
                ("DBParameterGroupNotFound", "mine", {"DBParameterGroupName": "mine"}),
                ("OptionGroupNotFoundFault", "mine", {"OptionGroupName": "mine"})):
            with self.subTest(wrong):
                self.assert_refused(code, text, self.howdah.rds.create_db_instance, **{**good, **wrong})
        for missing in ("AllocatedStorage", "MasterUsername", "MasterUserPassword"):
            less = {name: given for name, given in good.items() if name != missing}
            self.assert_refused("MissingParameter", missing, self.howdah.rds.create_db_instance, **less)
        self.assertEqual(self.howdah.rds.describe_db_instances()["DBInstances"], [])


if __name__ == "__main__":
    unittest.main()
