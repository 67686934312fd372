"""A Multi-AZ instance changes roles: asked to by its user, and because its primary is killed, frozen or gone. What was
acknowledged is there afterwards, the endpoint stays, the former primary comes back, and everybody can read why."""

import json
import os
import signal
import socket
import threading
import time
import unittest

import botocore.exceptions
import psycopg2

from harness import eventually
from multi_az import MultiAzCase, signal_all


class Failover(MultiAzCase):
    # The limits on failovers are for a fleet in service; here one follows the other.
    options = ("--failover-hold-down", "0")

    def setUp(self):
        self.await_phase("PROTECTED")
        self.before = self.status()
        self.begin_writing()

    def why(self):
        return json.loads(self.howdah.cli("why", "db-1", "-o", "json").stdout)

    def assert_taken_over(self, cause):
        """Roles and zones have changed places, nothing acknowledged is lost, and the pair is whole again."""
        self.await_phase("PROTECTED", self.before["Epoch"] + 1)
        self.await_writes()
        self.assert_nothing_lost()
        now = self.status()
        self.assertEqual(now["Epoch"], self.before["Epoch"] + 1)
        roles = {node["NodeId"]: node["Role"] for node in now["Nodes"]}
        for node in self.before["Nodes"]:
            self.assertNotEqual(roles[node["NodeId"]], node["Role"])
        described = self.howdah.describe("db-1")
        self.assertEqual(described["AvailabilityZone"], self.node("primary")["AvailabilityZone"])
        self.assertEqual(described["SecondaryAvailabilityZone"], self.node("standby")["AvailabilityZone"])
        self.assertEqual(described["Endpoint"], self.instance["Endpoint"])
        self.assertTrue(described["MultiAZ"])
        last = self.why()["RoleChanges"][-1]
        self.assertEqual((last["Outcome"], last["Cause"]), ("completed", cause))
        self.assertEqual(last["ToZone"], described["AvailabilityZone"])
        self.assertEqual([s["Phase"] for s in last["Steps"]][-3:], ["REJOIN", "CATCHUP", "PROTECTED"])
        return last

    def test_forced_by_its_user(self):
        idle = self.howdah.connect(self.instance, sslmode="disable")
        self.howdah.aws("rds", "reboot-db-instance", "--db-instance-identifier", "db-1", "--force-failover")
        self.howdah.await_available("db-1")
        last = self.assert_taken_over("requested")
        self.assertEqual(last["Rejoined"], "as it was")
        self.assertEqual(last["SetAsideBytes"], 0)
        self.assertEqual([s["Phase"] for s in last["Steps"]][:2], ["PREPARE", "SWITCH"])
        self.assertEqual(self.writer.refused, [], "a client that reconnects at once sees no refusal")
        with socket.socket(fileno=os.dup(idle.fileno())) as wire:  # libpq shows no error where no query is under way
            self.assertIn(b"C57P01", wire.recv(1000))
        messages = [event["Message"] for event in self.howdah.rds.describe_events(
            SourceType="db-instance", SourceIdentifier="db-1", EventCategories=["failover"], Duration=60)["Events"]]
        self.assertIn("Multi-AZ instance failover started.", messages)
        self.assertIn("Multi-AZ instance failover completed", messages)

    def test_the_primarys_postmaster_is_killed(self):
        os.kill(self.node("primary")["Pid"], signal.SIGKILL)
        last = self.assert_taken_over("the primary's server ended")
        self.assertNotEqual(last["Rejoined"], "")
        self.assertEqual(self.writer.refused, [])

    def test_every_process_of_the_primary_is_killed(self):
        signal_all(self.server("primary"), signal.SIGKILL)
        self.assert_taken_over("the primary's server ended")

    def test_the_primary_is_frozen(self):
        signal_all(self.server("primary"), signal.SIGSTOP)
        self.assert_taken_over("the primary did not answer")

    def test_the_primary_is_killed_while_serve_is_away(self):
        """Whoever takes over, or the same one again: nothing acknowledged is lost."""
        primary = self.node("primary")["Pid"]
        self.howdah.kill()
        os.kill(primary, signal.SIGKILL)
        self.howdah.start()
        self.await_phase("PROTECTED")
        self.await_writes()
        self.assert_nothing_lost()

    def test_serve_is_killed_in_the_middle(self):
        for moment in (0.0, 0.02, 0.05, 0.1, 0.2, 0.4):
            with self.subTest(moment=moment):
                epoch = self.status()["Epoch"]
                os.kill(self.node("primary")["Pid"], signal.SIGKILL)
                time.sleep(moment)
                self.howdah.restart()
                self.await_phase("PROTECTED", epoch)
                self.await_writes()
        self.assert_nothing_lost()

    def test_by_the_command_line(self):
        done = self.howdah.cli("failover", "db-1")
        self.assertIn("completed", done.stdout)
        self.assert_taken_over("requested")
        self.assertIn("PROMOTING", self.howdah.cli("why", "db-1").stdout)
        self.assertIn("PROTECTS AGAINST", self.howdah.cli("status").stdout)

    def test_without_a_whole_standby_nobody_is_promoted(self):
        frozen = self.freeze("standby")
        self.await_phase("DEGRADED", seconds=20)
        with self.assertRaises(botocore.exceptions.ClientError) as refused:
            self.howdah.rds.reboot_db_instance(DBInstanceIdentifier="db-1", ForceFailover=True)
        self.assertEqual(refused.exception.response["Error"]["Code"], "InvalidDBInstanceState")
        self.await_writes()
        primary = self.node("primary")
        os.kill(primary["Pid"], signal.SIGKILL)
        self.await_writes()
        self.assertEqual(self.node("primary")["NodeId"], primary["NodeId"])
        self.assertEqual(self.status()["Epoch"], self.before["Epoch"])
        signal_all(frozen, signal.SIGCONT)
        self.await_phase("PROTECTED")

    def test_a_loss_that_an_operator_accepts(self):
        """The primary and its data are gone while the standby lacks commits: nobody but a person promotes it."""
        self.writer.end()
        frozen = self.freeze("standby")
        self.await_phase("DEGRADED", seconds=20)
        # More than waits in the socket between them, which the standby would still find when it is thawed.
        self.execute("create table filler as select repeat(md5(n::text), 100) from generate_series(1, 5000) n",
                     "insert into numbers values (-1)")
        primary = self.node("primary")
        data = self.howdah.home / "zones" / primary["AvailabilityZone"] / primary["NodeId"] / "data"
        data.rename(data.parent / "gone")
        os.kill(primary["Pid"], signal.SIGKILL)
        self.await_phase("HALTED", seconds=20)
        signal_all(frozen, signal.SIGCONT)
        refused = self.howdah.cli("failover", "db-1", check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("HALTED", refused.stderr)
        done = self.howdah.cli("failover", "db-1", "--accept-data-loss")
        self.assertIn("accepting the loss of data", done.stdout)
        self.await_phase("PROTECTED", self.before["Epoch"] + 1)
        present = {row[0] for row in self.execute("select n from numbers")}
        self.assertNotIn(-1, present)
        self.assertEqual([n for n in self.writer.acknowledged if n not in present], [])

    def test_onto_a_standby_that_froze_a_moment_before(self):
        """Nothing was promoted, so the primary goes on."""
        frozen = self.server("standby")
        self.addCleanup(signal_all, frozen, signal.SIGCONT)
        primary = self.node("primary")
        signal_all(frozen, signal.SIGSTOP)
        os.kill(primary["Pid"], signal.SIGKILL)
        self.await_writes(60)
        self.assertEqual(self.node("primary")["NodeId"], primary["NodeId"])
        self.assertEqual(self.why()["RoleChanges"][-1]["Outcome"], "turned back")
        signal_all(frozen, signal.SIGCONT)
        self.await_phase("PROTECTED")
        self.assert_nothing_lost()

    def test_single_az_and_multi_az_again_after_a_failover(self):
        self.howdah.cli("failover", "db-1")
        self.assert_taken_over("requested")
        primary = self.node("primary")
        for multi in (False, True):
            self.howdah.rds.modify_db_instance(DBInstanceIdentifier="db-1", MultiAZ=multi, ApplyImmediately=True)
            self.howdah.await_available("db-1")
            self.assertEqual(self.node("primary")["NodeId"], primary["NodeId"])
            self.assertEqual(self.howdah.describe("db-1")["AvailabilityZone"], primary["AvailabilityZone"])
        self.await_phase("PROTECTED")
        self.assertNotEqual(self.howdah.describe("db-1")["SecondaryAvailabilityZone"], primary["AvailabilityZone"])


if __name__ == "__main__":
    unittest.main()
