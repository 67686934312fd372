"""A DB instance through its life as boto3 sees it: statuses, waiters, filters, ids, tags, pages, and what moto gets
wrong, one test each (Howdah must not)."""

import concurrent.futures
import unittest

from harness import VERSION, Howdah, eventually

FAST = {"Delay": 1, "MaxAttempts": 90}
# In the answer of the call that causes it, and in the next describe.
ACTIONS = (("reboot_db_instance", {}, "rebooting"), ("stop_db_instance", {}, "stopping"),
           ("start_db_instance", {}, "starting"))


class TwoInstances(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.howdah = Howdah().start()
        cls.addClassCleanup(cls.howdah.stop)
        cls.network = cls.howdah.network()
        cls.rds = cls.howdah.rds
        cls.created = {
            "db-1": cls.howdah.create_instance("db-1", cls.network, MultiAZ=True,
                                               Tags=[{"Key": "Stage", "Value": "one"}, {"Key": "Empty", "Value": ""}]),
            "db-2": cls.howdah.create_instance("DB-2", cls.network, Port=5433)}
        for name in cls.created:
            cls.howdah.await_available(name)


class Lifecycle(TwoInstances):
    def test_create_answers_creating_without_an_endpoint(self):
        for name, created in self.created.items():
            self.assertEqual(created["DBInstanceStatus"], "creating")
            self.assertNotIn("Endpoint", created)
            self.assertEqual(created["DBInstanceIdentifier"], name)  # stored in lower case

    def test_statuses_move_in_the_answer_of_their_cause(self):
        for operation, more, status in ACTIONS:
            answer = getattr(self.rds, operation)(DBInstanceIdentifier="db-2", **more)["DBInstance"]
            self.assertEqual(answer["DBInstanceStatus"], status)
            if status == "stopping":
                eventually(lambda: self.howdah.describe("db-2")["DBInstanceStatus"] == "stopped", 60, "stopped")
            else:
                self.rds.get_waiter("db_instance_available").wait(DBInstanceIdentifier="db-2", WaiterConfig=FAST)

    def test_delete_and_its_waiter(self):
        self.howdah.create_instance("short", self.network)
        self.howdah.await_available("short")
        deleted = self.rds.delete_db_instance(DBInstanceIdentifier="short", SkipFinalSnapshot=True)["DBInstance"]
        self.assertEqual(deleted["DBInstanceStatus"], "deleting")
        with self.assertRaises(self.rds.exceptions.InvalidDBInstanceStateFault) as twice:
            self.rds.delete_db_instance(DBInstanceIdentifier="short", SkipFinalSnapshot=True)
        self.assertIn("is already being deleted", str(twice.exception))
        self.rds.get_waiter("db_instance_deleted").wait(DBInstanceIdentifier="short", WaiterConfig=FAST)
        with self.assertRaises(self.rds.exceptions.DBInstanceNotFoundFault):
            self.howdah.describe("short")
        # The name is free again, and the next one of that name is another instance.
        again = self.howdah.create_instance("short", self.network)
        self.assertNotEqual(again["DbiResourceId"], deleted["DbiResourceId"])
        self.howdah.await_available("short")
        self.howdah.delete_instance("short")

    def test_a_waiter_fails_at_once_on_what_cannot_succeed(self):
        from botocore.exceptions import WaiterError
        with self.assertRaisesRegex(WaiterError, "DBInstanceNotFound"):
            self.rds.get_waiter("db_instance_available").wait(DBInstanceIdentifier="none-such", WaiterConfig=FAST)

    def test_filters(self):
        one = self.howdah.describe("db-1")

        def found(name, *values):
            answer = self.rds.describe_db_instances(Filters=[{"Name": name, "Values": list(values)}])
            return [instance["DBInstanceIdentifier"] for instance in answer["DBInstances"]]
        self.assertEqual(found("dbi-resource-id", one["DbiResourceId"]), ["db-1"])
        self.assertEqual(found("dbi-resource-id", "db-ABCDEFGHIJKLMNOPQRSTUVWXYZ"), [])
        self.assertEqual(found("db-instance-id", "db-1"), ["db-1"])
        self.assertEqual(found("db-instance-id", "db-1", "db-2"), ["db-1", "db-2"])
        self.assertEqual(found("db-instance-id", one["DBInstanceArn"]), ["db-1"])
        self.assertEqual(found("engine", "postgres"), ["db-1", "db-2"])
        self.assertEqual(found("engine", "mysql"), [])
        self.assertEqual(found("db-cluster-id", "any"), [])
        # What Terraform asks when its id is gone.
        with self.assertRaises(self.rds.exceptions.DBInstanceNotFoundFault):
            self.rds.describe_db_instances(DBInstanceIdentifier=one["DbiResourceId"].lower())

    def test_names_are_read_in_any_case_and_by_arn(self):
        one = self.howdah.describe("db-1")
        self.assertEqual(self.howdah.describe("DB-1"), one)
        self.assertEqual(self.howdah.describe(one["DBInstanceArn"]), one)
        self.assertRegex(one["DBInstanceArn"], r"^arn:aws:rds:us-west-2:\d{12}:db:db-1$")

    def test_tags(self):
        arn = self.howdah.describe("db-1")["DBInstanceArn"]

        def tags():
            listed = self.rds.list_tags_for_resource(ResourceName=arn)["TagList"]
            self.assertEqual(self.howdah.describe("db-1")["TagList"], listed)
            return {tag["Key"]: tag["Value"] for tag in listed}
        self.assertEqual(tags(), {"Stage": "one", "Empty": ""})
        self.rds.add_tags_to_resource(ResourceName=arn, Tags=[{"Key": "Stage", "Value": "two"},
                                                              {"Key": "New", "Value": "\u00fc a@b:c/d=e+f-g_h.i"}])
        self.assertEqual(tags(), {"Stage": "two", "Empty": "", "New": "\u00fc a@b:c/d=e+f-g_h.i"})
        self.rds.remove_tags_from_resource(ResourceName=arn, TagKeys=["New", "never-there"])
        self.rds.add_tags_to_resource(ResourceName=arn, Tags=[{"Key": "Stage", "Value": "one"}])
        self.assertEqual(tags(), {"Stage": "one", "Empty": ""})

    def test_events_tell_the_creation(self):
        messages = [event["Message"] for page in self.rds.get_paginator("describe_events").paginate(
            SourceType="db-instance", SourceIdentifier="db-1", Duration=60) for event in page["Events"]]
        self.assertIn("DB instance created", messages)


class WhatMotoGetsWrong(TwoInstances):
    """What moto's server was seen to get wrong, each right here."""

    def refused(self, code, operation, **parameters):
        with self.assertRaises(self.rds.exceptions.ClientError, msg=str(parameters)) as refused:
            getattr(self.rds, operation)(**parameters)
        self.assertEqual(refused.exception.response["Error"]["Code"], code, parameters)

    def create_refused(self, code, **wrong):
        with self.assertRaises(self.rds.exceptions.ClientError, msg=str(wrong)) as refused:
            self.howdah.create_instance("wrong", self.network, **wrong)
        self.assertIn(refused.exception.response["Error"]["Code"], code.split("|"), wrong)

    def test_resource_ids_are_unique_and_well_formed(self):
        ids = [self.howdah.describe(name)["DbiResourceId"] for name in ("db-1", "db-2")]
        self.assertEqual(len(set(ids)), 2)
        for resource in ids:
            self.assertRegex(resource, r"^db-[0-9A-Z]{26}$")

    def test_what_was_asked_for_is_echoed(self):
        instance = self.howdah.describe("db-1")
        self.assertIs(instance["PerformanceInsightsEnabled"], False)
        self.assertEqual(instance["MonitoringInterval"], 0)
        self.assertEqual(instance["EngineVersion"], VERSION)
        self.assertIs(instance["MultiAZ"], True)

    def test_every_parameter_says_its_source(self):
        pages = self.rds.get_paginator("describe_db_parameters").paginate(DBParameterGroupName="default.postgres14")
        parameters = [parameter for page in pages for parameter in page["Parameters"]]
        self.assertGreater(len(parameters), 30)
        for parameter in parameters:
            self.assertIn(parameter["Source"], ("system", "engine-default", "user"), parameter)
            self.assertIn(parameter["ApplyType"], ("static", "dynamic"), parameter)

    def test_an_unknown_class_is_refused(self):
        self.create_refused("InvalidParameterValue|InvalidParameterCombination", DBInstanceClass="db.bogus")

    def test_an_unknown_version_is_refused(self):
        self.create_refused("InvalidParameterCombination", EngineVersion="99.9")

    def test_a_reserved_master_user_is_refused(self):
        self.create_refused("InvalidParameterValue", MasterUsername="rdsadmin")

    def test_a_short_password_is_refused(self):
        self.create_refused("InvalidParameterValue", MasterUserPassword="a")

    def test_too_little_storage_is_refused(self):
        self.create_refused("InvalidParameterValue", AllocatedStorage=1)

    def test_a_retention_of_99_days_is_refused(self):
        self.create_refused("InvalidParameterValue|InvalidParameterCombination", BackupRetentionPeriod=99)

    def test_a_forced_failover_needs_multi_az(self):
        self.refused("InvalidParameterCombination", "reboot_db_instance", DBInstanceIdentifier="db-2", ForceFailover=True)

    def test_delete_needs_a_choice_about_the_snapshot(self):
        self.refused("InvalidParameterCombination", "delete_db_instance", DBInstanceIdentifier="db-2")

    def test_a_multi_az_instance_names_its_second_zone(self):
        instance = self.howdah.describe("db-1")
        self.assertEqual({instance["AvailabilityZone"], instance["SecondaryAvailabilityZone"]},
                         {"us-west-2a", "us-west-2b"})
        self.assertNotIn("SecondaryAvailabilityZone", self.howdah.describe("db-2"))

    def test_group_license_and_authority_have_their_names(self):
        instance = self.howdah.describe("db-1")
        self.assertEqual([group["OptionGroupName"] for group in instance["OptionGroupMemberships"]],
                         ["default:postgres-14"])
        self.assertEqual([group["DBParameterGroupName"] for group in instance["DBParameterGroups"]],
                         ["default.postgres14"])
        self.assertEqual(instance["LicenseModel"], "postgresql-license")
        self.assertEqual(instance["CACertificateIdentifier"], "rds-ca-rsa2048-g1")

    def test_the_default_version_is_one_that_runs(self):
        defaults = self.rds.describe_db_engine_versions(Engine="postgres", DefaultOnly=True)["DBEngineVersions"]
        everything = self.rds.describe_db_engine_versions(Engine="postgres")["DBEngineVersions"]
        self.assertIn(VERSION, [version["EngineVersion"] for version in everything])
        self.assertTrue(defaults)
        options = self.rds.describe_orderable_db_instance_options(Engine="postgres", EngineVersion=VERSION)
        self.assertIn("db.t3.micro", [o["DBInstanceClass"] for o in options["OrderableDBInstanceOptions"]])

    def test_codes_are_those_of_the_wire(self):
        for operation, parameters, code, exception in (
                ("describe_db_instances", {"DBInstanceIdentifier": "none"}, "DBInstanceNotFound", "DBInstanceNotFoundFault"),
                ("describe_db_subnet_groups", {"DBSubnetGroupName": "none"}, "DBSubnetGroupNotFoundFault",
                 "DBSubnetGroupNotFoundFault")):
            with self.assertRaises(getattr(self.rds.exceptions, exception)) as refused:
                getattr(self.rds, operation)(**parameters)
            self.assertEqual(refused.exception.response["Error"]["Code"], code)
            self.assertEqual(refused.exception.response["Error"]["Type"], "Sender")
            self.assertEqual(refused.exception.response["ResponseMetadata"]["HTTPStatusCode"], 404)


class AtTheSameMoment(unittest.TestCase):
    def test_several_instances_in_one_subnet_group(self):
        """As Terraform makes them: none may be refused because of another."""
        with Howdah() as howdah:
            network = howdah.network()
            names = [f"db-{i}" for i in range(4)]
            with concurrent.futures.ThreadPoolExecutor(len(names)) as pool:
                list(pool.map(lambda name: howdah.create_instance(name, network), names))
            for name in names:
                howdah.await_available(name)
            self.assertEqual(len({howdah.describe(name)["Endpoint"]["Address"] for name in names}), len(names))
            with concurrent.futures.ThreadPoolExecutor(len(names)) as pool:
                list(pool.map(howdah.delete_instance, names))
            howdah.assert_nothing_left()


class Ec2Waiters(unittest.TestCase):
    def test_of_what_is_made_at_once(self):
        with Howdah() as howdah:
            network = howdah.network()
            card = howdah.ec2.create_network_interface(SubnetId=network["subnets"][0])["NetworkInterface"]
            for name, wish in (("vpc_exists", dict(VpcIds=[network["vpc"]])), ("vpc_available", dict(VpcIds=[network["vpc"]])),
                               ("subnet_available", dict(SubnetIds=network["subnets"])),
                               ("security_group_exists", dict(GroupIds=[network["db"]])),
                               ("network_interface_available",
                                dict(NetworkInterfaceIds=[card["NetworkInterfaceId"]]))):
                howdah.ec2.get_waiter(name).wait(**wish, WaiterConfig={"Delay": 1, "MaxAttempts": 2})


class Pages(unittest.TestCase):
    def test_every_page_once_and_in_order(self):
        with Howdah() as howdah:
            subnets = howdah.network()["subnets"]
            names = sorted(f"group-{i:02d}" for i in range(45))
            for name in names:
                howdah.rds.create_db_subnet_group(DBSubnetGroupName=name, DBSubnetGroupDescription="x", SubnetIds=subnets)
            pages = list(howdah.rds.get_paginator("describe_db_subnet_groups").paginate(
                PaginationConfig={"PageSize": 20}))
            self.assertEqual([len(page["DBSubnetGroups"]) for page in pages], [20, 20, 6])
            self.assertEqual([group["DBSubnetGroupName"] for page in pages for group in page["DBSubnetGroups"]],
                             sorted([*names, "subnets"]))
            self.assertNotIn("Marker", pages[-1])
            limited = howdah.rds.get_paginator("describe_db_subnet_groups").paginate(
                PaginationConfig={"PageSize": 20, "MaxItems": 25}).build_full_result()
            self.assertEqual(len(limited["DBSubnetGroups"]), 25)
            rest = howdah.rds.get_paginator("describe_db_subnet_groups").paginate(
                PaginationConfig={"StartingToken": limited["NextToken"]}).build_full_result()
            self.assertEqual(len(rest["DBSubnetGroups"]), 21)
            self.of_parameters(howdah)
            self.of_secrets(howdah)
            self.of_groups(howdah)

    def of_parameters(self, howdah):
        """Pages of what is not named alike."""
        paginator = howdah.rds.get_paginator("describe_db_parameters")
        small = [p["ParameterName"] for page in paginator.paginate(
            DBParameterGroupName="default.postgres14", PaginationConfig={"PageSize": 20}) for p in page["Parameters"]]
        large = [p["ParameterName"] for page in paginator.paginate(
            DBParameterGroupName="default.postgres14") for p in page["Parameters"]]
        self.assertEqual(small, large)
        self.assertEqual(len(small), len(set(small)))

    def of_secrets(self, howdah):
        secrets = howdah.client("secretsmanager")
        for i in range(7):
            secrets.create_secret(Name=f"secret-{i}", SecretString="x")
        pages = list(secrets.get_paginator("list_secrets").paginate(PaginationConfig={"PageSize": 3}))
        self.assertEqual([len(page["SecretList"]) for page in pages], [3, 3, 1])
        self.assertEqual(len({s["Name"] for page in pages for s in page["SecretList"]}), 7)

    def of_groups(self, howdah):
        vpc = howdah.ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["false"]}])["Vpcs"][0]["VpcId"]
        for i in range(9):
            howdah.ec2.create_security_group(GroupName=f"g{i}", Description="x", VpcId=vpc)
        pages = list(howdah.ec2.get_paginator("describe_security_groups").paginate(
            Filters=[{"Name": "vpc-id", "Values": [vpc]}], PaginationConfig={"PageSize": 5}))
        self.assertEqual([len(page["SecurityGroups"]) for page in pages], [5, 5, 2])


if __name__ == "__main__":
    unittest.main()
