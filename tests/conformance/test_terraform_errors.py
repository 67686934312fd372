"""What Terraform shows when something is wrong: Howdah's errors reach the person at the keyboard, and at once (a wrong
code or a 5xx would make the provider try again for minutes)."""

import time
import unittest

from harness import VERSION, Howdah, eventually
from terraform import Terraform, unavailable

PROVIDER = """
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
provider "aws" {}
variable "network" {}
"""


def instance(name, **wrong):
    """A DB instance as Terraform's text, with something wrong about it."""
    wish = {"identifier": name, "engine": "postgres", "engine_version": VERSION, "instance_class": "db.t3.micro",
            "allocated_storage": 20, "username": "dbadmin", "password": "a-password-0",
            "db_subnet_group_name": "subnets", "skip_final_snapshot": True, **wrong}

    def text(value):
        return str(value).lower() if isinstance(value, bool) else f'"{value}"'
    return (f'resource "aws_db_instance" "{name}" {{\n'
            + "".join(f"  {key} = {text(value)}\n" for key, value in wish.items()) + "}\n")


WRONG = {
    "version": (dict(engine_version="99.9"), "Cannot find version 99.9 for postgres"),
    "class": (dict(instance_class="db.bogus"), "DBInstanceClass=db.bogus"),
    "name": (dict(identifier="taken"), "DBInstanceAlreadyExists"),
    "user": (dict(username="rdsadmin"), "MasterUsername rdsadmin cannot be used as it is a reserved word"),
    "password": (dict(password="short77"), "MasterUserPassword"),
    "storage": (dict(allocated_storage=5), "Invalid storage size"),
    "subnets": (dict(db_subnet_group_name="none-such"), "DBSubnetGroupNotFoundFault"),
    "parameters": (dict(parameter_group_name="none-such"), "DBParameterGroupNotFound"),
    "encrypted": (dict(storage_encrypted=True), "StorageEncrypted"),
    "port": (dict(port=22), "port"),
}

OTHERS = """
resource "aws_subnet" "outside" {
  vpc_id     = "%s"
  cidr_block = "192.168.0.0/24"
}
resource "aws_secretsmanager_secret" "taken" {
  name = "taken"
}
resource "aws_db_subnet_group" "taken" {
  name       = "subnets"
  subnet_ids = ["%s", "%s"]
}
resource "aws_security_group" "taken" {
  name   = "db"
  vpc_id = "%s"
}
resource "aws_sqs_queue" "not_served" {
  name = "queue"
}
"""


@unittest.skipIf(unavailable(), unavailable())
class Refusals(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.howdah = Howdah().start()
        cls.addClassCleanup(cls.howdah.stop)
        cls.network = cls.howdah.network()
        cls.howdah.create_instance("taken", cls.network)
        cls.howdah.await_available("taken")

    def test_everything_wrong_at_once(self):
        self.howdah.client("secretsmanager").create_secret(Name="taken", SecretString="x")
        others = OTHERS % (self.network["vpc"], *self.network["subnets"], self.network["vpc"])
        terraform = Terraform(self.howdah, "wrong", {
            "main.tf": PROVIDER + others, "db.tf": "".join(instance(name, **wrong) for name, (wrong, _) in WRONG.items())})
        begun = time.monotonic()
        output = terraform.refused()
        self.assertLess(time.monotonic() - begun, 60, "something was tried again")
        for name, (_, says) in WRONG.items():
            self.assertIn(says, output, name)
        for says in ("InvalidSubnet.Range", "ResourceExistsException", "DBSubnetGroupAlreadyExists",
                     "InvalidGroup.Duplicate", "Howdah does not serve"):
            self.assertIn(says, output)
        self.assertEqual([i["DBInstanceIdentifier"] for i in self.howdah.rds.describe_db_instances()["DBInstances"]],
                         ["taken"])

    def test_import_and_deletion_protection(self):
        terraform = Terraform(self.howdah, "protected", {
            "main.tf": PROVIDER + instance("taken", deletion_protection=True)})
        terraform.run("import", "aws_db_instance.taken", "taken")
        self.howdah.rds.modify_db_instance(DBInstanceIdentifier="taken", DeletionProtection=True)
        eventually(lambda: self.howdah.describe("taken")["DeletionProtection"], 30, "deletion protection")
        self.howdah.await_available("taken")
        output = terraform.refused_to_destroy()
        self.assertIn("Cannot delete protected DB Instance, please disable deletion protection and try again", output)
        self.assertEqual(self.howdah.describe("taken")["DBInstanceStatus"], "available")
        self.howdah.rds.modify_db_instance(DBInstanceIdentifier="taken", DeletionProtection=False)
        self.howdah.await_available("taken")


if __name__ == "__main__":
    unittest.main()
