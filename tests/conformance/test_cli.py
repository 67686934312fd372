"""The AWS CLI: a life of an instance by hand, waiters, pages, queries, exit codes."""

import json
import unittest

from harness import VERSION, Howdah

# The CLI's own waiters look every 30 seconds; our instances are up long before the second look.
SERVICE_ERROR = 254


class Cli(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.howdah = Howdah().start()
        cls.addClassCleanup(cls.howdah.stop)
        cls.network = cls.howdah.network()

    def aws(self, *words):
        """The answer as JSON, or nothing where the operation has none."""
        output = self.howdah.aws(*words, "--output", "json").stdout
        return json.loads(output) if output.strip() else None

    def refused(self, code, *words):
        done = self.howdah.aws(*words, check=False)
        self.assertEqual(done.returncode, SERVICE_ERROR, done.stdout + done.stderr)
        self.assertIn(f"An error occurred ({code})", done.stderr)

    def test_an_instance(self):
        created = self.aws("rds", "create-db-instance", "--db-instance-identifier", "cli-db", "--engine", "postgres",
                           "--engine-version", VERSION, "--db-instance-class", "db.t3.micro", "--allocated-storage", "20",
                           "--master-username", "dbadmin", "--master-user-password", "a-password-0",
                           "--db-subnet-group-name", "subnets", "--vpc-security-group-ids", self.network["db"],
                           "--backup-retention-period", "0", "--no-multi-az", "--no-publicly-accessible",
                           "--tags", "Key=Stage,Value=cli")["DBInstance"]
        self.assertEqual(created["DBInstanceStatus"], "creating")
        self.aws("rds", "wait", "db-instance-available", "--db-instance-identifier", "cli-db")
        text = self.howdah.aws("rds", "describe-db-instances", "--filters",
                               f"Name=dbi-resource-id,Values={created['DbiResourceId']}", "--output", "text",
                               "--query", "DBInstances[].[DBInstanceIdentifier,DBInstanceStatus,Endpoint.Port]").stdout
        self.assertEqual(text.split(), ["cli-db", "available", "5432"])
        tags = self.aws("rds", "list-tags-for-resource", "--resource-name", created["DBInstanceArn"])["TagList"]
        self.assertEqual(tags, [{"Key": "Stage", "Value": "cli"}])
        self.refused("DBInstanceNotFound", "rds", "describe-db-instances", "--db-instance-identifier", "none")
        self.refused("InvalidParameterCombination", "rds", "delete-db-instance", "--db-instance-identifier", "cli-db")
        deleted = self.aws("rds", "delete-db-instance", "--db-instance-identifier", "cli-db", "--skip-final-snapshot")
        self.assertEqual(deleted["DBInstance"]["DBInstanceStatus"], "deleting")
        self.aws("rds", "wait", "db-instance-deleted", "--db-instance-identifier", "cli-db")
        self.assertEqual(self.aws("rds", "describe-db-instances")["DBInstances"], [])

    def test_pages(self):
        every = self.aws("rds", "describe-db-parameters", "--db-parameter-group-name", "default.postgres14",
                         "--page-size", "20")["Parameters"]
        first = self.aws("rds", "describe-db-parameters", "--db-parameter-group-name", "default.postgres14",
                         "--page-size", "20", "--max-items", "25")
        rest = self.aws("rds", "describe-db-parameters", "--db-parameter-group-name", "default.postgres14",
                        "--page-size", "20", "--starting-token", first["NextToken"])
        self.assertEqual(first["Parameters"] + rest["Parameters"], every)

    def test_a_secret(self):
        password = self.aws("secretsmanager", "get-random-password", "--password-length", "40",
                            "--exclude-punctuation")["RandomPassword"]
        self.assertRegex(password, "^[A-Za-z0-9]{40}$")
        self.aws("secretsmanager", "create-secret", "--name", "cli/secret", "--secret-string", password)
        self.assertEqual(self.aws("secretsmanager", "get-secret-value", "--secret-id", "cli/secret")["SecretString"],
                         password)
        self.refused("ResourceExistsException", "secretsmanager", "create-secret", "--name", "cli/secret",
                     "--secret-string", "x")
        self.aws("secretsmanager", "delete-secret", "--secret-id", "cli/secret", "--force-delete-without-recovery")
        self.refused("ResourceNotFoundException", "secretsmanager", "describe-secret", "--secret-id", "cli/secret")

    def test_the_network(self):
        vpc = self.network["vpc"]
        groups = self.aws("ec2", "describe-security-groups", "--filters", f"Name=vpc-id,Values={vpc}",
                          "--query", "SecurityGroups[].GroupName")
        self.assertEqual(sorted(groups), ["app", "db", "default"])
        self.aws("ec2", "wait", "vpc-available", "--vpc-ids", vpc)
        self.aws("ec2", "create-tags", "--resources", vpc, "--tags", "Key=Name,Value=by hand")
        tags = self.aws("ec2", "describe-tags", "--filters", f"Name=resource-id,Values={vpc}")["Tags"]
        self.assertEqual([(tag["Key"], tag["Value"], tag["ResourceType"]) for tag in tags], [("Name", "by hand", "vpc")])
        self.refused("InvalidGroup.NotFound", "ec2", "delete-security-group", "--group-id", "sg-00000000000000000")

    def test_what_is_not_served(self):
        self.refused("InvalidAction", "rds", "describe-db-clusters")
        self.refused("InvalidAction", "ec2", "describe-instances")
        self.refused("InvalidAction", "iam", "list-users")
        self.refused("UnknownOperationException", "dynamodb", "list-tables")

    def test_who_asks(self):
        who = self.aws("sts", "get-caller-identity")
        self.assertRegex(who["Arn"], rf"^arn:aws:(iam|sts)::{who['Account']}:")


if __name__ == "__main__":
    unittest.main()
