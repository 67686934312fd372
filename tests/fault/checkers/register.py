"""One row that is read, written and compared-and-set: is there an order of all operations that agrees with real time?

Walks over calls and returns in time and keeps every state that the row may be in, with the set of operations in flight
that already took effect in it (Lowe's and Knossos' way). Finds stale reads after a failover and reads from two primaries.
An operation of unknown outcome stays in flight for ever, so a key must have few operations: the workload sees to that.
"""

from .operation import FAIL, INFO, OK

MOST_STATES = 50_000


def check(operations):
    """operations: values are (key, …); kinds read (result: the value), write (value), cas (old, new; result: done)."""
    keys = {}
    for operation in operations:
        if operation.state != FAIL and not (operation.kind == "read" and operation.state == INFO):
            keys.setdefault(operation.value[0], []).append(operation)
    found = [_check_key(key, _without_unseen(of_key)) for key, of_key in sorted(keys.items())]
    return [text for text in found if text]


def _without_unseen(operations):
    """Without unknown writes whose value nobody ever saw: whether they happened makes no difference."""
    seen = {o.result for o in operations if o.kind == "read"} | {o.value[1] for o in operations if o.kind == "cas"}
    unequal = any(o.kind == "cas" and o.result is False for o in operations)
    if unequal:
        return operations
    return [o for o in operations if o.state == OK or _written(o) in seen]


def _written(operation):
    return operation.value[-1]


def _apply(operation, state):
    """The states after it, none if it cannot have happened in this one."""
    if operation.kind == "read":
        return [state] if operation.result == state else []
    if operation.kind == "write":
        return [operation.value[1]]
    _, old, new = operation.value
    if operation.state == INFO:
        return [new] if state == old else []
    return ([new] if state == old else []) if operation.result else ([state] if state != old else [])


def _events(operations):
    """(time, is a return, index); at one moment calls come first, which allows more and so accuses nobody wrongly."""
    events = []
    for index, operation in enumerate(operations):
        events.append((operation.begun, 0, index))
        if operation.state == OK:
            events.append((operation.ended, 1, index))
    return sorted(events)


def _check_key(key, operations):
    states = {(None, 0)}  # a row that is not there, nothing in flight has taken effect
    in_flight = set()
    for _, returns, index in _events(operations):
        if not returns:
            in_flight.add(index)
            continue
        states = _with_effect(states, operations, in_flight, index)
        if states is None:
            return f"key {key}: too many unknown outcomes to decide"
        in_flight.discard(index)
        if not states:
            return f"key {key}: no order explains {operations[index]}; before it: " + "; ".join(
                str(o) for o in sorted(operations, key=lambda o: o.begun) if o.begun < operations[index].ended)[-1500:]
    return None


def _with_effect(states, operations, in_flight, wanted):
    """All states that can be reached in which `wanted` has taken effect; it is then forgotten."""
    reached, work, results = set(states), list(states), set()
    while work:
        value, done = work.pop()
        if done >> wanted & 1:
            results.add((value, done & ~(1 << wanted)))
            continue
        for index in in_flight:
            if done >> index & 1:
                continue
            for after in _apply(operations[index], value):
                state = (after, done | 1 << index)
                if state not in reached:
                    reached.add(state)
                    work.append(state)
        if len(reached) > MOST_STATES:
            return None
    return results
