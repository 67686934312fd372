"""The repository's contract (src/repository/repository_contract.h) on a real S3 server: OpenStack Swift, from Debian.

The unit tests run the same contract on a small server of their own. This one checks each signature, and refuses
conditional requests, so that the way without them is taken.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import s3_server
from harness import Howdah, eventually

HERE = pathlib.Path(__file__).resolve().parent
PROGRAM = HERE.parents[1] / "build/release/bin/howdah_repository_test"

# Without conditions nobody can tell apart two writers of one name at the same moment.
NOT_WITHOUT_CONDITIONS = "OfManyThatPutOneNameAtOnceOneWins"


def unavailable():
    if not PROGRAM.is_file():
        return f"{PROGRAM} is not built"
    try:
        import swift  # noqa: F401
    except ImportError:
        return "python3-swift is not installed"
    with tempfile.NamedTemporaryFile() as file:
        try:
            os.setxattr(file.name, "user.howdah", b"1")
        except OSError:
            return f"{tempfile.gettempdir()} has no extended attributes, which Swift needs"
    return None


@unittest.skipIf(unavailable(), unavailable())
class S3(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.server = subprocess.Popen([sys.executable, HERE / "s3_server.py", directory.name], stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.end)
        line = self.server.stdout.readline()
        self.assertIn("listening on ", line)
        self.endpoint = "http://" + line.split()[-1]
        self.make_bucket()

    def end(self):
        self.server.terminate()
        self.server.wait()
        self.server.stdout.close()

    def make_bucket(self):
        import boto3
        from botocore.config import Config
        client = boto3.client("s3", endpoint_url=self.endpoint, aws_access_key_id=s3_server.ACCESS_KEY,
                              aws_secret_access_key=s3_server.SECRET_KEY, region_name="us-east-1",
                              config=Config(s3={"addressing_style": "path"}))
        client.create_bucket(Bucket=s3_server.BUCKET)

    def contract(self, bucket, secret, chosen):
        """Runs these tests of the contract: the exit code, and what they said."""
        place = f"s3://{bucket}/below/a.prefix?endpoint={self.endpoint}"
        done = subprocess.run([PROGRAM, f"--gtest_filter={chosen}"], text=True, timeout=300, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env={**os.environ, "HOWDAH_TEST_S3": place, "AWS_ACCESS_KEY_ID": s3_server.ACCESS_KEY,
                                   "AWS_SECRET_ACCESS_KEY": secret})
        return done.returncode, done.stdout

    def test_the_contract(self):
        code, said = self.contract(s3_server.BUCKET, s3_server.SECRET_KEY, f"RealS3/*-*{NOT_WITHOUT_CONDITIONS}*")
        self.assertEqual(code, 0, said)
        self.assertNotIn("SKIPPED", said)
        self.assertRegex(said, r"PASSED  \] \d\d tests")

    def test_backups_and_restores_through_the_product(self):
        """What the daemon archives and the recovering server reads: both through S3, with the keys of a file."""
        keys = tempfile.NamedTemporaryFile("w", prefix="keys-")
        self.addCleanup(keys.close)
        keys.write(f"[default]\naws_access_key_id = {s3_server.ACCESS_KEY}\naws_secret_access_key = {s3_server.SECRET_KEY}\n")
        keys.flush()
        if os.geteuid() == 0:
            shutil.chown(keys.name, "howdah")
        place = f"s3://{s3_server.BUCKET}/prod?endpoint={self.endpoint}&credentials={keys.name}"
        howdah = Howdah(options=["--repository", place])
        self.addCleanup(howdah.destroy)
        howdah.start()
        network = howdah.network()
        howdah.create_instance("source", network, BackupRetentionPeriod=1)
        source = howdah.await_available("source")
        howdah.admit_host(network["db"], source)
        with howdah.connect(source) as connection, connection.cursor() as cursor:
            cursor.execute("create table t as select generate_series(1, 1000) as n")
            cursor.execute("select clock_timestamp()")
            written = cursor.fetchone()[0]
        connection.close()
        eventually(lambda: howdah.describe("source").get("LatestRestorableTime", written) > written, 30, "the archive")
        howdah.rds.restore_db_instance_to_point_in_time(
            SourceDBInstanceIdentifier="source", TargetDBInstanceIdentifier="copy", UseLatestRestorableTime=True,
            DBSubnetGroupName="subnets", VpcSecurityGroupIds=[network["db"]])
        with howdah.connect(howdah.await_available("copy")) as connection, connection.cursor() as cursor:
            cursor.execute("select count(*) from t")
            self.assertEqual(cursor.fetchone(), (1000,))
        connection.close()
        verified = howdah.cli("backup", "verify", "--repository", place)
        self.assertIn("0 damages", verified.stdout)
        self.assertNotIn(s3_server.SECRET_KEY, howdah.log_tail(10000))
        howdah.stop()

    def test_a_place_without_keys_is_refused_at_the_start(self):
        howdah = Howdah(options=["--repository", f"s3://{s3_server.BUCKET}/prod?endpoint={self.endpoint}"])
        self.addCleanup(howdah.destroy)
        with self.assertRaises(AssertionError) as refused:
            howdah.start()
        self.assertIn("credentials=/path", str(refused.exception))

    def test_a_wrong_key_is_named(self):
        code, said = self.contract(s3_server.BUCKET, "another", "*WhatIsPutIsThere*")
        self.assertNotEqual(code, 0)
        self.assertIn("403 SignatureDoesNotMatch", said)
        self.assertNotIn("another", said)

    def test_a_bucket_that_is_missing_is_named(self):
        code, said = self.contract("missing", s3_server.SECRET_KEY, "*WhatIsNotThereIsNotFound*")
        self.assertNotEqual(code, 0)
        self.assertIn("404 NoSuchBucket", said)


if __name__ == "__main__":
    unittest.main()
