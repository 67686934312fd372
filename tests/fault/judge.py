"""What the checkers say of a history, of what was read back at the end, and of what the witness saw: each invariant of the
failover by its name, as far as it can be seen from outside (docs/simulation.md has the list)."""

import bisect
import datetime
import json
import re

import history
import witness
from checkers import acked_set, bank, invariants, list_append, register, single_writer
from checkers.operation import Operation, of
from workloads import ACCOUNTS, FIRST_BALANCE


# Seconds. Silence is noticed after two, the budget is two more, and a loaded machine takes its time.
STANDBY_LOST = 8
# Of clients that ask several times a second each; the machine has its pauses.
HEALTHY = 2.5
LOG_LINE = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) \w+:.*?:\[(\d+)\]:WARNING:  cancel(.*)")


def judge(directory, report):
    """All checkers on a run."""
    operations = history.read(directory)
    final = json.loads((directory / "final.json").read_text())
    report.check("I1, I12: single writer", single_writer.check(operations))
    report.check("I2: acked-set", acked_set.check(of(operations, "set", "insert"), [row[0] for row in final["set"]]))
    report.check("I2, I11, I12: register", register.check(of(operations, "register") + _last_reads(final, operations)))
    report.check("I2: bank", bank.check(of(operations, "bank", "read"), of(operations, "bank", "transfer"),
                                        dict.fromkeys(range(ACCOUNTS), FIRST_BALANCE), dict(map(tuple, final["account"])),
                                        final["ledger"]))
    report.check("I2, I11, I12: list-append", list_append.check(of(operations, "list") + _last_transaction(final, operations)))
    report.check("something was done", [] if len(operations) > 100 else [f"only {len(operations)} operations"])
    faults = _faults(directory)
    report.check("I10: cut waits", invariants.i10(operations, _cut_waits(directory, faults)))
    report.check("I13: without control plane", invariants.i13(operations, faults, HEALTHY))
    report.check("I14: without standby", invariants.i14(operations, faults, STANDBY_LOST))
    report.check("I21: a full disk", invariants.i21(operations, faults, STANDBY_LOST))
    _judge_witnessed(directory, report, faults)


def _judge_witnessed(directory, report, faults):
    lines = witness.read(directory)
    if not lines:  # of before there was a witness
        return
    explained = json.loads((directory / "why.json").read_text())["RoleChanges"]
    for name, check in (("I3", invariants.i3), ("I4", invariants.i4), ("I5", invariants.i5), ("I6", invariants.i6),
                        ("I7", invariants.i7), ("I8", invariants.i8), ("I9", invariants.i9), ("I12", invariants.i12),
                        ("I17", invariants.i17), ("I18", invariants.i18), ("I20", invariants.i20), ("I22", invariants.i22)):
        report.check(f"{name}: the witness", check(lines))
    report.check("I15: servers live on", invariants.i15(lines, faults))
    report.check("I19: events and reasons", invariants.i19(lines, explained))
    report.check("the witness was awake", [] if len(invariants.records(lines)) >= 1 or not faults else ["it saw no record change"])


def _faults(directory):
    return [json.loads(line) for line in (directory / "faults.jsonl").read_text().splitlines()]


def _cut_waits(directory, faults):
    """(node, backend, when): the end of the second in which the server said that a wait was cut short, in the history's time."""
    if not faults:
        return []
    offset = faults[0]["at"] - faults[0]["wall"] * 1e9
    found = []
    for path in (directory / "logs").glob("*postgresql.log*"):
        node = re.search(r"n-[0-9a-f]+", path.name)
        for line in path.read_text(errors="replace").splitlines():
            said = LOG_LINE.match(line)
            if node and said and "wait for synchronous replication" in said[3]:
                second = datetime.datetime.fromisoformat(said[1]).replace(tzinfo=datetime.timezone.utc).timestamp()
                found.append((node[0], int(said[2]), (second + 1) * 1e9 + offset))
    return found


def outages(directory):
    """{fault: for each time it struck, the longest time in seconds without an acknowledgement until it was whole, sorted}."""
    acks = sorted(o.ended for o in history.read(directory) if o.state == "ok")
    found, begun = {}, None
    for fault in _faults(directory):
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
