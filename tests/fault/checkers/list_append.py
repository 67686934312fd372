"""Transactions that append to lists and read them: is there an order of all of them that explains what each one saw?

A list says by itself in which order its values were appended, so the longest read of a key gives the order of its versions,
and from that follow the dependencies between transactions: ww (next version), wr (read it), rw (read the version before),
besides the order in a session and in real time. A cycle of them is an anomaly, named after its edges: G0 (ww only), G1c (ww
and wr), G-single (one rw), G2 (several). Without a cycle: G1a (read of what was aborted), G1b (read of a value in the middle
of a transaction), orders that do not agree with each other (an append lost, forked or done twice), and internal (a
transaction does not see what it did itself).

A transaction's value is [["append", key, value] | ["r", key, list or null], …], with what it read filled in when it is ok.
Every value is appended to a key at most once. All transactions are serializable, so all of these are violations.
"""

from . import graph
from .operation import FAIL, OK


def check(operations, limit=10):
    transactions = [o for o in operations if o.kind == "txn"]
    found = []
    committed = [o for o in transactions if o.state == OK]
    writers, aborted = _writers(transactions)
    for operation in committed:
        found += _internal(operation) + _dirty(operation, writers, aborted)
    orders, disagreements = _version_orders(committed)
    edges = _dependencies(committed, writers, orders)
    _session_order(committed, edges)
    _real_time_order(committed, edges)
    return (found + disagreements)[:limit] + graph.anomalies(edges)[:limit]


def _writers(transactions):
    """{(key, value): (transaction, is its last append to the key)}, and the same for aborted ones."""
    writers, aborted = {}, {}
    for operation in transactions:
        last = {}
        for kind, key, value in operation.value:
            if kind == "append":
                last[key] = value
                (aborted if operation.state == FAIL else writers)[key, value] = [operation, False]
        for key, value in last.items():
            (aborted if operation.state == FAIL else writers)[key, value][1] = True
    return writers, aborted


def _internal(operation):
    """What it reads again is what it read, and what it appended since."""
    known, own = {}, {}
    for kind, key, value in operation.value:
        if kind == "append":
            own.setdefault(key, []).append(value)
            if key in known:
                known[key] = known[key] + [value]
            continue
        value = value or []
        mine = own.get(key, [])
        if (key in known and value != known[key]) or (mine and value[-len(mine):] != mine):
            return [f"internal: key {key} reads {value} against its own doing: {operation}"]
        known[key] = value
    return []


def _dirty(operation, writers, aborted):
    found = []
    for key, value in _outer_reads(operation):
        for each in value:
            if (key, each) in aborted:
                found.append(f"G1a: read {each} of key {key}, which was aborted: {operation}; {aborted[key, each][0]}")
            elif (key, each) not in writers:
                found.append(f"phantom: {each} of key {key} was never appended: {operation}")
        if len(set(value)) != len(value):
            found.append(f"duplicate: key {key} reads {value}: {operation}")
        writer = writers.get((key, value[-1])) if value else None
        if writer and not writer[1] and writer[0] is not operation:
            found.append(f"G1b: read {value[-1]} of key {key} out of the middle of a transaction: {operation}; {writer[0]}")
    return found


def _outer_reads(operation):
    """(key, list) of its first read of each key, without what it had appended itself."""
    own, done = {}, set()
    for kind, key, value in operation.value:
        if kind == "append":
            own[key] = own.get(key, 0) + 1
        elif key not in done:
            done.add(key)
            value = value or []
            yield key, value[:len(value) - own.get(key, 0)]


def _version_orders(committed):
    """{key: the longest list read}; every other read must be a beginning of it."""
    reads = {}
    for operation in committed:
        for kind, key, value in operation.value:
            if kind == "r" and value:
                reads.setdefault(key, []).append((value, operation))
    orders, found = {}, []
    for key, of_key in reads.items():
        longest, by = max(of_key, key=lambda read: len(read[0]))
        orders[key] = longest
        for value, operation in of_key:
            if value != longest[:len(value)]:
                found.append(f"incompatible orders of key {key}: {value} and {longest}: {operation}; {by}")
                break
    return orders, found


def _dependencies(committed, writers, orders):
    edges = graph.Edges()
    unread = _unread(committed, orders)
    follower = {}  # (key, value or None at the start): who appended what comes next
    for key, order in orders.items():
        before = None
        for value in order:
            follower[key, before] = [writers[key, value][0]] if (key, value) in writers else []
            before = value
        follower[key, before] = unread.get(key, [])
    for key, later in unread.items():
        follower.setdefault((key, None), later)
    for (key, value), later in follower.items():
        if value is not None and (key, value) in writers:
            for each in later:
                edges.add(writers[key, value][0], each, "ww")
    for operation in committed:
        for key, value in _outer_reads(operation):
            last = value[-1] if value else None
            if last is not None and (key, last) in writers:
                edges.add(writers[key, last][0], operation, "wr")
            for each in follower.get((key, last), []):
                edges.add(operation, each, "rw")
    return edges


def _unread(committed, orders):
    """{key: acknowledged transactions whose append is in no read}: they come after all that was read."""
    seen = {(key, value) for key, order in orders.items() for value in order}
    unread = {}
    for operation in committed:
        for kind, key, value in operation.value:
            if kind == "append" and (key, value) not in seen:
                unread.setdefault(key, []).append(operation)
    return unread


def _session_order(committed, edges):
    last = {}
    for operation in sorted(committed, key=lambda o: o.begun):
        if operation.client in last:
            edges.add(last[operation.client], operation, "session")
        last[operation.client] = operation


def _real_time_order(committed, edges):
    """Who ended before another began, without what follows from others: only the last ones that had ended."""
    events = sorted([(o.begun, 0, i) for i, o in enumerate(committed)] + [(o.ended, 1, i) for i, o in enumerate(committed)])
    ended, before = set(), {}
    for _, ends, index in events:
        if not ends:
            before[index] = frozenset(ended)
            for each in ended:
                edges.add(committed[each], committed[index], "real-time")
        else:
            ended -= before.pop(index)
            ended.add(index)
