"""At no time two servers acknowledge: a timeline belongs to one node, and later timelines end earlier ones.

Each operation says which node and which timeline answered. Its commit happened at some moment between its beginning and its
end. So an older timeline was still at work at the beginning of its last answer, a newer one was at work by the end of its
first acknowledgement, and the former must not be later than the latter. Reads count for the older side too: a read from an
old server that begins after a newer one acknowledged is stale, whatever it returned.
"""

from .operation import OK


def check(operations):
    answers = [o for o in operations if o.state == OK and o.node and o.timeline]
    return _one_node_each(answers) + _in_turn(answers)


def _one_node_each(answers):
    found, owner = [], {}
    for answer in answers:
        known = owner.setdefault(answer.timeline, answer)
        if known.node != answer.node:
            found.append(f"timeline {answer.timeline} on two nodes: {known}; {answer}")
    return found[:5]


def _in_turn(answers):
    found = []
    first_ack, last_answer = {}, {}
    for answer in answers:
        timeline = answer.timeline
        if answer.kind != "read":
            first_ack[timeline] = min(first_ack.get(timeline, answer), answer, key=lambda o: o.ended)
        last_answer[timeline] = max(last_answer.get(timeline, answer), answer, key=lambda o: o.begun)
    timelines = sorted(last_answer)
    # The earliest acknowledgement of any newer timeline, from the newest back.
    newer = None
    for timeline in reversed(timelines):
        old = last_answer[timeline]
        if newer and old.begun > newer.ended:
            found.append(f"timeline {timeline} answered after timeline {newer.timeline} had acknowledged: {old}; {newer}")
        candidate = first_ack.get(timeline)
        if candidate and (newer is None or candidate.ended < newer.ended):
            newer = candidate
    return found
