"""What was acknowledged is there, what was refused is not, and nothing is there that nobody asked for.

Finds lost acknowledgements, writes that were reported as failed and happened, phantoms and duplicates. Not order.
"""

import collections

from .operation import FAIL, OK


def check(inserts, present, limit=10):
    """inserts: operations whose value is the id; present: all ids that the last read saw."""
    counts = collections.Counter(present)
    attempted = {o.value for o in inserts}
    lost = [o for o in inserts if o.state == OK and o.value not in counts]
    refused = [o for o in inserts if o.state == FAIL and o.value in counts]
    found = [f"acknowledged and lost: {o}" for o in lost[:limit]]
    found += [f"refused, and there all the same: {o}" for o in refused[:limit]]
    found += [f"nobody asked for {i}, and it is there" for i in sorted(set(counts) - attempted)[:limit]]
    found += [f"{i} is there {n} times" for i, n in sorted(counts.items()) if n > 1][:limit]
    for what, all_of_them in (("lost", lost), ("refused and there", refused)):
        if len(all_of_them) > limit:
            found.append(f"… {len(all_of_them)} in all are {what}")
    return found
