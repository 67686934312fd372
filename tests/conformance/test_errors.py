"""AWS's error codes as boto3 sees them: the code of the wire, the exception class of the shape's name, the HTTP status."""

import datetime
import json
import unittest
import unittest.mock

import boto3
import botocore.auth
import botocore.config
import botocore.exceptions
from harness import Howdah, eventually

FAST = {"Delay": 1, "MaxAttempts": 90}


class Errors(unittest.TestCase):
    INSTANCE = False  # whether there is a DB instance db-1

    @classmethod
    def setUpClass(cls):
        cls.howdah = Howdah().start()
        cls.addClassCleanup(cls.howdah.stop)
        cls.network = cls.howdah.network()
        cls.rds, cls.ec2 = cls.howdah.rds, cls.howdah.ec2
        cls.secrets, cls.stacks = cls.howdah.client("secretsmanager"), cls.howdah.client("cloudformation")
        if cls.INSTANCE:
            cls.howdah.create_instance("db-1", cls.network)
            cls.howdah.await_available("db-1")

    def refused(self, client, operation, code, status=400, exception=None, says="", **parameters):
        with self.assertRaises(client.exceptions.ClientError, msg=f"{operation} {code}") as caught:
            getattr(client, operation)(**parameters)
        error = caught.exception
        self.assertEqual((error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]),
                         (code, status), error)
        self.assertRegex(error.response["Error"]["Message"], says or ".")
        self.assertTrue(error.response["ResponseMetadata"]["RequestId"])
        if exception:
            self.assertIs(type(error), getattr(client.exceptions, exception), error)


class Rds(Errors):
    INSTANCE = True

    def test_not_found(self):
        for operation, parameters, code, exception in (
                ("describe_db_instances", dict(DBInstanceIdentifier="none"), "DBInstanceNotFound",
                 "DBInstanceNotFoundFault"),
                ("describe_db_snapshots", dict(DBSnapshotIdentifier="none"), "DBSnapshotNotFound",
                 "DBSnapshotNotFoundFault"),
                ("describe_db_parameter_groups", dict(DBParameterGroupName="none"), "DBParameterGroupNotFound",
                 "DBParameterGroupNotFoundFault"),
                ("describe_db_subnet_groups", dict(DBSubnetGroupName="none"), "DBSubnetGroupNotFoundFault",
                 "DBSubnetGroupNotFoundFault"),
                ("describe_option_groups", dict(OptionGroupName="none"), "OptionGroupNotFoundFault",
                 "OptionGroupNotFoundFault"),
                ("describe_certificates", dict(CertificateIdentifier="none"), "CertificateNotFound",
                 "CertificateNotFoundFault")):
            with self.subTest(operation):
                self.refused(self.rds, operation, code, 404, exception, **parameters)

    def test_names_that_are_taken(self):
        with self.assertRaises(self.rds.exceptions.DBInstanceAlreadyExistsFault) as taken:
            self.howdah.create_instance("DB-1", self.network)
        self.assertEqual(taken.exception.response["Error"]["Code"], "DBInstanceAlreadyExists")
        self.refused(self.rds, "create_db_subnet_group", "DBSubnetGroupAlreadyExists", 400,
                     "DBSubnetGroupAlreadyExistsFault", DBSubnetGroupName="subnets", DBSubnetGroupDescription="x",
                     SubnetIds=self.network["subnets"])

    def test_states(self):
        self.refused(self.rds, "start_db_instance", "InvalidDBInstanceState", 400, "InvalidDBInstanceStateFault",
                     DBInstanceIdentifier="db-1")
        self.howdah.create_instance("db-2", self.network)
        for operation in ("modify_db_instance", "reboot_db_instance", "stop_db_instance", "start_db_instance"):
            self.refused(self.rds, operation, "InvalidDBInstanceState", 400, "InvalidDBInstanceStateFault",
                         DBInstanceIdentifier="db-2", **({"DeletionProtection": True} if "modify" in operation else {}))
        self.howdah.await_available("db-2")
        self.rds.stop_db_instance(DBInstanceIdentifier="db-2")
        eventually(lambda: self.howdah.describe("db-2")["DBInstanceStatus"] == "stopped", 60, "stopped")
        for operation in ("reboot_db_instance", "stop_db_instance"):
            self.refused(self.rds, operation, "InvalidDBInstanceState", 400, "InvalidDBInstanceStateFault",
                         DBInstanceIdentifier="db-2")
        self.howdah.delete_instance("db-2")

    def test_deletion_protection(self):
        self.rds.modify_db_instance(DBInstanceIdentifier="db-1", DeletionProtection=True)
        eventually(lambda: self.howdah.describe("db-1")["DeletionProtection"], 30, "deletion protection")
        self.howdah.await_available("db-1")
        self.refused(self.rds, "delete_db_instance", "InvalidParameterCombination", DBInstanceIdentifier="db-1",
                     SkipFinalSnapshot=True, says="please disable deletion protection and try again")
        self.rds.modify_db_instance(DBInstanceIdentifier="db-1", DeletionProtection=False)
        self.howdah.await_available("db-1")

    def test_subnet_groups(self):
        first, second = self.network["subnets"]
        self.refused(self.rds, "create_db_subnet_group", "DBSubnetGroupDoesNotCoverEnoughAZs", 400,
                     "DBSubnetGroupDoesNotCoverEnoughAZs", DBSubnetGroupName="one", DBSubnetGroupDescription="x",
                     SubnetIds=[first])
        self.refused(self.rds, "create_db_subnet_group", "InvalidSubnet", 400, "InvalidSubnet", DBSubnetGroupName="one",
                     DBSubnetGroupDescription="x", SubnetIds=[first, "subnet-00000000000000000"])
        self.refused(self.rds, "delete_db_subnet_group", "InvalidDBSubnetGroupStateFault", 400,
                     "InvalidDBSubnetGroupStateFault", DBSubnetGroupName="subnets")
        self.refused(self.rds, "delete_db_subnet_group", "DBSubnetGroupNotFoundFault", 404, DBSubnetGroupName="none")

    def test_what_an_instance_cannot_be_made_of(self):
        for code, wrong in (("StorageTypeNotSupported", dict(StorageType="io2")),
                            ("InvalidVPCNetworkStateFault", dict(AvailabilityZone="us-west-2c")),
                            ("DBSubnetGroupNotFoundFault", dict(DBSubnetGroupName="none")),
                            ("DBParameterGroupNotFound", dict(DBParameterGroupName="none")),
                            ("OptionGroupNotFoundFault", dict(OptionGroupName="none")),
                            ("InvalidParameterCombination", dict(EngineVersion="14.2"))):
            with self.subTest(code), self.assertRaises(self.rds.exceptions.ClientError) as caught:
                self.howdah.create_instance("wrong", self.network, **wrong)
            self.assertEqual(caught.exception.response["Error"]["Code"], code)


class Ec2(Errors):
    INSTANCE = True

    def test_codes(self):
        vpc, (subnet, _), group = self.network["vpc"], self.network["subnets"], self.network["db"]
        octet = self.howdah.octet
        rule = [self.howdah.group_rule(self.network["app"])]
        for operation, code, parameters in (
                ("describe_vpcs", "InvalidVpcID.NotFound", dict(VpcIds=["vpc-00000000000000000"])),
                ("delete_vpc", "InvalidVpcID.NotFound", dict(VpcId="vpc-00000000000000000")),
                ("describe_subnets", "InvalidSubnetID.NotFound", dict(SubnetIds=["subnet-00000000000000000"])),
                ("describe_security_groups", "InvalidGroup.NotFound", dict(GroupIds=["sg-00000000000000000"])),
                ("describe_security_groups", "InvalidGroupId.Malformed", dict(GroupIds=["nonsense"])),
                ("describe_network_interfaces", "InvalidNetworkInterfaceID.NotFound",
                 dict(NetworkInterfaceIds=["eni-00000000000000000"])),
                ("create_security_group", "InvalidGroup.Duplicate", dict(GroupName="db", Description="x", VpcId=vpc)),
                ("create_security_group", "InvalidGroup.Reserved",
                 dict(GroupName="default", Description="x", VpcId=vpc)),
                ("authorize_security_group_ingress", "InvalidPermission.Duplicate", dict(GroupId=group, IpPermissions=rule)),
                ("revoke_security_group_ingress", "InvalidPermission.NotFound",
                 dict(GroupId=group, IpPermissions=[{**rule[0], "FromPort": 1, "ToPort": 2}])),
                ("delete_vpc", "DependencyViolation", dict(VpcId=vpc)),
                ("delete_subnet", "DependencyViolation", dict(SubnetId=subnet)),
                ("delete_security_group", "DependencyViolation", dict(GroupId=group)),
                ("create_subnet", "InvalidSubnet.Conflict", dict(VpcId=vpc, CidrBlock=f"10.{octet}.1.0/24")),
                ("create_subnet", "InvalidSubnet.Range", dict(VpcId=vpc, CidrBlock="192.168.0.0/24")),
                ("create_vpc", "InvalidVpc.Range", dict(CidrBlock="10.0.0.0/8")),
                ("create_vpc", "InvalidParameterValue", dict(CidrBlock="ten")),
                ("describe_vpcs", "InvalidParameterValue", dict(Filters=[{"Name": "bogus", "Values": ["x"]}]))):
            with self.subTest(f"{operation} {code}"):
                self.refused(self.ec2, operation, code, **parameters)
        default = next(g["GroupId"] for g in self.ec2.describe_security_groups(
            Filters=[{"Name": "vpc-id", "Values": [vpc]}])["SecurityGroups"] if g["GroupName"] == "default")
        self.refused(self.ec2, "delete_security_group", "CannotDelete", GroupId=default)

    def test_dry_run_changes_nothing(self):
        before = self.ec2.describe_vpcs()["Vpcs"]
        self.refused(self.ec2, "create_vpc", "DryRunOperation", 412, CidrBlock="10.9.0.0/16", DryRun=True)
        self.assertEqual(self.ec2.describe_vpcs()["Vpcs"], before)


class SecretsManager(Errors):
    def test_codes(self):
        self.secrets.create_secret(Name="one", SecretString="x")
        self.secrets.create_secret(Name="gone", SecretString="x")
        self.secrets.delete_secret(SecretId="gone")
        for operation, code, parameters in (
                ("get_secret_value", "ResourceNotFoundException", dict(SecretId="none")),
                ("describe_secret", "ResourceNotFoundException", dict(SecretId="none")),
                ("get_secret_value", "ResourceNotFoundException", dict(SecretId="one", VersionStage="NONE")),
                ("create_secret", "ResourceExistsException", dict(Name="one", SecretString="y")),
                ("create_secret", "InvalidRequestException", dict(Name="gone", SecretString="y")),
                ("get_secret_value", "InvalidRequestException", dict(SecretId="gone")),
                ("put_secret_value", "InvalidRequestException", dict(SecretId="gone", SecretString="y")),
                ("delete_secret", "InvalidParameterException",
                 dict(SecretId="one", RecoveryWindowInDays=7, ForceDeleteWithoutRecovery=True)),
                ("delete_secret", "InvalidParameterException", dict(SecretId="one", RecoveryWindowInDays=3)),
                ("list_secrets", "InvalidNextTokenException", dict(NextToken="nonsense"))):
            with self.subTest(f"{operation} {code}"):
                self.refused(self.secrets, operation, code, 400, code, **parameters)


class CloudFormation(Errors):
    def test_codes(self):
        template = json.dumps({"Resources": {"Secret": {"Type": "AWS::SecretsManager::Secret", "Properties": {
            "Name": "of-stack", "SecretString": "x"}}}})
        self.stacks.create_stack(StackName="one", TemplateBody=template)
        self.stacks.get_waiter("stack_create_complete").wait(StackName="one", WaiterConfig=FAST)
        for operation, code, says, parameters in (
                ("describe_stacks", "ValidationError", "Stack with id none does not exist", dict(StackName="none")),
                ("create_stack", "AlreadyExistsException", "already exists", dict(StackName="one", TemplateBody=template)),
                ("create_stack", "ValidationError", "stackName|StackName|regular", dict(StackName="1bad",
                                                                                        TemplateBody=template)),
                ("create_stack", "ValidationError", "Template", dict(StackName="two", TemplateBody="{")),
                ("create_stack", "ValidationError", "AWS::No::Such", dict(
                    StackName="two", TemplateBody='{"Resources":{"A":{"Type":"AWS::No::Such"}}}')),
                ("validate_template", "ValidationError", "Resources", dict(TemplateBody="{}")),
                ("get_template", "ValidationError", "does not exist", dict(StackName="none")),
                ("update_stack", "ValidationError", "No updates are to be performed", dict(StackName="one",
                                                                                           TemplateBody=template))):
            with self.subTest(f"{operation} {code} {says}"):
                self.refused(self.stacks, operation, code, says=says, **parameters)
        self.stacks.delete_stack(StackName="never-there")  # no error, as on AWS
        self.stacks.delete_stack(StackName="one")
        self.stacks.get_waiter("stack_delete_complete").wait(StackName="one", WaiterConfig=FAST)


class Signatures(Errors):
    def client(self, service, **keys):
        settings = json.loads(self.howdah.cli("env", "-o", "json").stdout)
        return boto3.client(service, endpoint_url=self.howdah.url, region_name=settings["AWS_REGION"],
                            **{"aws_access_key_id": settings["AWS_ACCESS_KEY_ID"],
                               "aws_secret_access_key": settings["AWS_SECRET_ACCESS_KEY"], **keys},
                            config=botocore.config.Config(retries={"total_max_attempts": 1}))

    CALLS = (("rds", "describe_db_instances"), ("ec2", "describe_vpcs"), ("secretsmanager", "list_secrets"),
             ("cloudformation", "list_stacks"), ("sts", "get_caller_identity"))

    def test_a_wrong_secret_key(self):
        for service, operation in self.CALLS:
            code, status = {"ec2": ("AuthFailure", 401), "secretsmanager": ("InvalidSignatureException", 400)}.get(
                service, ("SignatureDoesNotMatch", 403))
            with self.subTest(service):
                self.refused(self.client(service, aws_secret_access_key="wrong"), operation, code, status)

    def test_an_unknown_access_key(self):
        for service, operation in self.CALLS:
            code, status = {"ec2": ("AuthFailure", 401), "secretsmanager": ("UnrecognizedClientException", 400)}.get(
                service, ("InvalidClientTokenId", 403))
            with self.subTest(service):
                self.refused(self.client(service, aws_access_key_id="AKIAIOSFODNN7EXAMPLE"), operation, code, status)

    def test_unsigned(self):
        config = botocore.config.Config(signature_version=botocore.UNSIGNED, retries={"total_max_attempts": 1})
        client = boto3.client("rds", endpoint_url=self.howdah.url, region_name="us-west-2", config=config)
        self.refused(client, "describe_db_instances", "MissingAuthenticationToken", 403)

    def test_an_old_signature(self):
        real = datetime.datetime

        class Yesterday(real):
            @classmethod
            def utcnow(cls):
                return real.now(datetime.timezone.utc).replace(tzinfo=None) - datetime.timedelta(days=1)

        with unittest.mock.patch.object(botocore.auth.datetime, "datetime", Yesterday):
            with self.assertRaises(botocore.exceptions.ClientError) as caught:
                self.client("rds").describe_db_instances()
        self.assertIn(caught.exception.response["Error"]["Code"], ("SignatureDoesNotMatch", "RequestExpired"))
        self.assertRegex(caught.exception.response["Error"]["Message"], "expired|time")


if __name__ == "__main__":
    unittest.main()
