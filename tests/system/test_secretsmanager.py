"""Secrets Manager as boto3 sees it: the whole of a secret's life, its pages and its refusals."""

import unittest

import botocore.exceptions

from harness import Howdah


class SecretsManager(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.howdah = Howdah().start()
        cls.addClassCleanup(cls.howdah.stop)
        cls.secrets = cls.howdah.client("secretsmanager")

    def refused(self, code, operation, **more):
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            getattr(self.secrets, operation)(**more)
        error = caught.exception.response
        self.assertEqual((error["Error"]["Code"], error["ResponseMetadata"]["HTTPStatusCode"]), (code, 400))
        self.assertTrue(error["Error"]["Message"] and error["ResponseMetadata"]["RequestId"])

    def test_a_secrets_life(self):
        made = self.secrets.create_secret(Name="life/db", SecretString="one", Description="d", Tags=[{"Key": "a", "Value": "b"}])
        self.secrets.put_secret_value(SecretId="life/db", SecretBinary=b"\x00\x01", VersionStages=["AWSCURRENT", "mine"])
        self.assertEqual(self.secrets.get_secret_value(SecretId=made["ARN"])["SecretBinary"], b"\x00\x01")
        before = self.secrets.get_secret_value(SecretId=made["ARN"][:-7], VersionStage="AWSPREVIOUS")
        self.assertEqual((before["SecretString"], before["VersionId"]), ("one", made["VersionId"]))
        self.secrets.update_secret(SecretId="life/db", Description="e")
        described = self.secrets.describe_secret(SecretId="life/db")
        listed = self.secrets.list_secrets(Filters=[{"Key": "name", "Values": ["life/"]}])["SecretList"][0]
        for field in ("ARN", "Name", "Description", "CreatedDate", "LastChangedDate", "LastAccessedDate", "Tags"):
            self.assertEqual(described[field], listed[field], field)
        self.assertEqual(described["VersionIdsToStages"], listed["SecretVersionsToStages"])
        self.assertNotIn("ResourcePolicy", self.secrets.get_resource_policy(SecretId="life/db"))
        self.secrets.delete_secret(SecretId="life/db", RecoveryWindowInDays=7)
        self.refused("InvalidRequestException", "get_secret_value", SecretId="life/db")
        self.refused("InvalidRequestException", "create_secret", Name="life/db", SecretString="x")
        self.secrets.restore_secret(SecretId="life/db")
        self.secrets.delete_secret(SecretId="life/db", ForceDeleteWithoutRecovery=True)
        self.refused("ResourceNotFoundException", "describe_secret", SecretId="life/db")

    def test_pages_of_both_lists(self):
        for number in range(7):
            self.secrets.create_secret(Name=f"page/{number}", SecretString="x")
        pages = self.secrets.get_paginator("list_secrets").paginate(
            Filters=[{"Key": "name", "Values": ["page/"]}], SortOrder="desc", PaginationConfig={"PageSize": 2})
        names = [entry["Name"] for page in pages for entry in page["SecretList"]]
        self.assertEqual(names, [f"page/{number}" for number in reversed(range(7))])

    def test_what_is_not_kept_is_refused(self):
        self.secrets.create_secret(Name="plain", SecretString="x")
        self.refused("ValidationException", "create_secret", Name="with blank")
        self.refused("UnknownOperationException", "put_resource_policy", SecretId="plain", ResourcePolicy="{}")
        self.refused("UnknownOperationException", "rotate_secret", SecretId="plain")
        self.refused("UnknownOperationException", "replicate_secret_to_regions", SecretId="plain",
                     AddReplicaRegions=[{"Region": "eu-west-1"}])
        self.refused("InvalidParameterException", "create_secret", Name="k", SecretString="x", KmsKeyId="alias/mine")


if __name__ == "__main__":
    unittest.main()
