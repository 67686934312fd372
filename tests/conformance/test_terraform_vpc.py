"""Terraform with a usual VPC: applies, plans clean, changes, plans clean again, and destroys all of it.

Skipped where terraform or the provider is not installed: set HOWDAH_TF_PLUGINS to a directory that mirrors providers.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "system"))

from harness import Howdah, eventually  # noqa: E402  (after the path)

PLUGINS = pathlib.Path(os.environ.get("HOWDAH_TF_PLUGINS", "/opt/tf-plugins"))
TERRAFORM = shutil.which("terraform")


@unittest.skipUnless(TERRAFORM, "terraform is not installed")
@unittest.skipUnless(list(PLUGINS.glob("**/hashicorp/aws/*")), "the AWS provider is not installed")
class TerraformVpc(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.howdah = Howdah().start()
        cls.addClassCleanup(cls.howdah.stop)
        cls.work = cls.howdah.base / "terraform"
        shutil.copytree(HERE / "terraform" / "vpc", cls.work)
        (cls.work / "cli.tfrc").write_text(
            f'provider_installation {{\n  filesystem_mirror {{\n    path = "{PLUGINS}"\n  }}\n}}\n')
        cls.environment = {**cls.howdah.environment(), "TF_CLI_CONFIG_FILE": str(cls.work / "cli.tfrc"),
                           "TF_VAR_endpoint": cls.howdah.url, "TF_VAR_octet": str(cls.howdah.octet),
                           "TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1"}

    def terraform(self, *words, codes=(0,), **variables):
        done = subprocess.run(
            [TERRAFORM, *words], cwd=self.work, text=True, timeout=900, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            env={**self.environment, **{f"TF_VAR_{name}": value for name, value in variables.items()}})
        self.assertIn(done.returncode, codes, f"terraform {' '.join(words)}\n{done.stdout}")
        return done.stdout

    def plan_is_clean(self, **variables):
        self.terraform("plan", "-no-color", "-input=false", "-detailed-exitcode", **variables)

    def test_it_applies_plans_clean_changes_and_destroys(self):
        ec2 = self.howdah.ec2
        before = {vpc["VpcId"] for vpc in ec2.describe_vpcs()["Vpcs"]}
        self.terraform("init", "-no-color", "-input=false")
        self.terraform("apply", "-no-color", "-input=false", "-auto-approve")
        self.plan_is_clean()
        address = json.loads(self.terraform("output", "-json"))["nat_address"]["value"]
        self.assertTrue(address.startswith("203.0.113."))
        self.terraform("apply", "-no-color", "-input=false", "-auto-approve", environment="changed")
        self.plan_is_clean(environment="changed")
        tags = ec2.describe_tags(Filters=[{"Name": "value", "Values": ["changed"]}])["Tags"]
        self.assertIn("natgateway", {tag["ResourceType"] for tag in tags})
        self.terraform("destroy", "-no-color", "-input=false", "-auto-approve", environment="changed")
        self.assertEqual({vpc["VpcId"] for vpc in ec2.describe_vpcs()["Vpcs"]}, before)
        for call, name in ((ec2.describe_internet_gateways, "InternetGateways"), (ec2.describe_addresses, "Addresses"),
                           (ec2.describe_network_interfaces, "NetworkInterfaces")):
            eventually(lambda: not call()[name], 5, f"no {name} left")


if __name__ == "__main__":
    unittest.main()
