"""Runs the system tests: run.py [-k PATTERN]… ; the last line is 'N passed, N failed'."""

import argparse
import pathlib
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import counting  # noqa: E402


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-k", action="append", dest="patterns", help="only tests whose name has this in it")
    options = parser.parse_args()
    loader = unittest.TestLoader()
    if options.patterns:
        loader.testNamePatterns = [f"*{pattern}*" for pattern in options.patterns]
    suite = loader.discover(str(HERE), pattern="test_*.py")
    result, failed = counting.run(suite)
    print(f"{result.passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
