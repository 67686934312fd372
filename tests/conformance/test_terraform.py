"""examples/prod-e/main.tf and a second instance through their life: applied, no difference, changed, renamed, no
difference, gone. The provider itself waits a minute after each change of an instance, so there are few of them."""

import json
import unittest

from harness import VERSION, Howdah, probe
from terraform import EXAMPLE, Terraform, unavailable

# A second instance beside the example's, with what the example leaves out.
SECOND = """
resource "aws_db_instance" "second" {
  identifier             = "second"
  engine                 = "postgres"
  engine_version         = var.engine_version
  instance_class         = "db.t3.micro"
  allocated_storage      = 20
  username               = "dbadmin"
  password               = "a-password-0"
  port                   = 5433
  db_subnet_group_name   = aws_db_subnet_group.this.name
  vpc_security_group_ids = [aws_security_group.db.id]
  availability_zone      = data.aws_availability_zones.available.names[1]
  copy_tags_to_snapshot  = true
  apply_immediately      = true
  skip_final_snapshot    = true
  tags                   = { Name = "second" }
}
"""


@unittest.skipIf(unavailable(), unavailable())
class ProdE(unittest.TestCase):
    def test_apply_change_rename_destroy(self):
        with Howdah() as howdah:
            terraform = Terraform(howdah, "prod-e", {"main.tf": EXAMPLE.read_text(), "second.tf": SECOND})
            terraform.apply()
            self.assertEqual(terraform.differences(), "")
            first = terraform.outputs()
            self.check_the_stack(howdah, first, terraform)
            changed = dict(identifier="prod-e-renamed", instance_class="db.t3.small", allocated_storage=30,
                           backup_window="01:00-02:00", maintenance_window="mon:03:00-mon:04:00",
                           password_version=2, tags={"Stack": "prod-e", "Stage": "two"})
            terraform.apply(**changed)
            self.assertEqual(terraform.differences(**changed), "")
            self.check_the_change(howdah, first, terraform)
            terraform.destroy(**changed)
            self.assertEqual(howdah.rds.describe_db_instances()["DBInstances"], [])
            self.assertEqual([v for v in howdah.ec2.describe_vpcs()["Vpcs"] if not v["IsDefault"]], [])
            self.assertEqual(howdah.client("secretsmanager").list_secrets()["SecretList"], [])
            howdah.assert_nothing_left()

    def check_the_stack(self, howdah, outputs, terraform):
        instance = howdah.describe("prod-e-db")
        self.assertEqual((instance["EngineVersion"], instance["MultiAZ"]), (VERSION, True))
        self.assertEqual(instance["DbiResourceId"], outputs["database_resource_id"])
        self.assertNotEqual(instance["DbiResourceId"], howdah.describe("second")["DbiResourceId"])
        self.assertEqual(self.ask(howdah, "prod-e-db"), "appdb|dbadmin")
        self.assertFalse(probe(outputs["database_endpoint"], outputs["database_port"]), "a stranger was let in")
        self.assertNotIn(self.password(howdah), terraform.state())

    def check_the_change(self, howdah, before, terraform):
        instance = howdah.describe("prod-e-renamed")
        self.assertEqual(instance["DbiResourceId"], before["database_resource_id"])
        self.assertEqual((instance["DBInstanceClass"], instance["AllocatedStorage"]), ("db.t3.small", 30))
        self.assertEqual({tag["Key"]: tag["Value"] for tag in instance["TagList"]},
                         {"Stack": "prod-e", "Stage": "two"})
        self.assertEqual(self.ask(howdah, "prod-e-renamed"), "appdb|dbadmin")  # with the second password

    @staticmethod
    def ask(howdah, name):
        return howdah.cli("run", "--security-group", "ecs-security-group", "--db", name, "--secret",
                          "prod-e/db-credentials", "--", "psql", "--no-psqlrc", "-At", "-c",
                          "select current_database(), current_user").stdout.strip()

    @staticmethod
    def password(howdah):
        secret = howdah.client("secretsmanager").get_secret_value(SecretId="prod-e/db-credentials")
        return json.loads(secret["SecretString"])["password"]


if __name__ == "__main__":
    unittest.main()
