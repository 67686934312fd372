"""What a usual VPC has around its subnets: gateways, addresses, tables. Records with AWS's rules."""

import itertools
import json
import time
import unittest

from botocore.exceptions import ClientError

from harness import Howdah


def by(name, *values):
    return [{"Name": name, "Values": list(values)}]


def documented_filters(operation):
    """The filters that AWS's documentation lists for an operation, out of the installed model."""
    import re
    import boto3
    model = boto3.client("ec2", region_name="us-west-2").meta.service_model
    members = model.operation_model(operation).input_shape.members
    text = (members.get("Filters") or members["Filter"]).documentation
    items = re.findall(r"<li>\s*<p>\s*<code>([^<]+)</code>", text)
    return [i for i in items if "<" not in i and ":" not in i and i != "tag"]


class Ec2Network(unittest.TestCase):
    octets = itertools.count(40)

    @classmethod
    def setUpClass(cls):
        cls.howdah = Howdah().start()
        cls.addClassCleanup(cls.howdah.stop)
        cls.ec2 = cls.howdah.ec2

    def setUp(self):
        self.octet = next(self.octets)
        self.vpc = self.ec2.create_vpc(CidrBlock=f"10.{self.octet}.0.0/16")["Vpc"]["VpcId"]
        self.subnet = self.make_subnet(1)

    def make_subnet(self, number):
        return self.ec2.create_subnet(VpcId=self.vpc, CidrBlock=f"10.{self.octet}.{number}.0/24")["Subnet"]["SubnetId"]

    def make_gateway(self):
        gateway = self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        self.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=self.vpc)
        return gateway

    def make_table(self):
        return self.ec2.create_route_table(VpcId=self.vpc)["RouteTable"]["RouteTableId"]

    def table(self, table):
        return self.ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]

    def refused(self, code, call, text="", **arguments):
        with self.assertRaises(ClientError) as caught:
            call(**arguments)
        self.assertEqual(caught.exception.response["Error"]["Code"], code)
        self.assertIn(text, caught.exception.response["Error"]["Message"])

    def test_an_internet_gateway_is_attached_once_and_detached_before_it_goes(self):
        ec2, vpc = self.ec2, self.vpc
        gateway = ec2.create_internet_gateway(TagSpecifications=[
            {"ResourceType": "internet-gateway", "Tags": [{"Key": "Name", "Value": "igw"}]}])["InternetGateway"]
        self.assertEqual((gateway["Attachments"], gateway["Tags"]), ([], [{"Key": "Name", "Value": "igw"}]))
        name = gateway["InternetGatewayId"]
        ec2.get_waiter("internet_gateway_exists").wait(InternetGatewayIds=[name])
        self.refused("Gateway.NotAttached", ec2.detach_internet_gateway, InternetGatewayId=name, VpcId=vpc)
        ec2.attach_internet_gateway(InternetGatewayId=name, VpcId=vpc)
        self.refused("Resource.AlreadyAssociated", ec2.attach_internet_gateway, InternetGatewayId=name, VpcId=vpc)
        found = ec2.describe_internet_gateways(Filters=by("attachment.vpc-id", vpc))["InternetGateways"]
        self.assertEqual(found[0]["Attachments"], [{"State": "available", "VpcId": vpc}])
        ec2.delete_subnet(SubnetId=self.subnet)
        self.refused("DependencyViolation", ec2.delete_vpc, "has dependencies and cannot be deleted", VpcId=vpc)
        self.refused("DependencyViolation", ec2.delete_internet_gateway, InternetGatewayId=name)
        ec2.detach_internet_gateway(InternetGatewayId=name, VpcId=vpc)
        ec2.delete_internet_gateway(InternetGatewayId=name)
        self.refused("InvalidInternetGatewayID.NotFound", ec2.describe_internet_gateways, InternetGatewayIds=[name])
        ec2.delete_vpc(VpcId=vpc)

    def test_routes_are_made_replaced_and_deleted_and_say_where_they_end(self):
        ec2, table = self.ec2, self.make_table()
        self.refused("InvalidGatewayID.NotFound", ec2.create_route, RouteTableId=table,
                     DestinationCidrBlock="0.0.0.0/0", GatewayId="igw-00000000")
        gateway = self.make_gateway()
        ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
        ec2.create_route(RouteTableId=table, DestinationIpv6CidrBlock="::/0", GatewayId=gateway)
        self.refused("RouteAlreadyExists", ec2.create_route, "0.0.0.0/0 already exists", RouteTableId=table,
                     DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
        self.refused("InvalidParameterValue", ec2.create_route, RouteTableId=table, GatewayId=gateway,
                     DestinationCidrBlock=f"10.{self.octet}.0.0/16")
        self.refused("InvalidInstanceID.NotFound", ec2.create_route, RouteTableId=table, InstanceId="i-00000000",
                     DestinationCidrBlock="10.9.0.0/16")
        routes = self.table(table)["Routes"]
        self.assertEqual([r.get("GatewayId") for r in routes], ["local", gateway, gateway])
        self.assertEqual({r["State"] for r in routes}, {"active"})
        found = ec2.describe_route_tables(Filters=by("route.gateway-id", gateway))["RouteTables"]
        self.assertEqual([t["RouteTableId"] for t in found], [table])
        ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=self.vpc)
        self.assertEqual([r["State"] for r in self.table(table)["Routes"]], ["active", "blackhole", "blackhole"])
        interface = ec2.create_network_interface(SubnetId=self.subnet)["NetworkInterface"]["NetworkInterfaceId"]
        ec2.replace_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NetworkInterfaceId=interface)
        self.refused("InvalidParameterValue", ec2.replace_route, "Use CreateRoute instead", RouteTableId=table,
                     DestinationCidrBlock="10.9.0.0/16", NetworkInterfaceId=interface)
        self.assertEqual(self.table(table)["Routes"][1]["NetworkInterfaceId"], interface)
        ec2.delete_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0")
        self.refused("InvalidRoute.NotFound", ec2.delete_route, RouteTableId=table, DestinationCidrBlock="0.0.0.0/0")
        self.refused("InvalidParameterValue", ec2.delete_route, "cannot remove local route", RouteTableId=table,
                     DestinationCidrBlock=f"10.{self.octet}.0.0/16")

    def test_a_subnet_has_one_table_and_the_main_one_stays(self):
        ec2, table, other = self.ec2, self.make_table(), self.make_table()
        main = ec2.describe_route_tables(
            Filters=by("vpc-id", self.vpc) + by("association.main", "true"))["RouteTables"][0]
        association = ec2.associate_route_table(RouteTableId=table, SubnetId=self.subnet)
        self.assertEqual(association["AssociationState"]["State"], "associated")
        self.refused("Resource.AlreadyAssociated", ec2.associate_route_table, RouteTableId=other, SubnetId=self.subnet)
        self.refused("DependencyViolation", ec2.delete_route_table, RouteTableId=table)
        self.refused("DependencyViolation", ec2.delete_route_table, RouteTableId=main["RouteTableId"])
        found = ec2.describe_route_tables(
            Filters=by("association.route-table-association-id", association["AssociationId"]))["RouteTables"]
        self.assertEqual(found[0]["Associations"][0]["SubnetId"], self.subnet)
        moved = ec2.replace_route_table_association(AssociationId=association["AssociationId"], RouteTableId=other)
        ec2.delete_route_table(RouteTableId=table)
        ec2.disassociate_route_table(AssociationId=moved["NewAssociationId"])
        self.refused("InvalidAssociationID.NotFound", ec2.disassociate_route_table,
                     AssociationId=moved["NewAssociationId"])
        of_main = main["Associations"][0]["RouteTableAssociationId"]
        self.refused("InvalidParameterValue", ec2.disassociate_route_table, "main route table", AssociationId=of_main)
        ec2.replace_route_table_association(AssociationId=of_main, RouteTableId=other)
        ec2.delete_route_table(RouteTableId=main["RouteTableId"])
        self.refused("DependencyViolation", ec2.delete_route_table, RouteTableId=other)
        ec2.delete_subnet(SubnetId=self.subnet)
        ec2.delete_vpc(VpcId=self.vpc)

    def test_a_client_token_makes_one_table(self):
        known = self.ec2.meta.service_model.operation_model("CreateRouteTable").input_shape.members
        if "ClientToken" not in known:
            self.skipTest("the installed boto3 is older than this token")
        wish = {"VpcId": self.vpc, "ClientToken": f"token-{self.octet}"}
        made = {self.ec2.create_route_table(**wish)["RouteTable"]["RouteTableId"] for _ in range(2)}
        self.assertEqual(len(made), 1)
        other = self.ec2.create_vpc(CidrBlock=f"10.{next(self.octets)}.0.0/16")["Vpc"]["VpcId"]
        self.refused("IdempotentParameterMismatch", self.ec2.create_route_table, VpcId=other,
                     ClientToken=f"token-{self.octet}")

    def test_an_address_is_mapped_to_an_interface_and_holds_the_gateway(self):
        ec2 = self.ec2
        address = ec2.allocate_address(Domain="vpc")
        self.assertTrue(address["PublicIp"].startswith("203.0.113."))
        interface = ec2.create_network_interface(SubnetId=self.subnet)["NetworkInterface"]["NetworkInterfaceId"]
        wish = {"AllocationId": address["AllocationId"], "NetworkInterfaceId": interface}
        self.refused("Gateway.NotAttached", ec2.associate_address, **wish)
        gateway = self.make_gateway()
        association = ec2.associate_address(**wish)["AssociationId"]
        self.refused("Resource.AlreadyAssociated", ec2.associate_address, AllowReassociation=False, **wish)
        listed = ec2.describe_addresses(Filters=by("network-interface-id", interface))["Addresses"][0]
        self.assertEqual((listed["AssociationId"], listed["Domain"]), (association, "vpc"))
        seen = ec2.describe_network_interfaces(Filters=by("association.public-ip", address["PublicIp"]))
        self.assertEqual(seen["NetworkInterfaces"][0]["Association"]["AllocationId"], address["AllocationId"])
        attribute = ec2.describe_addresses_attribute(AllocationIds=[address["AllocationId"]], Attribute="domain-name")
        self.assertEqual(attribute["Addresses"][0]["PublicIp"], address["PublicIp"])
        self.refused("InvalidIPAddress.InUse", ec2.release_address, AllocationId=address["AllocationId"])
        self.refused("DependencyViolation", ec2.detach_internet_gateway, "mapped public address",
                     InternetGatewayId=gateway, VpcId=self.vpc)
        ec2.disassociate_address(AssociationId=association)
        ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=self.vpc)
        ec2.release_address(AllocationId=address["AllocationId"])
        self.refused("InvalidAllocationID.NotFound", ec2.describe_addresses, AllocationIds=[address["AllocationId"]])
        self.refused("InvalidAddress.NotFound", ec2.describe_addresses, PublicIps=["203.0.113.254"])

    def test_a_nat_gateway_comes_and_goes_as_waiters_expect(self):
        ec2, gateway, table = self.ec2, self.make_gateway(), self.make_table()
        address = ec2.allocate_address(Domain="vpc")["AllocationId"]
        self.refused("MissingParameter", ec2.create_nat_gateway, SubnetId=self.subnet)
        wish = {"SubnetId": self.subnet, "AllocationId": address, "ClientToken": f"nat-{self.octet}"}
        made = ec2.create_nat_gateway(**wish)["NatGateway"]
        nat = made["NatGatewayId"]
        self.assertEqual(made["State"], "pending")
        self.assertEqual(ec2.create_nat_gateway(**wish)["NatGateway"]["NatGatewayId"], nat)
        self.refused("Resource.AlreadyAssociated", ec2.create_nat_gateway, SubnetId=self.subnet, AllocationId=address)
        ec2.get_waiter("nat_gateway_available").wait(NatGatewayIds=[nat], WaiterConfig={"Delay": 1})
        ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=nat)
        interface = ec2.describe_network_interfaces(
            Filters=by("interface-type", "nat_gateway") + by("subnet-id", self.subnet))
        self.assertEqual(interface["NetworkInterfaces"][0]["Description"], f"Interface for NAT Gateway {nat}")
        self.refused("DependencyViolation", ec2.delete_subnet, SubnetId=self.subnet)
        ec2.delete_nat_gateway(NatGatewayId=nat)
        state = ec2.describe_nat_gateways(NatGatewayIds=[nat])["NatGateways"][0]["State"]
        self.assertIn(state, ("deleting", "deleted"))
        ec2.get_waiter("nat_gateway_deleted").wait(NatGatewayIds=[nat], WaiterConfig={"Delay": 1})
        self.assertEqual(self.table(table)["Routes"][1]["State"], "blackhole")
        found = ec2.describe_nat_gateways(Filter=by("vpc-id", self.vpc) + by("state", "deleted"))["NatGateways"]
        self.assertEqual([n["NatGatewayId"] for n in found], [nat])
        ec2.release_address(AllocationId=address)
        ec2.delete_subnet(SubnetId=self.subnet)
        ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=self.vpc)
        private = ec2.create_nat_gateway(SubnetId=self.make_subnet(2), ConnectivityType="private")["NatGateway"]
        self.assertNotIn("PublicIp", private["NatGatewayAddresses"][0])
        self.refused("NatGatewayNotFound", ec2.describe_nat_gateways, NatGatewayIds=["nat-00000000"])

    def test_an_acl_keeps_what_allows_and_refuses_what_denies(self):
        ec2 = self.ec2
        acl = ec2.describe_network_acls(Filters=by("vpc-id", self.vpc))["NetworkAcls"][0]["NetworkAclId"]
        entry = {"NetworkAclId": acl, "RuleNumber": 100, "Protocol": "-1", "RuleAction": "allow", "Egress": False}
        self.refused("NetworkAclEntryAlreadyExists", ec2.create_network_acl_entry, CidrBlock="0.0.0.0/0", **entry)
        ec2.delete_network_acl_entry(NetworkAclId=acl, RuleNumber=100, Egress=False)
        self.refused("InvalidNetworkAclEntry.NotFound", ec2.delete_network_acl_entry, NetworkAclId=acl, RuleNumber=100,
                     Egress=False)
        ec2.create_network_acl_entry(CidrBlock="0.0.0.0/0", PortRange={"From": 0, "To": 0}, **entry)
        ec2.create_network_acl_entry(Ipv6CidrBlock="::/0", **{**entry, "RuleNumber": 101})
        self.refused("UnsupportedOperation", ec2.create_network_acl_entry, CidrBlock="10.0.0.0/8",
                     **{**entry, "RuleNumber": 90, "RuleAction": "deny"})
        entries = ec2.describe_network_acls(NetworkAclIds=[acl])["NetworkAcls"][0]["Entries"]
        self.assertEqual(sorted(e["RuleNumber"] for e in entries if not e["Egress"]), [100, 101, 32767])

    def test_attributes_of_interfaces(self):
        ec2 = self.ec2
        interface = ec2.create_network_interface(SubnetId=self.subnet)["NetworkInterface"]["NetworkInterfaceId"]
        group = ec2.create_security_group(VpcId=self.vpc, GroupName="other", Description="other")["GroupId"]
        ec2.modify_network_interface_attribute(NetworkInterfaceId=interface, Description={"Value": "mine"})
        ec2.modify_network_interface_attribute(NetworkInterfaceId=interface, SourceDestCheck={"Value": False})
        ec2.modify_network_interface_attribute(NetworkInterfaceId=interface, Groups=[group])
        look = lambda name: ec2.describe_network_interface_attribute(NetworkInterfaceId=interface, Attribute=name)
        self.assertEqual(look("description")["Description"]["Value"], "mine")
        self.assertFalse(look("sourceDestCheck")["SourceDestCheck"]["Value"])
        self.assertEqual(look("groupSet")["Groups"], [{"GroupId": group, "GroupName": "other"}])
        self.refused("InvalidParameterCombination", ec2.modify_network_interface_attribute, NetworkInterfaceId=interface,
                     Description={"Value": "x"}, Groups=[group])
        self.refused("InvalidInstanceID.NotFound", ec2.attach_network_interface, NetworkInterfaceId=interface,
                     InstanceId="i-00000000", DeviceIndex=1)
        self.refused("InvalidAttachmentID.NotFound", ec2.detach_network_interface, AttachmentId="eni-attach-0")

    def test_what_there_is_none_of(self):
        ec2 = self.ec2
        self.assertEqual(ec2.describe_dhcp_options()["DhcpOptions"], [])
        self.assertEqual(ec2.describe_prefix_lists()["PrefixLists"], [])
        self.assertEqual(ec2.describe_managed_prefix_lists()["PrefixLists"], [])
        self.assertEqual(ec2.describe_vpc_endpoints(Filters=by("vpc-id", self.vpc))["VpcEndpoints"], [])
        self.refused("InvalidDhcpOptionID.NotFound", ec2.describe_dhcp_options, DhcpOptionsIds=["dopt-1"])
        self.refused("DefaultVpcAlreadyExists", ec2.create_default_vpc)
        gone = ec2.delete_vpc_endpoints(VpcEndpointIds=["vpce-1"])["Unsuccessful"]
        self.assertEqual(gone[0]["Error"]["Code"], "InvalidVpcEndpointId.NotFound")

    def test_every_filter_that_aws_documents_is_known(self):
        for operation in ("Vpcs", "Subnets", "SecurityGroups", "SecurityGroupRules", "NetworkInterfaces", "NetworkAcls",
                          "RouteTables", "InternetGateways", "NatGateways", "Addresses", "AvailabilityZones", "Regions",
                          "Tags", "DhcpOptions", "VpcEndpoints"):
            names = documented_filters("Describe" + operation)
            self.assertTrue(names, operation)
            name = "".join("_" + c.lower() if c.isupper() else c for c in "Describe" + operation)[1:]
            call = getattr(self.ec2, name)
            member = "Filter" if operation == "NatGateways" else "Filters"
            for each in names:
                with self.subTest(operation=operation, filter=each):
                    call(**{member: by(each, "no-such-value")})
            with self.subTest(operation=operation):
                self.refused("InvalidParameterValue", call, "The filter 'nonsense' is invalid",
                             **{member: by("nonsense", "x")})

    def test_the_command_line_follows_pages_and_filters(self):
        for _ in range(7):
            self.make_table()
        words = ("ec2", "describe-route-tables", "--page-size", "5", "--filters", f"Name=vpc-id,Values={self.vpc}")
        tables = json.loads(self.howdah.aws(*words).stdout)["RouteTables"]
        self.assertEqual(len(tables), 8)
        self.assertEqual(len({t["RouteTableId"] for t in tables}), 8)

    def test_a_thousand_objects_stay_fast(self):
        ec2 = self.ec2
        groups = [ec2.create_security_group(VpcId=self.vpc, GroupName=f"g{i}", Description="g")["GroupId"]
                  for i in range(300)]
        self.assertEqual(len(ec2.describe_security_groups(Filters=by("vpc-id", self.vpc))["SecurityGroups"]), 301)

        def usual(call, **arguments):
            times = []
            for _ in range(10):
                begun = time.monotonic()
                call(**arguments)
                times.append(time.monotonic() - begun)
            return sorted(times)[5]

        self.assertLess(usual(ec2.describe_security_groups, GroupIds=groups[:1]), 0.5)
        self.assertLess(usual(ec2.describe_security_group_rules, Filters=by("group-id", groups[0])), 0.5)


if __name__ == "__main__":
    unittest.main()
