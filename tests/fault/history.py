"""What happened in a run, written down as it happens: operations and faults, one line of JSON each.

Times are of one clock, CLOCK_MONOTONIC, for all clients. Safe from any thread.
"""

import json
import pathlib
import threading
import time

from checkers.operation import Operation


def now():
    return time.monotonic_ns()


class History:
    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self._operations = open(self.directory / "history.jsonl", "w", buffering=1 << 16)
        self._faults = open(self.directory / "faults.jsonl", "w", buffering=1)
        self._lock = threading.Lock()
        self.acknowledged = {}  # workload: how many

    def record(self, operation):
        with self._lock:
            self._operations.write(operation.line() + "\n")
            if operation.state == "ok":
                self.acknowledged[operation.workload] = self.acknowledged.get(operation.workload, 0) + 1

    def fault(self, what, **more):
        with self._lock:
            self._faults.write(json.dumps({"at": now(), "wall": time.time(), "what": what, **more}) + "\n")

    def counts(self):
        with self._lock:
            return dict(self.acknowledged)

    def close(self):
        with self._lock:
            self._operations.close()
            self._faults.close()


def read(directory):
    with open(pathlib.Path(directory) / "history.jsonl") as lines:
        return [Operation.parse(line) for line in lines]
