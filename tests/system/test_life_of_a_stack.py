"""prod-e through its life, driven by the clients that people have: AWS CLI 2.9, boto3, `howdah up`."""

import json
import os
import subprocess
import unittest

from harness import MASTER, ROOT, VERSION, Howdah, probe


class WithCloudFormation(unittest.TestCase):
    def setUp(self):
        self.howdah = Howdah().start()
        self.addCleanup(self.howdah.stop)

    def secret(self):
        value = self.howdah.client("secretsmanager").get_secret_value(SecretId="prod-e/db-credentials")
        return json.loads(value["SecretString"])

    def ask(self, query, *words):
        return self.howdah.cli("run", "--security-group", "ecs-security-group", "--secret", "prod-e/db-credentials",
                               *words, "--", "psql", "--no-psqlrc", "-At", "-c", query).stdout.strip()

    def check_the_stack(self):
        instance = self.howdah.describe("prod-e-db")
        self.assertEqual(instance["EngineVersion"], VERSION)
        self.assertTrue(instance["MultiAZ"])
        self.assertEqual({instance["AvailabilityZone"], instance["SecondaryAvailabilityZone"]},
                         {"us-west-2a", "us-west-2b"})
        self.assertEqual(self.ask("select current_database(), current_user"), f"appdb|{MASTER}")
        self.assertTrue(self.ask("select version()").startswith(f"PostgreSQL {VERSION} "))
        endpoint = instance["Endpoint"]
        self.assertFalse(probe(endpoint["Address"], endpoint["Port"]), "a stranger was let in")
        secret = self.secret()
        self.assertEqual((secret["username"], secret["dbname"], secret["host"]),
                         (MASTER, "appdb", endpoint["Address"]))
        for path in ("serve.log", "home/log/gateway.log"):
            log = self.howdah.base / path
            if log.exists():
                self.assertNotIn(secret["password"], log.read_text(errors="replace"))
        status = self.howdah.status()["Instances"][0]
        self.assertEqual({node["Role"] for node in status["Nodes"]}, {"primary", "standby"})

    def test_aws_cloudformation_deploy_and_delete_stack(self):
        template = self.howdah.template()
        self.howdah.aws("cloudformation", "deploy", "--stack-name", "prod-e", "--template-file", template)
        self.check_the_stack()
        again = self.howdah.aws("cloudformation", "deploy", "--stack-name", "prod-e", "--template-file", template,
                                "--no-fail-on-empty-changeset")
        self.assertIn("No changes to deploy", again.stdout + again.stderr)
        outputs = json.loads(self.howdah.aws("cloudformation", "describe-stacks", "--stack-name", "prod-e",
                                             "--output", "json").stdout)["Stacks"][0]["Outputs"]
        self.assertIn("DatabaseEndpoint", {output["OutputKey"] for output in outputs})
        self.howdah.aws("cloudformation", "delete-stack", "--stack-name", "prod-e")
        self.howdah.aws("cloudformation", "wait", "stack-delete-complete", "--stack-name", "prod-e")
        self.howdah.assert_nothing_left()
        self.assertEqual(self.howdah.processes.postgres(), [])
        self.assertEqual(self.howdah.rds.describe_db_instances()["DBInstances"], [])
        self.assertEqual([v for v in self.howdah.ec2.describe_vpcs()["Vpcs"] if not v["IsDefault"]], [])

    def test_howdah_up_psql_and_down(self):
        up = self.howdah.cli("up", self.howdah.template(), "--stack-name", "prod-e", timeout=180)
        self.assertIn("psql prod-e-db", up.stdout)
        self.check_the_stack()
        answer = self.howdah.cli("psql", "prod-e-db", "--", "--no-psqlrc", "-At", "-c", "select current_user")
        self.assertEqual(answer.stdout.strip(), MASTER)
        again = self.howdah.cli("up", self.howdah.template(), "--stack-name", "prod-e")
        self.assertIn("no changes", again.stderr)
        self.howdah.cli("down", "prod-e", timeout=180)
        self.howdah.assert_nothing_left()


class WithPlainCalls(unittest.TestCase):
    def test_create_sh_and_delete_sh(self):
        with Howdah() as howdah:
            environment = {**howdah.environment(), "PROD_E_NETWORK": f"10.{howdah.octet}"}
            self.run_script("create.sh", environment)
            instance = howdah.describe("prod-e-db")
            self.assertEqual(instance["DBInstanceStatus"], "available")
            answer = howdah.cli("run", "--security-group", "ecs-security-group", "--secret", "prod-e/db-credentials",
                                "--", "psql", "--no-psqlrc", "-At", "-c", "select version()").stdout
            self.assertTrue(answer.startswith(f"PostgreSQL {VERSION} "), answer)
            self.assertFalse(probe(instance["Endpoint"]["Address"], instance["Endpoint"]["Port"]))
            self.run_script("delete.sh", environment)
            self.run_script("delete.sh", environment)
            howdah.assert_nothing_left()

    def run_script(self, name, environment):
        done = subprocess.run([ROOT / "examples/prod-e" / name], env=environment, text=True, timeout=300,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.assertEqual(done.returncode, 0, done.stdout)


class WithBoto3(unittest.TestCase):
    def test_an_instance_through_its_life_with_waiters(self):
        with Howdah() as howdah:
            network = howdah.network()
            created = howdah.create_instance("db-1", network)
            self.assertEqual(created["DBInstanceStatus"], "creating")
            instance = howdah.await_available("db-1")
            howdah.admit_host(network["db"], instance)
            with howdah.connect(instance) as connection, connection.cursor() as cursor:
                cursor.execute("create table kept (n int); insert into kept values (1)")
            connection.close()
            self.assertEqual(howdah.rds.reboot_db_instance(DBInstanceIdentifier="db-1")
                             ["DBInstance"]["DBInstanceStatus"], "rebooting")
            howdah.await_available("db-1")
            howdah.rds.stop_db_instance(DBInstanceIdentifier="db-1")
            howdah.rds.get_waiter("db_instance_stopped").wait(
                DBInstanceIdentifier="db-1", WaiterConfig={"Delay": 1, "MaxAttempts": 60}) \
                if "db_instance_stopped" in howdah.rds.waiter_names else self.await_status(howdah, "stopped")
            self.assertEqual(howdah.processes.postgres(), [])
            howdah.rds.start_db_instance(DBInstanceIdentifier="db-1")
            howdah.await_available("db-1")
            with howdah.connect(howdah.describe("db-1")) as connection, connection.cursor() as cursor:
                cursor.execute("select n from kept")
                self.assertEqual(cursor.fetchall(), [(1,)])
            connection.close()
            with self.assertRaises(howdah.ec2.exceptions.ClientError) as refused:
                howdah.ec2.delete_security_group(GroupId=network["db"])
            self.assertEqual(refused.exception.response["Error"]["Code"], "DependencyViolation")
            howdah.delete_instance("db-1")
            howdah.assert_nothing_left()

    def await_status(self, howdah, status):
        from harness import eventually
        eventually(lambda: howdah.describe("db-1")["DBInstanceStatus"] == status, 60, status)


@unittest.skipUnless(os.geteuid() == 0, "only root can become another user")
class AsAnOrdinaryUser(unittest.TestCase):
    def test_nobody_can_run_everything(self):
        with Howdah(user="nobody") as howdah:
            network = howdah.network()
            howdah.create_instance("db-1", network)
            howdah.await_available("db-1")
            for process in howdah.processes.all():
                self.assertEqual(os.stat(f"/proc/{process['pid']}").st_uid, howdah.home.stat().st_uid, process)
            howdah.delete_instance("db-1")


if __name__ == "__main__":
    unittest.main()
