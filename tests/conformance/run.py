#!/usr/bin/env python3
"""Runs the conformance tests; ends with the line 'N passed, N failed' and exit code 1 when one failed.

    /usr/bin/python3 tests/conformance/run.py [-k PATTERN] [-j N] [test_errors.py …]

Each file is a process of its own with daemons, ports and addresses of its own; two run at a time. What is skipped is
said at the end, with the reason.
"""

import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import threading
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "system")]

import counting  # noqa: E402

# What takes longest begins first.
LONG = ("test_terraform.py", "test_cli.py", "test_terraform_vpc.py", "test_lifecycle.py", "test_terraform_errors.py")
FIRST_OCTET, LAST_OCTET = 32, 249


def run_one(name, patterns):
    """One file, in this process."""
    loader = unittest.TestLoader()
    if patterns:
        loader.testNamePatterns = [f"*{pattern}*" for pattern in patterns]
    suite = loader.loadTestsFromName(name.removesuffix(".py"))
    result, failed = counting.run(suite)
    for test, reason in result.skipped:
        print(f"skipped {test.id()}: {reason}")
    print(f"{result.passed} passed, {failed} failed")
    return 1 if failed else 0


class Slots:
    """Hands each running file a part of the addresses that no other running file has."""

    def __init__(self, count):
        size = (LAST_OCTET + 1 - FIRST_OCTET) // count
        self._free = [f"{FIRST_OCTET + i * size}-{FIRST_OCTET + (i + 1) * size - 1}" for i in range(count)]
        self._lock = threading.Lock()

    def take(self):
        with self._lock:
            return self._free.pop()

    def give(self, part):
        with self._lock:
            self._free.append(part)


def run_file(name, patterns, slots, shared):
    """One file in a process of its own: (passed, failed, lines about what was skipped)."""
    part = slots.take()
    words = [word for pattern in patterns for word in ("-k", pattern)]
    done = subprocess.run([sys.executable, __file__, "--one", *words, name], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False,
                          env={**os.environ, "HOWDAH_TEST_OCTETS": part, "HOWDAH_TEST_SHARED": str(shared)})
    slots.give(part)
    print(f"-- {name}\n{done.stdout}", file=sys.stderr, flush=True)
    counts = re.search(r"^(\d+) passed, (\d+) failed$", done.stdout, re.MULTILINE)
    skipped = [line for line in done.stdout.splitlines() if line.startswith("skipped ")]
    if not counts:
        return 0, 1, skipped
    return int(counts[1]), int(counts[2]), skipped


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-k", action="append", dest="patterns", default=[], help="only tests with this in their name")
    parser.add_argument("-j", type=int, default=2, help="files at a time")
    parser.add_argument("--one", action="store_true", help="the file in this very process")
    parser.add_argument("files", nargs="*")
    options = parser.parse_args()
    if options.one:
        return run_one(options.files[0], options.patterns)
    files = options.files or sorted((path.name for path in HERE.glob("test_*.py")),
                                    key=lambda name: (LONG.index(name) if name in LONG else len(LONG), name))
    from harness import SHARED  # the program and the engines, copied once for all
    slots = Slots(options.j)
    with concurrent.futures.ThreadPoolExecutor(options.j) as pool:
        results = list(pool.map(lambda name: run_file(name, options.patterns, slots, SHARED), files))
    for _, _, skipped in results:
        for line in skipped:
            print(line)
    passed, failed = sum(r[0] for r in results), sum(r[1] for r in results)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
