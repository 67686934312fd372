"""EC2 as clients see it: AWS's codes, ids, filters and pages, and refusals where nothing would be kept."""

import unittest

from botocore.exceptions import ClientError

from harness import Howdah

ALL = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}


def postgres(**source):
    return {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, **source}


class Ec2(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.howdah = Howdah().start()
        cls.addClassCleanup(cls.howdah.stop)
        cls.ec2 = cls.howdah.ec2
        cls.vpc = cls.ec2.create_vpc(CidrBlock="10.200.0.0/16")["Vpc"]["VpcId"]
        cls.subnet = cls.ec2.create_subnet(VpcId=cls.vpc, CidrBlock="10.200.1.0/24",
                                           AvailabilityZone="us-west-2b")["Subnet"]["SubnetId"]

    def refused(self, code, call, **arguments):
        with self.assertRaises(ClientError) as caught:
            call(**arguments)
        self.assertEqual(caught.exception.response["Error"]["Code"], code)
        return caught.exception.response

    def group(self, name, **more):
        return self.ec2.create_security_group(VpcId=self.vpc, GroupName=name, Description="a group",
                                              **more)["GroupId"]

    def test_a_vpc_comes_with_what_terraform_reads(self):
        ec2, by_vpc = self.ec2, {"Name": "vpc-id", "Values": [self.vpc]}
        vpc = ec2.describe_vpcs(VpcIds=[self.vpc])["Vpcs"][0]
        self.assertEqual((vpc["State"], vpc["InstanceTenancy"], vpc["IsDefault"]), ("available", "default", False))
        for attribute in ("enableDnsHostnames", "enableDnsSupport", "enableNetworkAddressUsageMetrics"):
            self.assertIn(attribute[0].upper() + attribute[1:],
                          ec2.describe_vpc_attribute(VpcId=self.vpc, Attribute=attribute))
        acls = ec2.describe_network_acls(Filters=[{"Name": "default", "Values": ["true"]}, by_vpc])["NetworkAcls"]
        self.assertEqual([a["SubnetId"] for a in acls[0]["Associations"]], [self.subnet])
        tables = ec2.describe_route_tables(
            Filters=[{"Name": "association.main", "Values": ["true"]}, by_vpc])["RouteTables"]
        self.assertEqual(tables[0]["Routes"][0]["DestinationCidrBlock"], "10.200.0.0/16")
        groups = ec2.describe_security_groups(
            Filters=[{"Name": "group-name", "Values": ["default"]}, by_vpc])["SecurityGroups"]
        self.assertEqual(groups[0]["IpPermissions"][0]["UserIdGroupPairs"][0]["GroupId"], groups[0]["GroupId"])
        self.refused("CannotDelete", ec2.delete_security_group, GroupId=groups[0]["GroupId"])

    def test_dns_hostnames_read_back(self):
        self.ec2.modify_vpc_attribute(VpcId=self.vpc, EnableDnsHostnames={"Value": True})
        got = self.ec2.describe_vpc_attribute(VpcId=self.vpc, Attribute="enableDnsHostnames")
        self.assertTrue(got["EnableDnsHostnames"]["Value"])

    def test_there_is_a_default_vpc_with_three_subnets(self):
        vpc = self.ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]
        self.assertEqual(vpc["CidrBlock"], "172.31.0.0/16")
        subnets = self.ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc["VpcId"]]}])["Subnets"]
        self.assertEqual(sorted(s["AvailabilityZone"][-1] for s in subnets), ["a", "b", "c"])
        self.assertEqual({s["AvailableIpAddressCount"] for s in subnets}, {4091})

    def test_ranges_that_cannot_be_are_refused(self):
        ec2 = self.ec2
        self.refused("InvalidVpc.Range", ec2.create_vpc, CidrBlock="10.0.0.0/8")
        answer = self.refused("InvalidVpc.Range", ec2.create_vpc, CidrBlock="11.200.0.0/16")
        self.assertIn(self.vpc, answer["Error"]["Message"])
        self.refused("InvalidParameterValue", ec2.create_vpc, CidrBlock="everything")
        self.refused("InvalidSubnet.Range", ec2.create_subnet, VpcId=self.vpc, CidrBlock="10.201.0.0/24")
        self.refused("InvalidSubnet.Conflict", ec2.create_subnet, VpcId=self.vpc, CidrBlock="10.200.1.0/25")
        self.refused("InvalidParameterValue", ec2.create_subnet, VpcId=self.vpc, CidrBlock="10.200.2.0/24",
                     AvailabilityZone="us-west-2z")

    def test_what_is_not_served_is_refused(self):
        ec2 = self.ec2
        self.refused("InvalidParameterValue", ec2.create_vpc, CidrBlock="10.202.0.0/16", InstanceTenancy="dedicated")
        self.refused("UnsupportedOperation", ec2.create_vpc, CidrBlock="10.202.0.0/16",
                     AmazonProvidedIpv6CidrBlock=True)
        self.refused("UnsupportedOperation", ec2.modify_vpc_attribute, VpcId=self.vpc,
                     EnableNetworkAddressUsageMetrics={"Value": True})
        self.refused("UnsupportedOperation", ec2.create_network_interface, SubnetId=self.subnet,
                     SecondaryPrivateIpAddressCount=2)
        self.refused("InvalidServiceName", ec2.create_vpc_endpoint, VpcId=self.vpc,
                     ServiceName="com.amazonaws.us-west-2.s3")
        group = self.group("lists")
        self.refused("InvalidPrefixListID.NotFound", ec2.authorize_security_group_ingress, GroupId=group,
                     IpPermissions=[postgres(PrefixListIds=[{"PrefixListId": "pl-1"}])])
        self.refused("InvalidAction", ec2.describe_instances)
        self.refused("InvalidAction", ec2.describe_instance_types)
        self.refused("InvalidAction", ec2.create_flow_logs, ResourceIds=[self.vpc], ResourceType="VPC")

    def test_a_rule_about_ipv6_is_recorded_once_and_revoked(self):
        ec2, group = self.ec2, self.group("v6")
        everywhere = {"IpProtocol": "-1", "Ipv6Ranges": [{"CidrIpv6": "0::0/0", "Description": "out"}]}
        made = ec2.authorize_security_group_egress(GroupId=group, IpPermissions=[everywhere])["SecurityGroupRules"]
        self.assertEqual(made[0]["CidrIpv6"], "::/0")
        self.refused("InvalidPermission.Duplicate", ec2.authorize_security_group_egress, GroupId=group,
                     IpPermissions=[everywhere])
        found = ec2.describe_security_groups(Filters=[
            {"Name": "egress.ip-permission.ipv6-cidr", "Values": ["::/0"]}])["SecurityGroups"]
        self.assertEqual([g["GroupId"] for g in found], [group])
        ranges = [r for p in found[0]["IpPermissionsEgress"] for r in p["Ipv6Ranges"]]
        self.assertEqual(ranges, [{"CidrIpv6": "::/0", "Description": "out"}])
        self.refused("InvalidParameterValue", ec2.authorize_security_group_egress, GroupId=group,
                     IpPermissions=[{"IpProtocol": "-1", "Ipv6Ranges": [{"CidrIpv6": "::/200"}]}])
        ec2.revoke_security_group_egress(GroupId=group, IpPermissions=[everywhere])
        self.refused("InvalidPermission.NotFound", ec2.revoke_security_group_egress, GroupId=group,
                     IpPermissions=[everywhere])

    def test_descriptions_of_rules_change_alone(self):
        ec2, group = self.ec2, self.group("described")
        wish = postgres(IpRanges=[{"CidrIp": "10.200.0.0/16", "Description": "old"}])
        rule = ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[wish])["SecurityGroupRules"][0]
        wish["IpRanges"][0]["Description"] = "new"
        ec2.update_security_group_rule_descriptions_ingress(GroupId=group, IpPermissions=[wish])
        look = lambda: ec2.describe_security_group_rules(
            SecurityGroupRuleIds=[rule["SecurityGroupRuleId"]])["SecurityGroupRules"][0]
        self.assertEqual(look()["Description"], "new")
        ec2.update_security_group_rule_descriptions_ingress(GroupId=group, SecurityGroupRuleDescriptions=[
            {"SecurityGroupRuleId": rule["SecurityGroupRuleId"], "Description": "newer"}])
        self.assertEqual(look()["Description"], "newer")
        self.refused("InvalidPermission.NotFound", ec2.update_security_group_rule_descriptions_egress, GroupId=group,
                     IpPermissions=[wish])

    def test_views_of_groups(self):
        ec2, group = self.ec2, self.group("viewed")
        if hasattr(ec2, "get_security_groups_for_vpc"):  # the distribution's boto3 is older than the operation
            found = ec2.get_security_groups_for_vpc(VpcId=self.vpc, MaxResults=5,
                                                    Filters=[{"Name": "group-name", "Values": ["view?d"]}])
            self.assertEqual([g["GroupId"] for g in found["SecurityGroupForVpcs"]], [group])
        self.assertEqual(ec2.describe_security_group_references(GroupId=[group])["SecurityGroupReferenceSet"], [])
        self.assertEqual(ec2.describe_stale_security_groups(VpcId=self.vpc)["StaleSecurityGroupSet"], [])

    def test_unknown_and_malformed_ids(self):
        ec2, end = self.ec2, "0" * 17
        self.refused("InvalidVpcID.NotFound", ec2.describe_vpcs, VpcIds=["vpc-" + end])
        self.refused("InvalidVpcID.NotFound", ec2.delete_vpc, VpcId="vpc-" + end)
        self.refused("InvalidSubnetID.NotFound", ec2.describe_subnets, SubnetIds=["what"])
        self.refused("InvalidGroup.NotFound", ec2.describe_security_groups, GroupIds=["sg-" + end])
        self.refused("InvalidGroupId.Malformed", ec2.describe_security_groups, GroupIds=["what"])
        self.refused("InvalidSecurityGroupRuleId.NotFound", ec2.describe_security_group_rules,
                     SecurityGroupRuleIds=["sgr-" + end])
        self.refused("InvalidNetworkInterfaceID.NotFound", ec2.delete_network_interface,
                     NetworkInterfaceId="eni-" + end)

    def test_terraforms_way_with_a_group_and_a_rule(self):
        ec2, group, app = self.ec2, self.group("tf-db"), self.group("tf-app")
        self.refused("InvalidGroup.Duplicate", ec2.create_security_group, VpcId=self.vpc, GroupName="tf-db",
                     Description="again")
        ec2.revoke_security_group_egress(GroupId=group, IpPermissions=[ALL])
        self.refused("InvalidPermission.NotFound", ec2.revoke_security_group_egress, GroupId=group,
                     IpPermissions=[{"IpProtocol": "-1", "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}])
        wish = postgres(UserIdGroupPairs=[{"GroupId": app, "Description": "the app"}])
        answer = ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[wish])
        rule = answer["SecurityGroupRules"][0]
        self.assertEqual(rule["ReferencedGroupInfo"]["GroupId"], app)
        self.refused("InvalidPermission.Duplicate", ec2.authorize_security_group_ingress, GroupId=group,
                     IpPermissions=[wish])
        self.refused("DependencyViolation", ec2.delete_security_group, GroupId=app)
        listed = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])
        self.assertEqual([r["SecurityGroupRuleId"] for r in listed["SecurityGroupRules"]],
                         [rule["SecurityGroupRuleId"]])
        ec2.modify_security_group_rules(GroupId=group, SecurityGroupRules=[{
            "SecurityGroupRuleId": rule["SecurityGroupRuleId"],
            "SecurityGroupRule": {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5433,
                                  "CidrIpv4": "10.200.0.0/16"}}])
        permission = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"][0]
        self.assertEqual((permission["ToPort"], permission["IpRanges"][0]["CidrIp"]), (5433, "10.200.0.0/16"))
        ec2.delete_security_group(GroupId=app)
        revoked = ec2.revoke_security_group_ingress(GroupId=group, SecurityGroupRuleIds=[rule["SecurityGroupRuleId"]])
        self.assertTrue(revoked["Return"])
        ec2.delete_security_group(GroupId=group)
        self.refused("InvalidGroup.NotFound", ec2.describe_security_groups, GroupIds=[group])

    def test_the_short_form_of_a_rule(self):
        group = self.group("short")
        self.ec2.authorize_security_group_ingress(GroupId=group, IpProtocol="6", FromPort=1, ToPort=2,
                                                  CidrIp="10.200.0.77/16")
        permission = self.ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"][0]
        self.assertEqual((permission["IpProtocol"], permission["IpRanges"][0]["CidrIp"]), ("tcp", "10.200.0.0/16"))

    def test_an_interface_holds_what_it_is_in(self):
        ec2, group = self.ec2, self.group("held")
        arguments = {"SubnetId": self.subnet, "Groups": [group], "Description": "mine", "ClientToken": "token-1"}
        first = ec2.create_network_interface(**arguments)["NetworkInterface"]
        again = ec2.create_network_interface(**arguments)["NetworkInterface"]
        self.assertEqual(first["NetworkInterfaceId"], again["NetworkInterfaceId"])
        self.refused("IdempotentParameterMismatch", ec2.create_network_interface,
                     **{**arguments, "Description": "other"})
        self.assertTrue(first["PrivateIpAddress"].startswith("10.200.1."))
        found = ec2.describe_network_interfaces(Filters=[{"Name": "group-id", "Values": [group]}])
        self.assertEqual(len(found["NetworkInterfaces"]), 1)
        self.refused("DependencyViolation", ec2.delete_security_group, GroupId=group)
        self.refused("DependencyViolation", ec2.delete_subnet, SubnetId=self.subnet)
        self.refused("DependencyViolation", ec2.delete_vpc, VpcId=self.vpc)
        self.refused("InvalidIPAddress.InUse", ec2.create_network_interface, SubnetId=self.subnet,
                     PrivateIpAddress=first["PrivateIpAddress"])
        ec2.delete_network_interface(NetworkInterfaceId=first["NetworkInterfaceId"])
        ec2.delete_security_group(GroupId=group)

    def test_tags_are_written_filtered_and_removed(self):
        ec2 = self.ec2
        group = self.group("tagged", TagSpecifications=[
            {"ResourceType": "security-group", "Tags": [{"Key": "Name", "Value": "prod-e-db"}]}])
        for pattern, hits in (("prod-*", 1), ("prod-?-db", 1), ("prod", 0)):
            found = ec2.describe_security_groups(Filters=[{"Name": "tag:Name", "Values": [pattern]}])
            self.assertEqual(len(found["SecurityGroups"]), hits, pattern)
        ec2.create_tags(Resources=[group, self.subnet], Tags=[{"Key": "env", "Value": "e"}])
        self.assertEqual(len(ec2.describe_tags(Filters=[{"Name": "key", "Values": ["env"]}])["Tags"]), 2)
        ec2.delete_tags(Resources=[group, self.subnet], Tags=[{"Key": "env"}])
        self.assertEqual(ec2.describe_tags(Filters=[{"Name": "tag-key", "Values": ["env"]}])["Tags"], [])
        self.refused("InvalidParameterValue", ec2.create_tags, Resources=[group],
                     Tags=[{"Key": "aws:x", "Value": "y"}])
        self.refused("InvalidSubnetID.NotFound", ec2.create_tags, Resources=["subnet-00000000"],
                     Tags=[{"Key": "x", "Value": "y"}])
        self.refused("InvalidParameterValue", ec2.create_security_group, VpcId=self.vpc, GroupName="t",
                     Description="t", TagSpecifications=[{"ResourceType": "vpc", "Tags": []}])

    def test_pages_follow_each_other(self):
        for number in range(7):
            self.group(f"page-{number}")
        everything = self.ec2.describe_security_groups()["SecurityGroups"]
        pages = self.ec2.get_paginator("describe_security_groups").paginate(PaginationConfig={"PageSize": 5})
        paged = [group["GroupId"] for page in pages for group in page["SecurityGroups"]]
        self.assertEqual(paged, [group["GroupId"] for group in everything])
        self.refused("InvalidNextToken", self.ec2.describe_vpcs, NextToken="nonsense", MaxResults=5)
        self.refused("InvalidParameterValue", self.ec2.describe_vpcs, Filters=[{"Name": "nonsense", "Values": ["1"]}])
        self.refused("InvalidParameterCombination", self.ec2.describe_vpcs, VpcIds=[self.vpc], MaxResults=5)
        self.refused("InvalidParameterValue", self.ec2.describe_tags, MaxResults=-1)

    def test_a_dry_run_changes_nothing(self):
        before = len(self.ec2.describe_vpcs()["Vpcs"])
        answer = self.refused("DryRunOperation", self.ec2.create_vpc, CidrBlock="10.203.0.0/16", DryRun=True)
        self.assertEqual(answer["ResponseMetadata"]["HTTPStatusCode"], 412)
        self.assertEqual(len(self.ec2.describe_vpcs()["Vpcs"]), before)

    def test_a_dry_run_refuses_what_the_real_call_would_refuse(self):
        ec2 = self.ec2
        self.refused("InvalidVpc.Range", ec2.create_vpc, CidrBlock="10.0.0.0/8", DryRun=True)
        self.refused("InvalidVpcID.NotFound", ec2.describe_vpcs, VpcIds=["vpc-00000000"], DryRun=True)
        self.refused("DependencyViolation", ec2.delete_vpc, VpcId=self.vpc, DryRun=True)
        group = self.group("dry")
        self.refused("DryRunOperation", ec2.delete_security_group, GroupId=group, DryRun=True)
        self.refused("DryRunOperation", ec2.describe_security_groups, GroupIds=[group], DryRun=True)
        ec2.delete_security_group(GroupId=group)

    def test_zones_regions_and_account(self):
        zones = self.ec2.describe_availability_zones(Filters=[{"Name": "state", "Values": ["available"]}])
        self.assertEqual(zones["AvailabilityZones"][0]["ZoneId"], "usw2-az1")
        self.assertEqual(self.ec2.describe_regions()["Regions"][0]["RegionName"], "us-west-2")
        account = self.ec2.describe_account_attributes(AttributeNames=["supported-platforms"])
        self.assertEqual(account["AccountAttributes"][0]["AttributeValues"][0]["AttributeValue"], "VPC")


if __name__ == "__main__":
    unittest.main()
