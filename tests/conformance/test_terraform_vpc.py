"""Terraform with a network as VPC modules make it: applied, no difference, changed, no difference, and nothing left."""

import pathlib
import unittest

from harness import Howdah
from terraform import Terraform, unavailable

NETWORK = pathlib.Path(__file__).resolve().parent / "terraform/vpc/main.tf"


@unittest.skipIf(unavailable(), unavailable())
class UsualVpc(unittest.TestCase):
    def test_apply_change_destroy(self):
        with Howdah() as howdah:
            ec2 = howdah.ec2
            before = {vpc["VpcId"] for vpc in ec2.describe_vpcs()["Vpcs"]}
            terraform = Terraform(howdah, "network", {"main.tf": NETWORK.read_text()})
            terraform.apply()
            self.assertEqual(terraform.differences(), "")
            self.assertTrue(terraform.outputs()["nat_address"].startswith("203.0.113."))
            terraform.apply(environment="changed")
            self.assertEqual(terraform.differences(environment="changed"), "")
            tags = ec2.describe_tags(Filters=[{"Name": "value", "Values": ["changed"]}])["Tags"]
            self.assertIn("natgateway", {tag["ResourceType"] for tag in tags})
            terraform.destroy(environment="changed")
            self.assertEqual({vpc["VpcId"] for vpc in ec2.describe_vpcs()["Vpcs"]}, before)
            self.assertEqual(ec2.describe_internet_gateways()["InternetGateways"], [])
            self.assertEqual(ec2.describe_addresses()["Addresses"], [])
            self.assertEqual(ec2.describe_network_interfaces()["NetworkInterfaces"], [])


if __name__ == "__main__":
    unittest.main()
