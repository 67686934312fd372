"""What EC2, Secrets Manager and CloudFormation demand beyond their models, one thing wrong at a time."""

import json
import re
import unittest

from harness import Howdah
from wire import Model, Wire

IPV = "InvalidParameterValue"
NONE = {"VpcId": "vpc-00000000000000000", "SubnetId": "subnet-00000000000000000", "GroupId": "sg-00000000000000000"}


def rule(**wrong):
    """Ingress rule parameters with something wrong about the one permission; @db stands for the group."""
    return {"GroupId": "@db", "IpPermissions": [{**{"IpProtocol": "tcp", "FromPort": 1, "ToPort": 2,
                                                    "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}, **wrong}]}


# operation, parameters, code, what the text says
EC2 = [
    *[("CreateVpc", {"CidrBlock": block}, IPV, re.escape(block) + "|CidrBlock")
      for block in ("ten", "10.0.0.0", "10.0.0/16", "10.0.0.0/33", "10.0.0.256/16", "::/64")],
    *[("CreateVpc", {"CidrBlock": block}, f"InvalidVpc.Range|{IPV}", "CIDR|size|netmask")
      for block in ("10.0.0.0/8", "10.0.0.0/15", "10.0.0.0/29", "0.0.0.0/0")],
    ("CreateVpc", {"CidrBlock": "10.9.0.0/16", "InstanceTenancy": "bogus"}, IPV, "[Tt]enancy"),
    ("CreateSubnet", {"VpcId": NONE["VpcId"], "CidrBlock": "10.9.0.0/24"}, "InvalidVpcID.NotFound", "vpc-0"),
    ("CreateSubnet", {"VpcId": "@vpc", "CidrBlock": "ten"}, IPV, "ten|CidrBlock"),
    ("CreateSubnet", {"VpcId": "@vpc", "CidrBlock": "192.168.0.0/24"}, "InvalidSubnet.Range", "192.168"),
    ("CreateSubnet", {"VpcId": "@vpc", "CidrBlock": "10.@.1.128/25"}, "InvalidSubnet.Conflict", "conflict"),
    ("CreateSubnet", {"VpcId": "@vpc", "CidrBlock": "10.@.9.0/29"}, f"InvalidSubnet.Range|{IPV}", "10.|CIDR"),
    ("CreateSubnet", {"VpcId": "@vpc", "CidrBlock": "10.@.9.0/24", "AvailabilityZone": "mars-1a"}, IPV, "mars-1a"),
    *[("CreateSecurityGroup", {"GroupName": name, "Description": "x", "VpcId": "@vpc"}, f"{IPV}|InvalidGroup.Reserved",
       "name|GroupName|reserved") for name in ("sg-mine", "n" * 256, "n\u00e4me")],
    ("CreateSecurityGroup", {"GroupName": "x", "Description": "d" * 256, "VpcId": "@vpc"}, IPV, "[Dd]escription"),
    ("CreateSecurityGroup", {"GroupName": "x", "Description": "\u00e4", "VpcId": "@vpc"}, IPV, "[Dd]escription"),
    ("CreateSecurityGroup", {"GroupName": "x", "Description": "x", "VpcId": NONE["VpcId"]}, "InvalidVpcID.NotFound", ""),
    *[("AuthorizeSecurityGroupIngress", rule(**wrong), code, says) for wrong, code, says in (
        ({"IpProtocol": "bogus"}, IPV, "bogus|protocol"), ({"IpProtocol": "256"}, IPV, "256|protocol"),
        ({"FromPort": 3}, IPV, "port|range"), ({"ToPort": 70000}, IPV, "port|70000"), ({"FromPort": -5}, IPV, "port|-5"),
        ({"IpRanges": [{"CidrIp": "ten"}]}, IPV, "ten|CIDR"), ({"IpRanges": [{"CidrIp": "10.0.0.0/40"}]}, IPV, "10.0|CIDR"),
        ({"IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": "d" * 256}]}, IPV, "[Dd]escription"),
        ({"IpRanges": [], "UserIdGroupPairs": [{"GroupId": NONE["GroupId"]}]}, "InvalidGroup.NotFound", "sg-0"),
        ({"IpRanges": [], "UserIdGroupPairs": [{"GroupId": "nonsense"}]}, "InvalidGroupId.Malformed", "nonsense"))],
    ("AuthorizeSecurityGroupIngress", {"GroupId": "@db"}, f"MissingParameter|{IPV}|InvalidRequest", "[Pp]ermission|source"),
    ("AuthorizeSecurityGroupIngress", rule() | {"GroupId": NONE["GroupId"]}, "InvalidGroup.NotFound", "sg-0"),
    ("AuthorizeSecurityGroupIngress", {"GroupId": "@db", "IpPermissions": [
        {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 2, "IpRanges": [{"CidrIp": f"10.0.{i}.0/24"} for i in range(61)]}]},
     "RulesPerSecurityGroupLimitExceeded", "limit|maximum"),
    ("ModifyVpcAttribute", {"VpcId": "@vpc"}, f"InvalidParameterCombination|MissingParameter|{IPV}", "[Aa]ttribute|Dns"),
    ("DescribeVpcAttribute", {"VpcId": "@vpc", "Attribute": "bogus"}, IPV, "bogus|[Aa]ttribute"),
    ("CreateNetworkInterface", {"SubnetId": NONE["SubnetId"]}, "InvalidSubnetID.NotFound", "subnet-0"),
    ("CreateNetworkInterface", {"SubnetId": "@subnet", "PrivateIpAddress": "192.168.0.1"}, IPV, "[Aa]ddress"),
    ("CreateNetworkInterface", {"SubnetId": "@subnet", "PrivateIpAddress": "10.@.1.0"}, IPV, "[Aa]ddress"),
    ("CreateNetworkInterface", {"SubnetId": "@subnet", "Groups": [NONE["GroupId"]]}, "InvalidGroup.NotFound", "sg-0"),
    ("CreateTags", {"Resources": ["@vpc"], "Tags": [{"Key": "aws:x", "Value": "y"}]}, IPV, "aws:"),
    ("CreateTags", {"Resources": ["@vpc"], "Tags": [{"Key": "k" * 129, "Value": "y"}]}, IPV, "[Tt]ag|key"),
    ("CreateTags", {"Resources": [NONE["VpcId"]], "Tags": [{"Key": "a", "Value": "b"}]}, "InvalidVpcID.NotFound|InvalidID",
     "vpc-0"),
    ("CreateTags", {"Resources": ["nonsense"], "Tags": [{"Key": "a", "Value": "b"}]}, "InvalidID", "nonsense"),
    ("CreateTags", {"Resources": ["@vpc"], "Tags": [{"Key": f"k{i}", "Value": ""} for i in range(51)]}, "TagLimitExceeded",
     "50|limit"),
    *[(operation, {"MaxResults": n}, IPV, "MaxResults") for operation in
      ("DescribeSecurityGroups", "DescribeSubnets", "DescribeVpcs", "DescribeNetworkInterfaces",
       "DescribeSecurityGroupRules") for n in (4, 1001)],
    *[(operation, {"NextToken": "nonsense"}, f"{IPV}|InvalidNextToken|InvalidPaginationToken", "[Tt]oken") for operation in
      ("DescribeSecurityGroups", "DescribeSubnets", "DescribeVpcs")],
    *[(operation, {"Filters": [{"Name": "no-such", "Values": ["x"]}]}, IPV, "no-such") for operation in
      ("DescribeVpcs", "DescribeSubnets", "DescribeSecurityGroups", "DescribeNetworkInterfaces", "DescribeRouteTables",
       "DescribeNetworkAcls", "DescribeSecurityGroupRules", "DescribeAvailabilityZones", "DescribeTags")],
    *[(operation, {member: ["nonsense"]}, code, "nonsense") for operation, member, code in (
        ("DescribeVpcs", "VpcIds", "InvalidVpcID.NotFound|InvalidVpcID.Malformed"),
        ("DescribeSubnets", "SubnetIds", "InvalidSubnetID.NotFound|InvalidSubnetID.Malformed"),
        ("DescribeSecurityGroups", "GroupIds", "InvalidGroupId.Malformed"),
        ("DescribeAvailabilityZones", "ZoneNames", IPV), ("DescribeRegions", "RegionNames", IPV))],
]

INVALID = "InvalidParameterException|ValidationException"
SECRETS = [
    *[("CreateSecret", {"Name": name, "SecretString": "x"}, INVALID, "[Nn]ame")
      for name in ("", "n" * 513, "a b", "a\u00e4", "a*b", "a(b)")],
    ("CreateSecret", {"Name": "a", "SecretString": "x", "SecretBinary": "eA=="}, INVALID, "SecretString|SecretBinary"),
    ("CreateSecret", {"Name": "a", "SecretString": "x" * 65537}, INVALID, "[Ss]ecretString|length"),
    ("CreateSecret", {"Name": "a", "ClientRequestToken": "short"}, INVALID, "[Cc]lientRequestToken"),
    ("CreateSecret", {"Name": "a", "SecretString": "x", "Tags": [{"Key": "aws:x", "Value": "y"}]}, INVALID, "[Tt]ag|aws:"),
    ("CreateSecret", {"Name": "a", "SecretString": "x", "KmsKeyId": "alias/none-such"}, INVALID + "|EncryptionFailure",
     "[Kk]ms|key"),
    ("CreateSecret", {"Name": "a", "AddReplicaRegions": [{"Region": "us-east-1"}]}, INVALID, "[Rr]eplica"),
    ("PutSecretValue", {"SecretId": "one"}, "InvalidRequestException|" + INVALID, "Secret(String|Binary)|value"),
    ("PutSecretValue", {"SecretId": "one", "SecretString": "x", "VersionStages": []}, INVALID, "[Vv]ersionStages|stage"),
    ("GetSecretValue", {"SecretId": "one", "VersionId": "v" * 32}, "ResourceNotFoundException", "VersionId"),
    ("UpdateSecretVersionStage", {"SecretId": "one", "VersionStage": "AWSCURRENT"}, INVALID + "|InvalidRequestException", ""),
    *[("DeleteSecret", {"SecretId": "one", "RecoveryWindowInDays": days}, INVALID, "RecoveryWindow") for days in (0, 6, 31)],
    *[("GetRandomPassword", wish, INVALID, says) for wish, says in (
        ({"PasswordLength": 0}, "[Ll]ength"), ({"PasswordLength": 4097}, "[Ll]ength"), ({"PasswordLength": 3}, "[Ll]ength"),
        ({"ExcludeCharacters": "x" * 4097}, "[Ee]xclude"),
        ({"ExcludeLowercase": True, "ExcludeUppercase": True, "ExcludeNumbers": True, "ExcludePunctuation": True}, ""))],
    ("ListSecrets", {"MaxResults": 0}, INVALID, "[Mm]axResults"),
    ("ListSecrets", {"MaxResults": 101}, INVALID, "[Mm]axResults"),
    ("ListSecrets", {"Filters": [{"Key": "bogus", "Values": ["x"]}]}, INVALID, "bogus|[Kk]ey"),
    ("RestoreSecret", {"SecretId": "none-such"}, "ResourceNotFoundException", ""),
]

TEMPLATE = json.dumps({"Resources": {"A": {"Type": "AWS::SecretsManager::Secret", "Properties": {"Name": "a"}}}})


def template(**parts):
    return json.dumps({"Resources": {"A": {"Type": "AWS::SecretsManager::Secret"}}, **parts})


STACKS = [
    *[("CreateStack", {"StackName": name, "TemplateBody": TEMPLATE}, "ValidationError", "stackName")
      for name in ("1a", "-a", "a_b", "a b", "a" * 129)],
    ("CreateStack", {"StackName": "x"}, "ValidationError", "[Tt]emplate"),
    ("CreateStack", {"StackName": "x", "TemplateBody": "x" * 51201}, "ValidationError", "templateBody|51200"),
    *[("CreateStack", {"StackName": "x", "TemplateBody": body}, "ValidationError", says) for body, says in (
        ("{", "[Tt]emplate"), ("- a\n- b\n", "[Tt]emplate"), ("{}", "Resources"),
        (template(Resources={}), "[Rr]esource"),
        (template(Resources={"A": {}}), "Type"),
        (template(Resources={"A-B": {"Type": "AWS::SecretsManager::Secret"}}), "A-B|alphanumeric"),
        (template(Resources={"A": {"Type": "AWS::No::Such"}}), "AWS::No::Such"),
        (template(Resources={"A": {"Type": "AWS::SecretsManager::Secret", "Properties": {"Bogus": 1}}}), "Bogus"),
        (template(Resources={"A": {"Type": "AWS::SecretsManager::Secret", "DependsOn": "B"}}), "\\bB\\b"),
        (template(Resources={"A": {"Type": "AWS::SecretsManager::Secret", "Properties": {"Name": {"Ref": "B"}}}}), "\\bB\\b"),
        (template(Resources={"A": {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": {"Ref": "A"}, "CidrBlock": "1"}}}),
         "[Cc]ircular"),
        (template(AWSTemplateFormatVersion="2011-01-01"), "[Vv]ersion"),
        (template(Bogus={}), "Bogus"),
        (template(Parameters={"P": {"Type": "Bogus"}}), "Bogus|P"),
        (template(Outputs={"O": {"Value": {"Fn::GetAtt": ["A", "Bogus"]}}}), "Bogus"))],
    ("CreateStack", {"StackName": "x", "TemplateBody": template(Parameters={"P": {"Type": "String"}})}, "ValidationError",
     "\\[?P\\]?"),
    ("CreateStack", {"StackName": "x", "TemplateBody": TEMPLATE, "Parameters": [
        {"ParameterKey": "Q", "ParameterValue": "1"}]}, "ValidationError", "Q"),
    *[("CreateStack", {"StackName": "x", "TemplateBody": template(Parameters={"P": declared}),
                       "Parameters": [{"ParameterKey": "P", "ParameterValue": value}]}, "ValidationError", "P")
      for declared, value in (({"Type": "Number"}, "x"), ({"Type": "String", "MaxLength": 1}, "xx"),
                              ({"Type": "String", "MinLength": 3}, "xx"), ({"Type": "Number", "MaxValue": 3}, "4"),
                              ({"Type": "String", "AllowedValues": ["a"]}, "b"),
                              ({"Type": "String", "AllowedPattern": "[0-9]+"}, "b"))],
    ("UpdateStack", {"StackName": "none-such", "TemplateBody": TEMPLATE}, "ValidationError", "none-such"),
    ("CreateChangeSet", {"StackName": "none-such", "ChangeSetName": "c", "TemplateBody": TEMPLATE}, "ValidationError",
     "none-such"),
    ("ExecuteChangeSet", {"StackName": "none-such", "ChangeSetName": "c"}, "ValidationError|ChangeSetNotFound", ""),
    ("DescribeStackEvents", {"StackName": "none-such"}, "ValidationError", "none-such"),
    ("DescribeStacks", {"NextToken": "nonsense"}, "ValidationError", "[Tt]oken"),
]


class OtherConstraints(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.howdah = howdah = Howdah().start()
        cls.addClassCleanup(howdah.stop)
        cls.network = howdah.network()
        howdah.client("secretsmanager").create_secret(Name="one", SecretString="x")
        cls.wire = Wire(howdah)
        cls.addClassCleanup(cls.wire.close)

    def real(self, value):
        """With this daemon's ids for the words with an @."""
        text = json.dumps(value).replace('"@vpc"', f'"{self.network["vpc"]}"').replace('"@db"', f'"{self.network["db"]}"')
        return json.loads(text.replace('"@subnet"', f'"{self.network["subnets"][0]}"').replace("10.@.",
                                                                                             f"10.{self.howdah.octet}."))

    def attempt(self, model, operation, parameters, code, says):
        answer = self.wire.call(model, operation, self.real(parameters))
        told = f"{operation} {json.dumps(parameters)[:160]}"
        if answer.status < 300:
            return f"{told}: was accepted"
        if answer.status != 400 or answer.code not in code.split("|"):
            return f"{told}: {answer} instead of {code}"
        if not re.search(says, answer.message):
            return f"{told}: does not say /{says}/: {answer}"
        return None

    def all_refused(self, service, table):
        model = Model(service)
        found = [wrong for line in table if (wrong := self.attempt(model, *line))]
        self.assertFalse(found, "\n" + "\n".join(found))

    def test_ec2(self):
        before = self.howdah.ec2.describe_vpcs()["Vpcs"]
        self.all_refused("ec2", EC2)
        self.assertEqual(self.howdah.ec2.describe_vpcs()["Vpcs"], before)

    def test_secretsmanager(self):
        self.all_refused("secretsmanager", SECRETS)
        names = [secret["Name"] for secret in self.howdah.client("secretsmanager").list_secrets()["SecretList"]]
        self.assertEqual(names, ["one"])

    def test_cloudformation(self):
        self.all_refused("cloudformation", STACKS)
        stacks = self.howdah.client("cloudformation").describe_stacks()["Stacks"]
        self.assertEqual([stack["StackName"] for stack in stacks], [])


if __name__ == "__main__":
    unittest.main()
