"""Each constraint of the models, violated: AWS's code for the service, and a text that names the parameter.

The requests are signed but not validated by any client, so they are what a hostile or broken one would send.
"""

import unittest

from harness import Howdah
from violations import violations
from wire import Model, Wire

CODES = {
    "rds": {"missing": {"MissingParameter"}, "other": {"InvalidParameterValue", "ValidationError"}},
    "sts": {"missing": {"MissingParameter"}, "other": {"InvalidParameterValue", "ValidationError"}},
    "ec2": {"missing": {"MissingParameter"}, "other": {"InvalidParameterValue"}},
    "cloudformation": {"missing": {"ValidationError"}, "other": {"ValidationError"}},
    "secretsmanager": {"missing": {"ValidationException", "InvalidParameterException"},
                       "other": {"ValidationException", "InvalidParameterException", "SerializationException"}},
}


class Constraints(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.howdah = Howdah().start()
        cls.addClassCleanup(cls.howdah.stop)
        cls.wire = Wire(cls.howdah)
        cls.addClassCleanup(cls.wire.close)

    def wrong(self, name, violation, answer):
        """What is wrong with an answer, or None."""
        codes = CODES[name]["missing" if violation.what == "missing" else "other"]
        if answer.status != 400 or answer.code not in codes:
            return f"{violation}: {answer}"
        if violation.member.lower() not in (answer.message or "").lower():
            return f"{violation}: the message does not name it: {answer}"
        return None

    def check(self, name):
        model = Model(name)
        tried, found = 0, []
        for operation in sorted(model.operations):
            for violation in violations(model, operation):
                tried += 1
                wrong = self.wrong(name, violation, self.wire.call(model, operation, violation.value))
                if wrong:
                    found.append(wrong)
        self.assertEqual(found, [], f"{len(found)} of {tried}:\n" + "\n".join(found))
        return tried

    def test_rds(self):
        self.assertGreater(self.check("rds"), 100)

    def test_ec2(self):
        self.assertGreater(self.check("ec2"), 100)

    def test_secretsmanager(self):
        self.assertGreater(self.check("secretsmanager"), 100)

    def test_cloudformation(self):
        self.assertGreater(self.check("cloudformation"), 100)

    def test_sts(self):
        self.check("sts")


if __name__ == "__main__":
    unittest.main()
