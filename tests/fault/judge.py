"""What the checkers say of a history and of what was read back at the end."""

import bisect
import json

import history
from checkers import acked_set, bank, list_append, register, single_writer
from checkers.operation import Operation, of
from workloads import ACCOUNTS, FIRST_BALANCE


def judge(directory, report):
    """All checkers on a history."""
    operations = history.read(directory)
    final = json.loads((directory / "final.json").read_text())
    report.check("acked-set", acked_set.check(of(operations, "set", "insert"), [row[0] for row in final["set"]]))
    report.check("register", register.check(of(operations, "register") + _last_reads(final, operations)))
    report.check("bank", bank.check(of(operations, "bank", "read"), of(operations, "bank", "transfer"),
                                    dict.fromkeys(range(ACCOUNTS), FIRST_BALANCE), dict(map(tuple, final["account"])),
                                    final["ledger"]))
    report.check("list-append", list_append.check(of(operations, "list") + _last_transaction(final, operations)))
    report.check("single writer", single_writer.check(operations))
    report.check("something was done", [] if len(operations) > 100 else [f"only {len(operations)} operations"])


def outages(directory):
    """{fault: for each time it struck, the longest time in seconds without an acknowledgement until it was whole, sorted}."""
    acks = sorted(o.ended for o in history.read(directory) if o.state == "ok")
    faults = [json.loads(line) for line in (directory / "faults.jsonl").read_text().splitlines()]
    found, begun = {}, None
    for fault in faults:
        if fault["what"] == "begin":
            begun = fault["at"]
        elif fault["what"] == "whole" and begun:
            within = acks[bisect.bisect_left(acks, begun):bisect.bisect_right(acks, fault["at"]) + 1]
            times = [begun, *within]
            longest = max((b - a for a, b in zip(times, times[1:])), default=fault["at"] - begun)
            found.setdefault(fault["name"], []).append(longest / 1e9)
    return {name: sorted(times) for name, times in found.items()}


def _after(operations):
    return max((o.ended for o in operations), default=0) + 1


def _last_reads(final, operations):
    at = _after(operations)
    known = {o.value[0] for o in of(operations, "register")}
    there = dict(map(tuple, final["register"]))
    return [Operation("register", -1, "read", [key], at, at + 1, "ok", there.get(key)) for key in sorted(known)]


def _last_transaction(final, operations):
    at = _after(operations)
    known = {part[1] for o in of(operations, "list") for part in o.value}
    there = dict(map(tuple, final["list"]))
    parts = [["r", key, there.get(key, [])] for key in sorted(known)]
    return [Operation("list", -1, "txn", parts, at, at + 1, "ok")]
