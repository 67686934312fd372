"""Every checker accepts a good history, and catches the anomaly that it is there for."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from checkers import acked_set, bank, list_append, register, single_writer  # noqa: E402
from checkers.operation import FAIL, INFO, OK, Operation  # noqa: E402


def op(kind, value, begun, ended, state=OK, result=None, client=1, node=None, timeline=0):
    return Operation("test", client, kind, value, begun, ended, state, result, node, timeline)


class History(unittest.TestCase):
    def test_a_line_read_back_is_the_same_operation(self):
        for result in (None, False, 0, [1, 2], "text"):
            operation = op("cas", [1, 2, 3], 4, 5, OK, result, 6, "n-1", 7)
            self.assertEqual(Operation.parse(operation.line()), operation)


class AckedSet(unittest.TestCase):
    history = [op("insert", 1, 0, 1), op("insert", 2, 1, 2, INFO), op("insert", 3, 2, 3, FAIL), op("insert", 4, 3, 4)]

    def test_unknown_outcomes_are_allowed_either_way(self):
        self.assertEqual(acked_set.check(self.history, [1, 4]), [])
        self.assertEqual(acked_set.check(self.history, [1, 2, 4]), [])

    def test_lost(self):
        self.assertIn("acknowledged and lost: insert 4", acked_set.check(self.history, [1])[0])

    def test_refused_and_there(self):
        self.assertIn("refused, and there", acked_set.check(self.history, [1, 3, 4])[0])

    def test_phantom(self):
        self.assertEqual(acked_set.check(self.history, [1, 4, 9]), ["nobody asked for 9, and it is there"])

    def test_duplicate(self):
        self.assertEqual(acked_set.check(self.history, [1, 1, 4]), ["1 is there 2 times"])

    def test_many_are_counted(self):
        lost = acked_set.check([op("insert", n, n, n + 1) for n in range(30)], [])
        self.assertEqual((len(lost), lost[-1]), (11, "… 30 in all are lost"))


class Bank(unittest.TestCase):
    first = {0: 10, 1: 10}
    transfers = [op("transfer", [7, 0, 1, 4], 0, 1), op("transfer", [8, 1, 0, 2], 2, 3, INFO)]

    def check(self, reads, last, ledger):
        return bank.check(reads, self.transfers, self.first, last, ledger)

    def test_good(self):
        reads = [op("read", None, 0, 1, OK, [[0, 10], [1, 10]]), op("read", None, 1, 2, OK, [[0, 6], [1, 14]]),
                 op("read", None, 1, 2, INFO)]
        self.assertEqual(self.check(reads, {0: 6, 1: 14}, [(7, 0, 1, 4)]), [])
        self.assertEqual(self.check(reads, {0: 8, 1: 12}, [(7, 0, 1, 4), (8, 1, 0, 2)]), [])

    def test_torn(self):
        read = op("read", None, 1, 2, OK, [[0, 6], [1, 10]])
        self.assertIn("the total is 16", self.check([read], {0: 6, 1: 14}, [(7, 0, 1, 4)])[0])

    def test_below_zero(self):
        read = op("read", None, 1, 2, OK, [[0, -1], [1, 21]])
        self.assertIn("below zero", self.check([read], {0: 6, 1: 14}, [(7, 0, 1, 4)])[0])

    def test_an_account_is_missing(self):
        self.assertIn("accounts [0]", self.check([op("read", None, 1, 2, OK, [[0, 20]])], {0: 6, 1: 14}, [(7, 0, 1, 4)])[0])

    def test_a_whole_transfer_lost(self):
        self.assertIn("acknowledged and lost: transfer 7", self.check([], {0: 10, 1: 10}, [])[0])

    def test_balances_of_another_copy_than_the_ledger(self):
        self.assertIn("the ledger says 6", self.check([], {0: 10, 1: 10}, [(7, 0, 1, 4)])[0])


class SingleWriter(unittest.TestCase):
    def test_one_after_the_other(self):
        history = [op("write", 1, 0, 10, node="a", timeline=1), op("read", 1, 5, 12, node="a", timeline=1),
                   op("write", 1, 6, 20, node="b", timeline=2), op("write", 1, 30, 40, node="a", timeline=3),
                   op("write", 1, 35, 50, INFO, node="a", timeline=1)]
        self.assertEqual(single_writer.check(history), [])

    def test_two_acknowledge_in_turn(self):
        history = [op("write", 1, 0, 10, node="a", timeline=1), op("write", 1, 11, 20, node="b", timeline=2),
                   op("write", 1, 21, 30, node="a", timeline=1)]
        self.assertIn("timeline 1 answered after timeline 2", single_writer.check(history)[0])

    def test_an_old_one_that_only_reads(self):
        history = [op("write", 1, 0, 10, node="b", timeline=2), op("read", 1, 11, 20, node="a", timeline=1)]
        self.assertEqual(len(single_writer.check(history)), 1)

    def test_two_generations_old(self):
        history = [op("write", 1, 0, 10, node="a", timeline=1), op("write", 1, 11, 20, node="a", timeline=3),
                   op("read", 1, 12, 13, node="b", timeline=2), op("write", 1, 21, 30, node="a", timeline=1)]
        self.assertIn("timeline 3 had acknowledged", single_writer.check(history)[0])

    def test_one_timeline_on_two_nodes(self):
        history = [op("write", 1, 0, 10, node="a", timeline=2), op("write", 1, 11, 20, node="b", timeline=2)]
        self.assertIn("timeline 2 on two nodes", single_writer.check(history)[0])


class Register(unittest.TestCase):
    def write(self, value, begun, ended, state=OK, client=1):
        return op("write", [0, value], begun, ended, state, None, client)

    def read(self, result, begun, ended):
        return op("read", [0], begun, ended, OK, result)

    def test_concurrent_ones_may_be_seen_in_either_order(self):
        history = [self.write(1, 0, 10), self.write(2, 5, 15), self.read(1, 16, 17), self.read(1, 18, 19)]
        self.assertEqual(register.check(history), [])
        self.assertEqual(register.check(history[:2] + [self.read(2, 16, 17)]), [])
        self.assertEqual(register.check([self.read(None, 0, 5), *history]), [])

    def test_stale_read(self):
        history = [self.write(1, 0, 1), self.write(2, 2, 3), self.read(1, 4, 5)]
        self.assertIn("no order explains read", register.check(history)[0])

    def test_read_goes_back(self):
        history = [self.write(1, 0, 1), self.write(2, 2, 20), self.read(2, 4, 5), self.read(1, 6, 7)]
        self.assertEqual(len(register.check(history)), 1)

    def test_lost_write(self):
        self.assertEqual(len(register.check([self.write(1, 0, 1), self.read(None, 4, 5)])), 1)

    def test_unknown_write_may_happen_later_and_once(self):
        history = [self.write(1, 0, 1), self.write(2, 2, 3, INFO), self.read(1, 4, 5), self.read(2, 6, 7)]
        self.assertEqual(register.check(history), [])
        self.assertEqual(len(register.check([*history, self.write(3, 8, 9), self.read(2, 10, 11)])), 1)

    def test_refused_write_that_is_seen(self):
        self.assertEqual(len(register.check([self.write(1, 0, 1, FAIL), self.read(1, 2, 3)])), 1)

    def test_compare_and_set(self):
        history = [self.write(1, 0, 1), op("cas", [0, 1, 2], 2, 3, OK, True), op("cas", [0, 1, 3], 4, 5, OK, False),
                   self.read(2, 6, 7)]
        self.assertEqual(register.check(history), [])
        wrong = [self.write(1, 0, 1), op("cas", [0, 1, 2], 2, 3, OK, True), op("cas", [0, 1, 3], 4, 5, OK, True)]
        self.assertEqual(len(register.check(wrong)), 1)
        wrong = [self.write(1, 0, 1), op("cas", [0, 1, 2], 2, 3, OK, False)]
        self.assertEqual(len(register.check(wrong)), 1)

    def test_keys_are_apart(self):
        other = op("read", [1], 4, 5, OK, None)
        self.assertEqual(register.check([self.write(1, 0, 1), other]), [])

    def test_too_much_is_said(self):
        unknown = [self.write(n, 0, 1, INFO) for n in range(20)]
        reads = [op("cas", [0, n, n], 2, 3, INFO) for n in range(20)] + [op("cas", [0, 99, 98], 4, 5, OK, False)]
        self.assertIn("too many", register.check(unknown + reads)[0])


def txn(client, begun, ended, *parts, state=OK):
    return op("txn", [list(part) for part in parts], begun, ended, state, client=client)


def a(key, value):
    return "append", key, value


def r(key, *values):
    return "r", key, list(values)


class ListAppend(unittest.TestCase):
    def expect(self, name, *transactions):
        found = list_append.check(list(transactions))
        self.assertTrue(found and found[0].startswith(name), found)

    def test_good(self):
        self.assertEqual(list_append.check([
            txn(1, 0, 10, r("x"), a("x", 1)), txn(2, 11, 20, r("x", 1), a("x", 2), r("x", 1, 2)),
            txn(1, 12, 30, a("y", 1)), txn(3, 15, 18, r("x", 1), r("y")), txn(3, 40, 41, r("x", 1, 2), r("y", 1))]), [])

    def test_unknown_ones_may_have_happened(self):
        unknown = txn(1, 0, 1, a("x", 1), state=INFO)
        self.assertEqual(list_append.check([unknown, txn(2, 2, 3, r("x")), txn(2, 4, 5, r("x", 1))]), [])

    def test_refused_ones_are_no_trouble_when_unseen(self):
        self.assertEqual(list_append.check([txn(1, 0, 1, a("x", 1), state=FAIL), txn(2, 2, 3, r("x"))]), [])

    def test_internal(self):
        self.expect("internal", txn(1, 0, 1, a("x", 1), r("x")))
        self.expect("internal", txn(1, 0, 1, r("x"), a("x", 1), r("x", 2, 1)), txn(2, 0, 1, a("x", 2)))

    def test_g1a(self):
        self.expect("G1a", txn(1, 0, 1, a("x", 1), state=FAIL), txn(2, 2, 3, r("x", 1)))

    def test_g1b(self):
        self.expect("G1b", txn(1, 0, 9, a("x", 1), a("x", 2)), txn(2, 2, 3, r("x", 1)))

    def test_phantom(self):
        self.expect("phantom", txn(1, 0, 1, r("x", 1)))

    def test_duplicate(self):
        self.expect("duplicate", txn(1, 0, 1, a("x", 1)), txn(1, 2, 3, r("x", 1, 1)))

    def test_incompatible_orders(self):
        self.expect("incompatible", txn(1, 0, 9, a("x", 1)), txn(2, 0, 9, a("x", 2)), txn(3, 0, 9, r("x", 1)),
                    txn(4, 0, 9, r("x", 2)))

    def test_g0(self):
        self.expect("G0:", txn(1, 0, 9, a("x", 1), a("y", 2)), txn(2, 0, 9, a("x", 2), a("y", 1)),
                    txn(3, 0, 20, r("x", 1, 2)), txn(4, 0, 20, r("y", 1, 2)))

    def test_g1c(self):
        self.expect("G1c:", txn(1, 0, 9, a("x", 1), r("y", 1)), txn(2, 0, 9, a("y", 1), r("x", 1)))

    def test_g_single(self):
        self.expect("G-single:", txn(1, 0, 9, a("x", 1), a("y", 1)), txn(2, 0, 9, r("x", 1), r("y")))

    def test_g2(self):
        """Write skew: each of two does not see the other."""
        self.expect("G2:", txn(1, 0, 9, r("x"), a("y", 1)), txn(2, 0, 9, r("y"), a("x", 1)),
                    txn(3, 10, 11, r("x", 1), r("y", 1)))

    def test_stale_read_in_a_session(self):
        self.expect("G-single-session", txn(1, 0, 1, a("x", 1)), txn(1, 2, 3, r("x")), txn(2, 9, 10, r("x", 1)))

    def test_stale_read_in_real_time(self):
        self.expect("G-single-real-time", txn(1, 0, 1, a("x", 1)), txn(2, 2, 3, r("x")), txn(3, 9, 10, r("x", 1)))

    def test_an_acknowledged_append_that_no_read_ever_sees(self):
        self.expect("G-single", txn(1, 0, 1, a("x", 1)), txn(2, 2, 3, a("x", 2)), txn(3, 4, 5, r("x", 1)))
        self.expect("G-single", txn(1, 0, 1, a("x", 1)), txn(3, 4, 5, r("x")))

    def test_acknowledged_against_real_time(self):
        self.expect("G0-real-time", txn(1, 0, 1, a("x", 1)), txn(2, 2, 3, a("x", 2)), txn(3, 4, 9, r("x", 2, 1)))

    def test_concurrent_ones_have_no_order_in_real_time(self):
        self.assertEqual(list_append.check([txn(1, 0, 5, a("x", 1)), txn(2, 4, 8, a("x", 2)), txn(3, 9, 10, r("x", 2, 1))]),
                         [])

    def test_a_long_history_is_read_in_time(self):
        history = [txn(n % 5, 10 * n, 10 * n + 15, a(n // 40, n), r(n // 40, *range(n // 40 * 40, n + 1)))
                   for n in range(4000)]
        self.assertEqual(list_append.check(history), [])


if __name__ == "__main__":
    unittest.main()
