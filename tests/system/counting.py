"""How the test runners count: what passed, and how long each test took."""

import time
import unittest


class Result(unittest.TextTestResult):
    """Counts what passed, and says how long each took."""

    def __init__(self, *words):
        super().__init__(*words)
        self.passed = 0

    def startTest(self, test):
        self._begun = time.monotonic()
        super().startTest(test)

    def addSuccess(self, test):
        self.passed += 1
        super().addSuccess(test)

    def stopTest(self, test):
        self.stream.writeln(f"    {time.monotonic() - self._begun:.1f} s")
        super().stopTest(test)


def run(suite):
    """Runs it; (what the runner says of it, how many failed)."""
    result = unittest.TextTestRunner(verbosity=2, resultclass=Result).run(suite)
    failed = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
    return result, failed
