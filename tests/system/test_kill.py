"""kill -9 of serve, of the gateway and of every PostgreSQL process: nothing acknowledged is lost, nothing is left
behind, and everything is back by itself."""

import os
import shutil
import signal
import time
import unittest

from harness import Howdah, eventually
from multi_az import MultiAzCase, signal_all

# Seconds after the call at which serve is killed: dense where the steps are.
MOMENTS = [0.0, 0.1, 0.25, 0.5, 0.8, 1.2, 1.7, 2.3, 2.6, 3.0, 3.4, 4.0]


class Serve(unittest.TestCase):
    def test_killed_at_many_moments_of_create_and_delete(self):
        howdah = Howdah().start()
        self.addCleanup(howdah.stop)
        network = howdah.network()
        howdah.admit_host(network["db"])
        for number, moment in enumerate(MOMENTS):
            with self.subTest(moment=moment):
                name = f"db-{number}"
                howdah.create_instance(name, network, MultiAZ=True)
                time.sleep(moment)
                howdah.restart()
                instance = howdah.await_available(name)
                connection = howdah.connect(instance)
                connection.close()
                self.assertEqual(len(howdah.processes.postmasters()), 2)
                howdah.delete_instance(name, wait=False)
                time.sleep(moment / 2)
                howdah.restart()
                howdah.await_deleted(name)
                howdah.assert_nothing_left()
                self.assertEqual(howdah.processes.postgres(), [])

    def test_killed_again_and_again(self):
        """A run that is cut at every turn still ends."""
        howdah = Howdah().start()
        self.addCleanup(howdah.stop)
        network = howdah.network()
        howdah.create_instance("db-1", network, MultiAZ=True)
        for _ in range(8):
            time.sleep(0.3)
            howdah.restart()
        howdah.await_available("db-1")
        howdah.delete_instance("db-1", wait=False)
        for _ in range(4):
            time.sleep(0.2)
            howdah.restart()
        howdah.await_deleted("db-1")
        howdah.assert_nothing_left()

    def test_killed_while_a_stack_is_made_and_removed(self):
        howdah = Howdah().start()
        self.addCleanup(howdah.stop)
        cloudformation = howdah.client("cloudformation")
        cloudformation.create_stack(StackName="prod-e", TemplateBody=howdah.template().read_text())
        for _ in range(5):
            time.sleep(0.7)
            howdah.restart()
        cloudformation.get_waiter("stack_create_complete").wait(
            StackName="prod-e", WaiterConfig={"Delay": 1, "MaxAttempts": 90})
        cloudformation.delete_stack(StackName="prod-e")
        for _ in range(3):
            time.sleep(0.5)
            howdah.restart()
        cloudformation.get_waiter("stack_delete_complete").wait(
            StackName="prod-e", WaiterConfig={"Delay": 1, "MaxAttempts": 90})
        howdah.assert_nothing_left()
        self.assertEqual([v for v in howdah.ec2.describe_vpcs()["Vpcs"] if not v["IsDefault"]], [])


class UnderWrites(MultiAzCase):
    """A Multi-AZ instance that is written to while its processes are killed."""

    def setUp(self):
        self.begin_writing()

    def tearDown(self):
        self.assert_nothing_lost()
        eventually(self.whole, 60, "two nodes, protected")

    def whole(self):
        status = self.status()
        return (len(self.howdah.processes.postmasters()) == 2 and status["Status"] == "available" and
                status["Phase"] == "PROTECTED")

    def kill(self, pid):
        signal_all([pid], signal.SIGKILL)

    def test_serve_killed_cuts_no_connection(self):
        connection = self.howdah.connect(self.instance)
        with connection.cursor() as cursor:
            cursor.execute("select pg_backend_pid()")
            backend = cursor.fetchone()[0]
            self.howdah.kill()
            self.await_writes()
            self.howdah.start()
            self.await_writes()
            cursor.execute("select pg_backend_pid()")
            self.assertEqual(cursor.fetchone()[0], backend)
        connection.close()

    def test_serve_killed_leaves_the_endpoint_open(self):
        self.howdah.kill()
        self.execute("select 1")
        self.howdah.start()

    def test_gateway_killed(self):
        gateways = self.howdah.processes.gateways()
        self.assertEqual(len(gateways), 1, gateways)
        self.kill(gateways[0]["pid"])
        eventually(lambda: [g for g in self.howdah.processes.gateways() if g["pid"] != gateways[0]["pid"]], 20,
                   "another gateway")
        self.await_writes()

    def test_gateway_and_serve_killed(self):
        self.kill(self.howdah.processes.gateways()[0]["pid"])
        self.howdah.restart()
        self.await_writes()

    def test_every_postgres_process_killed_in_turn(self):
        """By what a process is called: postmasters, checkpointer, walsender, walreceiver, a backend and the rest."""
        names = sorted({self.kind(p) for p in self.howdah.processes.postgres()})
        self.assertGreater(len(names), 5, names)
        for name in names:
            with self.subTest(process=name):
                victim = next((p for p in self.howdah.processes.postgres() if self.kind(p) == name), None)
                if victim:
                    self.kill(victim["pid"])
                self.await_writes()
                eventually(self.whole, 60, f"whole again after {name}")

    def kind(self, process):
        zone = process["cwd"].split("/zones/")[-1].split("/")[0]
        command = process["command"]
        if not command.startswith("postgres:"):
            return f"{zone} postmaster"
        words = command.removeprefix("postgres:").split()
        known = ("checkpointer", "background writer", "walwriter", "autovacuum launcher", "stats collector",
                 "logical replication launcher", "walsender", "walreceiver", "startup", "logger")
        return f"{zone} " + next((k for k in known if k in command), "backend" if "appdb" in words else "other")

    def test_a_frozen_standby_holds_commits_up_only_for_the_budget(self):
        frozen = self.freeze("standby")
        self.await_phase("DEGRADED", seconds=20)
        self.await_writes()
        signal_all(frozen, signal.SIGCONT)
        eventually(self.whole, 60, "protected again")

    def test_a_standby_whose_directory_is_gone_is_copied_anew(self):
        pid, directory = self.node("standby")["Pid"], self.directory("standby")
        os.rename(directory, directory + ".taken")
        self.addCleanup(shutil.rmtree, directory + ".taken", True)
        self.kill(pid)
        self.await_writes()
        eventually(lambda: os.path.exists(directory + "/PG_VERSION") and self.whole(), 60, "protected again")

    def test_both_postmasters_killed_with_serve_away(self):
        self.howdah.kill()
        for postmaster in self.howdah.processes.postmasters():
            self.kill(postmaster["pid"])
        self.howdah.start()
        self.await_writes()


if __name__ == "__main__":
    unittest.main()
