"""What the checkers say of a history and of what was read back at the end."""

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
