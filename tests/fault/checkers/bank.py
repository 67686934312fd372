"""Money moves between accounts, and each transfer leaves a line in a ledger in the same transaction.

Every read of all balances sums up to the same total and has nothing below zero; at the end each balance is the first one
plus what the ledger says; acknowledged transfers are in the ledger. Finds torn transactions, copies mixed by a rejoin, and
(by the ledger) a transfer lost as a whole.
"""

import dataclasses

from . import acked_set
from .operation import OK


def check(reads, transfers, first, last, ledger):
    """first, last: {account: balance}; ledger: [(transfer id, from, to, amount)]. A transfer's value begins with its id."""
    total = sum(first.values())
    found = []
    for read in (o for o in reads if o.state == OK):
        balances = dict(read.result)
        if set(balances) != set(first):
            found.append(f"accounts {sorted(balances)} instead of {sorted(first)}: {read}")
        elif sum(balances.values()) != total:
            found.append(f"the total is {sum(balances.values())} instead of {total}: {read}")
        elif min(balances.values()) < 0:
            found.append(f"a balance below zero: {read}")
    return found[:10] + _check_end(transfers, first, last, ledger)


def _check_end(transfers, first, last, ledger):
    expected = dict(first)
    for _, source, target, amount in ledger:
        expected[source] -= amount
        expected[target] += amount
    found = [f"account {a} ends with {last.get(a)}, the ledger says {expected[a]}"
             for a in sorted(expected) if last.get(a) != expected[a]]
    ids = [_by_id(o) for o in transfers]
    return found + [f"transfer: {text}" for text in acked_set.check(ids, [line[0] for line in ledger])]


def _by_id(operation):
    return dataclasses.replace(operation, value=operation.value[0])
