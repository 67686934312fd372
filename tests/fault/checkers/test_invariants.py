"""Every invariant that is judged from outside accepts what is well, and catches what it is there for."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from checkers import invariants  # noqa: E402
from checkers.operation import INFO, OK, Operation  # noqa: E402

SECOND = 1_000_000_000


def record(phase="PROTECTED", epoch=1, primary="n-a", standby="n-b", token="hd_1_x", cause="", shutdown_lsn=0):
    return {"phase": phase, "epoch": epoch, "primary": primary, "standby": standby, "token": token, "cause": cause,
            "shutdown_lsn": shutdown_lsn, "protected": phase in invariants.PROTECTED}


def change(key, value):
    return {"what": "change", "at": 0, "revision": 1, "position": 0, "key": key, "value": value}


def steps(*values):
    return [change("/ha/db-1", value) for value in values]


def observed(node, **value):
    return change(f"/nodes/{node}/observed", value)


def event(sentence):
    return change("/events/1", {"message": sentence})


def server(node="n-a", primary=True, waits_for='ANY 1 ("hd_1_x")', at=0, **more):
    return {"what": "server", "at": at, "until": at + 1, "node": node, "record": record(), "primary": primary,
            "waits_for": waits_for, "started": 1.0, "synced": ["hd_1_x"], "torn": False, **more}


def files(node="n-b", **more):
    return {"what": "files", "at": 0, "until": 1, "node": node, "record": record(), "reported": 1, "promised": 1,
            "marker": False, "data": 7, "system": 42, **more}


# A failover as it should be, from n-a to n-b.
AFTER = {"epoch": 2, "primary": "n-b", "standby": "n-a", "token": "hd_2_y"}
FAILOVER = [change("/ha/db-1", record()), change("/ha/db-1", record("FAILOVER", **AFTER)), event(invariants.STARTED),
            observed("n-b", epoch=2, recruited=True, received_lsn=50), observed("n-a", epoch=2, state="fenced"),
            change("/ha/db-1", record("PROMOTING", **AFTER)), change("/ha/db-1", record("REJOIN", **AFTER)),
            event(invariants.COMPLETED), change("/ha/db-1", record("CATCHUP", **AFTER)),
            change("/ha/db-1", record(**AFTER))]
WHY = {"Cause": "the primary's server ended", "Outcome": "completed", "Steps": [{"Reason": "its server ended"}]}


class OnTheWitness(unittest.TestCase):
    def test_a_failover_as_it_should_be(self):
        lines = [*FAILOVER, server(), server(primary=False, node="n-b", waits_for=""), files(), files("n-a")]
        for name in ("i3", "i4", "i5", "i6", "i7", "i8", "i9", "i12", "i17", "i18", "i20", "i22"):
            self.assertEqual(getattr(invariants, name)(lines), [], name)
        self.assertEqual(invariants.i19(lines, [WHY]), [])

    def caught(self, name, *lines):
        self.assertTrue(getattr(invariants, name)(list(lines)), name)

    def test_i3_somebody_else_is_waited_for(self):
        self.caught("i3", server(waits_for='ANY 1 ("hd_1_z")'))

    def test_i4_nobody_is_waited_for(self):
        self.caught("i4", server(waits_for=""))
        self.assertEqual(invariants.i4([server(waits_for="", record=None)]), [])

    def test_i4_told_to_let_go_before_the_record(self):
        def told(waits_for):
            return change("/nodes/n-a/desired", {"epoch": 1, "role": "primary", "waits_for": waits_for})
        self.caught("i4", *steps(record()), told("hd_1_x"), told(""))
        self.assertEqual(invariants.i4([*steps(record()), told("hd_1_x"), *steps(record("DEGRADED")), told("")]), [])

    def test_i5(self):
        self.caught("i5", *steps(record(), record(epoch=3)))
        self.caught("i5", *steps(record(), record(primary="n-b", standby="n-a")))

    def test_i6(self):
        self.caught("i6", files(reported=2))
        self.caught("i6", files(promised=2), files())
        self.caught("i6", observed("n-a", epoch=2), observed("n-a", epoch=1))

    def test_i7(self):
        self.caught("i7", server(node="n-b"))
        self.assertEqual(invariants.i7([server(node="n-b", record=record("FAILOVER"))]), [])

    def test_i8(self):
        self.caught("i8", files(), files(system=43))
        self.caught("i8", files(marker=True))
        self.caught("i8", files(), files(data=8))
        self.assertEqual(invariants.i8([files(marker=True, data=8, record=record("REJOIN"))]), [])

    def test_i9(self):
        self.caught("i9", server(synced=["hd_1_x", "stranger"]))
        self.caught("i9", *steps(record(), record("DEGRADED"), record("CATCHUP")))
        self.caught("i9", *steps(record(), record(token="hd_1_y"), record()))

    def test_i12(self):
        self.caught("i12", change("/routes-observed/db-1", {"epoch": 2}), change("/routes-observed/db-1", {"epoch": 1}))

    def test_i17(self):
        without = [line for line in FAILOVER if line["value"].get("state") != "fenced"]
        self.caught("i17", *without)
        self.caught("i17", *[line for line in FAILOVER if not line["value"].get("recruited")])

    def test_i18(self):
        self.caught("i18", server(torn=True))

    def test_i19(self):
        self.assertTrue(invariants.i19([line for line in FAILOVER if line["value"] != event(invariants.STARTED)["value"]], []))
        self.assertTrue(invariants.i19([*FAILOVER, event(invariants.COMPLETED)], []))
        self.assertTrue(invariants.i19(FAILOVER, [{**WHY, "Cause": ""}]))

    def test_i20(self):
        self.caught("i20", *steps(record("DEGRADED"), record("FAILOVER", **AFTER)))
        self.caught("i20", *steps(record(), record("DEGRADED")))
        accepted = record("FAILOVER", **AFTER, cause=invariants.ACCEPTED)
        self.assertEqual(invariants.i20(steps(record("DEGRADED"), accepted)), [])

    def test_i22(self):
        clean = {**AFTER, "cause": invariants.REQUESTED, "shutdown_lsn": 60}
        lines = [change("/ha/db-1", {**line["value"], **clean}) if line["key"] == "/ha/db-1" and line["value"]["epoch"] == 2
                 else line for line in FAILOVER]
        self.assertEqual(len(invariants.i22(lines)), 2)  # it lacks the end, and the former primary says nothing
        came_back = [*lines[:3], observed("n-b", epoch=2, received_lsn=60), *lines[3:7],
                     observed("n-a", epoch=2, rejoined="as it was"), *lines[7:]]
        self.assertEqual(invariants.i22(came_back), [])


def fault(name, begin, end, whole):
    return [{"what": what, "name": name, "at": at * SECOND} for what, at in (("begin", begin), ("end", end), ("whole", whole))]


def acks(*seconds, kind="insert"):
    return [Operation("set", 0, kind, 1, at * SECOND, at * SECOND + 1, OK, None, "n-a", 1, None, 99) for at in seconds]


class OnTheHistory(unittest.TestCase):
    def test_i10(self):
        self.assertTrue(invariants.i10(acks(1), [("n-a", 99, 2 * SECOND)]))
        cut = Operation("set", 0, "insert", 2, SECOND, 2 * SECOND, INFO, None, "n-a", 1, "lost", 99)
        self.assertEqual(invariants.i10([*acks(0), cut], [("n-a", 99, 2 * SECOND)]), [])
        self.assertEqual(invariants.i10(acks(1), [("n-b", 99, 2 * SECOND)]), [])

    def test_i13(self):
        faults = fault("kill serve", 10, 20, 21)
        self.assertEqual(invariants.i13(acks(*range(30)), faults, 2.5), [])
        self.assertTrue(invariants.i13(acks(*range(12), *range(16, 30)), faults, 2.5))
        lost = Operation("set", 0, "insert", 2, 12 * SECOND, 13 * SECOND, INFO, None, "n-a", 1, "lost", 99)
        self.assertTrue(invariants.i13([*acks(*range(30)), lost], faults, 2.5))

    def test_i14(self):
        faults = fault("kill standby node", 10, 11, 30)
        self.assertEqual(invariants.i14(acks(*range(40)), faults, 8), [])
        self.assertTrue(invariants.i14(acks(*range(12), *range(25, 40)), faults, 8))
        self.assertTrue(invariants.i14(acks(*range(12)) + acks(*range(40), kind="read"), faults, 8))

    def test_i15(self):
        faults = fault("kill serve", 10, 11, 12)
        self.assertEqual(invariants.i15([server(at=1), server(at=11 * SECOND)], faults), [])
        self.assertTrue(invariants.i15([server(at=1), server(at=11 * SECOND, started=2.0)], faults))

    def test_i21(self):
        faults = fault("fill standby's disk", 10, 30, 31)
        self.assertEqual(invariants.i21(acks(*range(40), kind="read"), faults, 8), [])
        self.assertTrue(invariants.i21(acks(*range(40)), faults, 8))


if __name__ == "__main__":
    unittest.main()
