"""The nodes of one instance and their processes, and the only place from which a signal is sent.

A process is identified by its working directory below this home and by a pidfd taken before that is looked at, so that no
signal can hit a process that got the number afterwards, or one that is not of this run.
"""

import json
import os
import pathlib
import signal
import subprocess

from harness import eventually

KINDS = ("checkpointer", "background writer", "walwriter", "autovacuum launcher", "walsender", "walreceiver", "startup",
         "logger")


class Process:
    """One running process, held by a pidfd. Raises ProcessLookupError where it is gone or somebody else's."""

    def __init__(self, pid, home):
        self.pid = pid
        self._fd = os.pidfd_open(pid)
        try:
            self.directory = os.readlink(f"/proc/{pid}/cwd")
            self.command = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError as error:
            os.close(self._fd)
            raise ProcessLookupError(str(error)) from error
        if not self.directory.startswith(home + "/") and home not in self.command:
            os.close(self._fd)
            raise ProcessLookupError(f"{pid} is not of {home}")

    def __del__(self):
        if hasattr(self, "_fd"):
            try:
                os.close(self._fd)
            except OSError:
                pass

    def signal(self, number):
        """Whether it was there to be hit."""
        try:
            signal.pidfd_send_signal(self._fd, number)
        except ProcessLookupError:
            return False
        return True

    @property
    def kind(self):
        if not self.command.startswith("postgres:"):
            return "postmaster"
        return next((kind for kind in KINDS if kind in self.command), "backend" if "appdb" in self.command else "other")

    def __str__(self):
        return f"{self.kind} {self.pid}"


class Landscape:
    """What runs for the instance, asked anew each time."""

    def __init__(self, howdah, name):
        self.howdah, self.name = howdah, name
        self._known = []  # the nodes as they were last told; roles do not change while the control plane is away

    def instance(self):
        """The instance as `howdah status` has it; None while the control plane does not answer."""
        try:
            status = self.howdah.cli("status", "-o", "json", check=False, timeout=20)
        except subprocess.TimeoutExpired:
            return None
        if status.returncode != 0:
            return None
        return next((i for i in json.loads(status.stdout)["Instances"] if i["DBInstanceIdentifier"] == self.name), None)

    def node(self, role):
        """The node that has this role now, or had it when the control plane was last there; None where nobody is known to."""
        instance = self.instance()
        if instance:
            self._known = instance["Nodes"]
        return next((node for node in self._known if node["Role"] == role), None)

    def processes(self, node_id):
        """All processes of a node."""
        found = []
        for known in self.howdah.processes.postgres():
            if f"/{node_id}/" in known["cwd"] + "/":
                process = self._hold(known["pid"])
                if process:
                    found.append(process)
        return found

    def of_kind(self, role, kind):
        """Processes of that kind on the node with that role; kind "node": all of them."""
        node = self.node(role)
        if not node:
            return []
        return [p for p in self.processes(node["NodeId"]) if kind in (p.kind, "node")]

    def gateways(self):
        return [p for p in (self._hold(known["pid"]) for known in self.howdah.processes.gateways()) if p]

    def _hold(self, pid):
        try:
            return Process(pid, str(self.howdah.home))
        except ProcessLookupError:
            return None

    def whole(self):
        """Available, protected, two nodes that run; the reason why not, or None."""
        instance = self.instance()
        if not instance:
            return "the control plane does not answer"
        if instance["Status"] != "available":
            return f"status {instance['Status']}"
        if instance["Phase"] != "PROTECTED":
            return f"phase {instance['Phase']}"
        states = sorted((node["Role"], node["State"]) for node in instance["Nodes"])
        if [role for role, state in states if state == "running"] != ["primary", "standby"]:
            return f"nodes {states}"
        # What was reported may be of a moment ago: the processes are looked at themselves.
        gone = [node["NodeId"] for node in instance["Nodes"] if not self._is_server(node["Pid"])]
        return f"no such process any more: the server of {gone}" if gone else None

    def _is_server(self, pid):
        process = self._hold(pid) if pid else None
        return process is not None and process.kind == "postmaster"

    def await_whole(self, seconds):
        eventually(lambda: self.whole() is None, seconds, f"protected and available ({self.whole()})", pause=0.1)
