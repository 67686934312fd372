"""The repository's contract (src/repository/repository_contract.h) on a real S3 server: OpenStack Swift, from Debian.

The unit tests run the same contract on a small server of their own. This one checks each signature, and refuses
conditional requests, so that the way without them is taken.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import s3_server

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
