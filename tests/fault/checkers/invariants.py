"""The invariants of the failover by name (docs/simulation.md has the list), on what an onlooker has seen: each function
takes the witness's lines and returns what contradicts it.

`change` lines are every change of the store, in order. `server` and `files` lines are looks at one node; their `record` is the
one of the whole time of the look, or None where it changed meanwhile.
"""

import bisect

PROTECTED = ("PROTECTED", "PREPARE", "SWITCH")
ACCEPTED = "requested, accepting the loss of data"
TURNED_BACK = "the standby could not take over"
REQUESTED = "requested"
STARTED, COMPLETED = "Multi-AZ instance failover started.", "Multi-AZ instance failover completed"
ALONE = "The standby is lost. "


def _changes(lines, prefix=""):
    return [line for line in lines if line["what"] == "change" and line["key"].startswith(prefix)]


def records(lines):
    """Each step of the record: (before, after)."""
    values = [line["value"] for line in _changes(lines, "/ha/") if line["value"]]
    return list(zip(values, values[1:]))


def _looks(lines, what):
    return [line for line in lines if line["what"] == what]


def _known(lines, what):
    return [line for line in _looks(lines, what) if line["record"]]


def _brief(record):
    return f"{record['phase']} epoch {record['epoch']} primary {record['primary']} token {record['token']}"


# --- the primary and who it waits for

def i3(lines):
    """Who may be promoted is waited for."""
    return [f"{look['node']} waits for '{look['waits_for']}' at {_brief(look['record'])}" for look in _known(lines, "server")
            if _is_counted_upon(look) and look["waits_for"] and look["record"]["token"] not in look["waits_for"]]


def i4(lines):
    """A primary lets go only after the record; nor is it told to before."""
    found = [f"{look['node']} waits for nobody at {_brief(look['record'])}" for look in _known(lines, "server")
             if _is_counted_upon(look) and not look["waits_for"]]
    record, waits = None, {}
    for line in _changes(lines):
        value = line["value"]
        if line["key"].startswith("/ha/"):
            record = value or None
        elif line["key"].endswith("/desired") and value.get("role") == "primary":
            lets_go = waits.get(line["key"]) and not value.get("waits_for")
            waits[line["key"]] = value.get("waits_for")
            if lets_go and record and record["protected"] and record["primary"] in line["key"]:
                found.append(f"revision {line['revision']}: {line['key']} is told to let go at {_brief(record)}")
    return found


def _is_counted_upon(look):
    record = look["record"]
    return look["primary"] and record["protected"] and record["primary"] == look["node"]


def i9(lines):
    """Only the recorded identity counts, and none is given twice."""
    found = [f"{look['node']} counts {look['synced']} at {_brief(look['record'])}" for look in _known(lines, "server")
             if _is_counted_upon(look) and set(look["synced"]) - {look["record"]["token"]}]
    given = set()
    for before, after in records(lines):
        given.add(before["token"])
        if after["token"] and after["token"] != before["token"] and after["token"] in given:
            found.append(f"given twice: {after['token']}")
        met_again = before["phase"] == "DEGRADED" and after["phase"] == "CATCHUP"
        if (met_again or after["epoch"] != before["epoch"]) and after["token"] == before["token"]:
            found.append(f"kept: {after['token']} from {_brief(before)} to {_brief(after)}")
    return found


# --- epochs and roles

def i5(lines):
    found = []
    for before, after in records(lines):
        raised = after["epoch"] - before["epoch"]
        if raised not in (0, 1) or (raised == 0 and after["primary"] != before["primary"]):
            found.append(f"from {_brief(before)} to {_brief(after)}")
    return found


def i20(lines):
    """Roles change from where the standby may be promoted, and who goes on alone says so."""
    found, alone = [], 0
    for before, after in records(lines):
        back = before["phase"] == "FAILOVER" and after["cause"] == TURNED_BACK
        if after["epoch"] != before["epoch"] and not (before["protected"] or back or after["cause"] == ACCEPTED):
            found.append(f"from {_brief(before)} to {_brief(after)}, because {after['cause']}")
        if after["phase"] == "DEGRADED" and before["phase"] not in ("DEGRADED", "HALTED") and not back:
            alone += 1
    told = len(_told(lines, ALONE))
    return found + ([] if told == alone else [f"the standby was lost {alone} times, and {told} events say so"])


def _told(lines, sentence):
    return [line for line in _changes(lines, "/events/") if line["value"].get("message", "").startswith(sentence)]


def i6(lines):
    """A promise is on disk before it is reported, and nobody goes back behind it."""
    found, promised, reported = [], {}, {}
    for look in _looks(lines, "files"):
        node = look["node"]
        if look["reported"] > look["promised"]:
            found.append(f"{node} has reported epoch {look['reported']}, and {look['promised']} is on its disk")
        if look["promised"] < promised.get(node, 0):
            found.append(f"{node} had promised {promised[node]}, now {look['promised']}")
        promised[node] = look["promised"]
    for line in _changes(lines, "/nodes/"):
        epoch = line["value"].get("epoch", 0) if line["key"].endswith("/observed") else None
        if epoch is not None and epoch < reported.get(line["key"], 0):
            found.append(f"revision {line['revision']}: {line['key']} goes from epoch {reported[line['key']]} back to {epoch}")
        if epoch is not None:
            reported[line["key"]] = epoch
    return found


def i7(lines):
    """Beyond the fence nobody but the recorded primary runs as one."""
    return [f"{look['node']} is a primary at {_brief(look['record'])}" for look in _known(lines, "server")
            if look["primary"] and look["record"]["standby"] == look["node"] and look["record"]["phase"] != "FAILOVER"]


# --- directories

def i8(lines):
    """One system from the first initdb on, and no copy that is counted upon is replaced or changed by a rejoin."""
    found, system, last = [], 0, {}
    for look in _looks(lines, "files"):
        if look["system"]:
            system = system or look["system"]
            if look["system"] != system:
                found.append(f"{look['node']} is system {look['system']}, the instance is {system}")
        record = look["record"]
        counts = record and record["protected"] and look["node"] in (record["primary"], record["standby"])
        if counts and look["marker"]:
            found.append(f"a rejoin changes {look['node']} at {_brief(record)}")
        before = last.get(look["node"])
        if counts and before and before["record"] == record and before["data"] != look["data"]:
            found.append(f"the directory of {look['node']} was replaced at {_brief(record)}")
        last[look["node"]] = look
    return found


def i18(lines):
    return [f"{look['node']} runs in a directory that a rejoin has not finished" for look in _looks(lines, "server") if look["torn"]]


# --- a change of roles

def i17(lines):
    """Promoted is who was recruited, after the former primary was fenced."""
    return _at_promotion(lines, lambda seen, record: [] if seen["recruited"] and seen["fenced"] else [
        f"promoted with {seen} at {_brief(record)}"])


def i22(lines):
    """After a clean stop the new primary has the end of the old one's WAL, and the old one comes back as it was."""
    def lacks(seen, record):
        end = record["shutdown_lsn"] if record["cause"] == REQUESTED else 0
        return [f"promoted with WAL up to {seen['received']} of {end} at {_brief(record)}"] if seen["received"] < end else []

    return _at_promotion(lines, lacks) + _rewound(lines)


def _at_promotion(lines, judge):
    found, record, seen = [], None, {}
    for line in _changes(lines):
        value = line["value"]
        if line["key"].startswith("/ha/") and value:
            if value["phase"] == "FAILOVER" and (record is None or record["phase"] != "FAILOVER"):
                seen = {"recruited": False, "fenced": False, "received": 0}
            if value["phase"] == "PROMOTING" and record and record["phase"] == "FAILOVER":
                found += judge(seen, value)
            record = value
        elif line["key"].endswith("/observed") and record and record["phase"] == "FAILOVER":
            if value.get("epoch", 0) < record["epoch"]:
                continue
            if record["primary"] in line["key"]:
                seen["recruited"] = seen["recruited"] or bool(value.get("recruited"))
                seen["received"] = max(seen["received"], value.get("received_lsn", 0))
            else:
                seen["fenced"] = seen["fenced"] or value.get("state") == "fenced"
    return found


def _rewound(lines):
    found, record, rejoined = [], None, {}
    for line in _changes(lines):
        value = line["value"]
        if line["key"].endswith("/observed"):
            rejoined[line["key"].split("/")[2]] = value.get("rejoined", "")
        if not line["key"].startswith("/ha/") or not value:
            continue
        comes_back = record and record["phase"] == "REJOIN" and value["phase"] == "CATCHUP"
        if comes_back and value["cause"] == REQUESTED and value["shutdown_lsn"] and rejoined.get(value["standby"]) != "as it was":
            found.append(f"after a clean stop the former primary came back by '{rejoined.get(value['standby'])}' "
                         f"at {_brief(value)}")
        record = value
    return found


def i19(lines, explained):
    """Each change of roles has one pair of events, a reason and an end. explained: what `howdah why` says."""
    steps = records(lines)
    begun = sum(after["phase"] == "FAILOVER" and before["phase"] != "FAILOVER" for before, after in steps)
    ended = sum(after["phase"] == "REJOIN" and before["phase"] != "REJOIN" for before, after in steps)
    found = [f"'{sentence}' was told {len(_told(lines, sentence))} times and true {times} times"
             for sentence, times in ((STARTED, begun), (COMPLETED, ended)) if len(_told(lines, sentence)) != times]
    for change in explained:
        phases = change.get("Steps") or []
        if not (change.get("Cause") and change.get("Outcome") and phases and phases[0].get("Reason")):
            found.append(f"a change of roles without a reason or an end: {change}")
    return found


def i12(lines):
    """The gateway goes to no older epoch."""
    found, last = [], 0
    for line in _changes(lines, "/routes-observed/"):
        epoch = line["value"].get("epoch", 0)
        if epoch and epoch < last:
            found.append(f"revision {line['revision']}: the gateway is in epoch {epoch}, and was in {last}")
        last = max(last, epoch)
    return found


# --- what is lost and what is not

def episodes(faults, *names):
    """(name, struck, ended, whole) of the faults with these names."""
    found, begun = [], {}
    for fault in faults:
        begun[fault["what"]] = fault["at"]
        if fault["what"] == "whole" and fault["name"] in names:
            found.append((fault["name"], begun["begin"], begun["end"], fault["at"]))
    return found


def pauses(times, begin, end):
    """The longest time without any of these times between the two, in seconds."""
    inside = times[bisect.bisect_left(times, begin):bisect.bisect_right(times, end)]
    points = [begin, *inside, end]
    return max(b - a for a, b in zip(points, points[1:])) / 1e9


def i13(operations, faults, limit):
    """Without control plane and store nothing of a healthy pair changes for its clients."""
    acks = sorted(o.ended for o in operations if o.state == "ok")
    found = []
    for name, begin, end, _ in episodes(faults, "kill serve"):
        if pauses(acks, begin, end) > limit:
            found.append(f"'{name}': {pauses(acks, begin, end):.1f} s without an answer")
        # A procedure's own time limit may cut its wait, at any time.
        cut = [o for o in operations if begin < o.begun and o.ended < end and o.error == "lost" and not _is_procedure(o)]
        found += [f"'{name}': cut off: {o}" for o in cut[:3]]
    return found


def _is_procedure(operation):
    return operation.workload == "set" and operation.client % 6 == 2


def i14(operations, faults, limit):
    """A lost standby keeps commits waiting for no longer than the budget, and what it takes to notice."""
    acks = sorted(o.ended for o in operations if o.state == "ok" and o.kind != "read")
    names = {f["name"] for f in faults if f["name"].startswith(("kill standby", "freeze standby")) and "+" not in f["name"]}
    return [f"'{name}': {pauses(acks, begin, whole):.1f} s without a commit" for name, begin, _, whole in episodes(faults, *names)
            if pauses(acks, begin, whole) > limit]


def i15(lines, faults):
    """Control plane, agents and gateway take no server with them."""
    started, found = {}, []
    looks = _looks(lines, "server")
    for look in looks:
        started.setdefault(look["node"], []).append((look["at"], look["started"]))
    for name, begin, _, whole in episodes(faults, "kill serve", "kill gateway", "freeze gateway"):
        for node, times in started.items():
            before = [value for at, value in times if at < begin][-1:]
            within = {value for at, value in times if begin <= at <= whole}
            if before and within - set(before):
                found.append(f"'{name}': the server of {node} was started anew")
    return found


def i21(operations, faults, limit):
    """A standby's full disk keeps nobody from reading. (Writes are refused on purpose: docs/storage.md.)"""
    reads = sorted(o.ended for o in operations if o.state == "ok" and o.kind == "read")
    return [f"'{name}': {pauses(reads, begin, end):.1f} s without a read" for name, begin, end, _ in
            episodes(faults, "fill standby's disk") if pauses(reads, begin, end) > limit]


def i10(operations, warnings):
    """No session has an answer to the commit whose wait was cut short. warnings: (node, backend, when it was logged)."""
    sessions, found = {}, []
    for o in sorted(operations, key=lambda o: o.begun):
        if o.backend:
            sessions.setdefault((o.node, o.backend), []).append(o)
    for node, backend, at in warnings:
        before = [o for o in sessions.get((node, backend), []) if o.begun < at]
        if before and before[-1].state == "ok" and before[-1].kind != "read":
            found.append(f"its wait was cut short, and it was answered: {before[-1]}")
    return found
