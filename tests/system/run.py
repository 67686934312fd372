"""Runs the system tests: run.py [-k PATTERN]… ; the last line is 'N passed, N failed'."""

import argparse
import pathlib
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))


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


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-k", action="append", dest="patterns", help="only tests whose name has this in it")
    options = parser.parse_args()
    loader = unittest.TestLoader()
    if options.patterns:
        loader.testNamePatterns = [f"*{pattern}*" for pattern in options.patterns]
    suite = loader.discover(str(HERE), pattern="test_*.py")
    result = unittest.TextTestRunner(verbosity=2, resultclass=Result).run(suite)
    failed = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
    print(f"{result.passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
