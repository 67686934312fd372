"""What the tests of a Multi-AZ instance share: one instance a class, its roles and processes, and somebody who writes."""

import os
import signal
import threading
import unittest

import psycopg2

from harness import Howdah, eventually


class Writer(threading.Thread):
    """Inserts numbers over one connection after the other; remembers what was acknowledged and every error."""

    def __init__(self, howdah, instance):
        super().__init__(daemon=True)
        self.howdah, self.instance = howdah, instance
        self.acknowledged, self.lost, self.refused = [], [], []
        self.done = threading.Event()

    def run(self):
        number = 0
        while not self.done.is_set():
            try:
                connection = self.howdah.connect(self.instance)
            except psycopg2.Error as error:
                self.refused.append(str(error))
                self.done.wait(0.05)
                continue
            connection.autocommit = True
            try:
                with connection.cursor() as cursor:
                    while not self.done.is_set():
                        number += 1
                        cursor.execute("insert into numbers values (%s)", (number,))
                        self.acknowledged.append(number)
            except psycopg2.Error as error:
                self.lost.append(error)

    def end(self):
        self.done.set()
        self.join(30)


def signal_all(pids, number):
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


class MultiAzCase(unittest.TestCase):
    """A Multi-AZ instance db-1, reached from this host."""

    options = ()

    @classmethod
    def setUpClass(cls):
        cls.howdah = Howdah(options=cls.options).start()
        cls.addClassCleanup(cls.howdah.stop)
        cls.network = cls.howdah.network()
        cls.howdah.admit_host(cls.network["db"])
        cls.howdah.create_instance("db-1", cls.network, MultiAZ=True)
        cls.instance = cls.howdah.await_available("db-1")

    def status(self):
        return self.howdah.status()["Instances"][0]

    def await_phase(self, phase, epoch=0, seconds=60):
        def is_so():
            now = self.status()
            return now["Phase"] == phase and now["Epoch"] >= epoch
        eventually(is_so, seconds, f"{phase}; it is {self.status()}")

    def node(self, role):
        return next(node for node in self.status()["Nodes"] if node["Role"] == role)

    def directory(self, role):
        """The node's data directory."""
        pid = self.node(role)["Pid"]
        return next(p["cwd"] for p in self.howdah.processes.postmasters() if p["pid"] == pid)

    def server(self, role):
        """Every process of the node's server."""
        directory = self.directory(role)
        return [p["pid"] for p in self.howdah.processes.postgres() if p["cwd"] == directory]

    def freeze(self, role):
        """Stops every process of the node's server, until the test goes on with it or ends."""
        frozen = self.server(role)
        self.addCleanup(signal_all, frozen, signal.SIGCONT)
        signal_all(frozen, signal.SIGSTOP)
        return frozen

    def execute(self, *statements):
        """The rows of the last one."""
        return self.howdah.execute(self.instance, *statements)

    def begin_writing(self):
        self.execute("drop table if exists numbers", "create table numbers (n int)")
        self.writer = Writer(self.howdah, self.instance)
        self.writer.start()
        self.addCleanup(self.writer.done.set)
        self.await_writes()

    def await_writes(self, seconds=40):
        """Writes go on: some more were acknowledged."""
        goal = len(self.writer.acknowledged) + 20
        eventually(lambda: len(self.writer.acknowledged) >= goal, seconds, "writes go on")

    def assert_nothing_lost(self):
        """Ends the writing: what was acknowledged is there."""
        self.writer.end()
        present = {row[0] for row in self.execute("select n from numbers")}
        self.assertEqual([n for n in self.writer.acknowledged if n not in present], [], "acknowledged, and lost")
