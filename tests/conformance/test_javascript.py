"""The AWS SDK for JavaScript v3: `js/conformance.js` does the work, this starts a daemon for it and counts its checks."""

import pathlib
import shutil
import subprocess
import unittest

from harness import VERSION, Howdah

JS = pathlib.Path(__file__).resolve().parent / "js"


def unavailable():
    if not shutil.which("node"):
        return "node is not installed"
    if not (JS / "node_modules/@aws-sdk/client-rds").is_dir():
        return "the SDK is not installed: npm ci in tests/conformance/js"
    return None


@unittest.skipIf(unavailable(), unavailable())
class JavaScript(unittest.TestCase):
    def test_the_sdk(self):
        with Howdah() as howdah:
            done = subprocess.run(["node", "conformance.js"], cwd=JS, text=True, timeout=300, check=False,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  env={**howdah.environment(), "OCTET": str(howdah.octet), "ENGINE_VERSION": VERSION})
            self.assertEqual(done.returncode, 0, done.stdout)
            self.assertIn("everything passed", done.stdout)
            howdah.assert_nothing_left()


if __name__ == "__main__":
    unittest.main()
