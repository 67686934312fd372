"""The faults. Each begins, lasts for a while, and ends healed; the run then waits until the instance is whole again.

A nemesis that finds nobody to hit says so by returning None; else it returns what it did, for the record.
"""

import shutil
import signal
import subprocess
import time

import psycopg2

from nemesis import Nemesis
from storm import Storm

MIB = 1024 * 1024


class Kill(Nemesis):
    """SIGKILL of one kind of process on one node; "node" is every process of it at once."""

    def __init__(self, role, kind, weight=1):
        self.name = f"kill {role} {kind}"
        self.role, self.kind, self.weight = role, kind, weight
        self.fails_over = role == "primary"

    def begin(self, run):
        found = run.landscape.of_kind(self.role, self.kind)
        if self.kind == "backend" and found:
            found = [run.random.choice(found)]
        return [str(p) for p in found if p.signal(signal.SIGKILL)] or None


class Freeze(Nemesis):
    """SIGSTOP, later SIGCONT."""

    def __init__(self, role, kind, weight=1, lasts=(0.2, 6.0)):
        self.name = f"freeze {role} {kind}"
        self.role, self.kind, self.weight, self.lasts = role, kind, weight, lasts
        self.fails_over = role == "primary" and kind == "node"
        self.frozen = []

    def begin(self, run):
        found = run.landscape.of_kind(self.role, self.kind)
        if self.kind == "backend" and found:
            found = [run.random.choice(found)]
        self.frozen = [p for p in found if p.signal(signal.SIGSTOP)]
        return [str(p) for p in self.frozen] or None

    def end(self, run):
        for process in self.frozen:
            process.signal(signal.SIGCONT)
        self.frozen = []


class KillServe(Nemesis):
    """The control plane is killed, and started again when this ends."""

    name, lasts, weight = "kill serve", (0.0, 3.0), 2

    def begin(self, run):
        run.landscape.node("primary")  # who is known to the fault that may come on top
        run.serve_is_down = True
        run.howdah.kill()
        return "serve"

    def end(self, run):
        run.howdah.start()
        run.serve_is_down = False


class Gateway(Nemesis):
    def __init__(self, name, number, lasts):
        self.name, self.number, self.lasts = name, number, lasts
        self.hit = []

    def begin(self, run):
        self.hit = [p for p in run.landscape.gateways() if p.signal(self.number)]
        return [p.pid for p in self.hit] or None

    def end(self, run):
        for process in self.hit if self.number == signal.SIGSTOP else []:
            process.signal(signal.SIGCONT)
        self.hit = []


class Reboot(Nemesis):
    """A planned change of roles, or a restart in place."""

    def __init__(self, name, force, weight=1):
        self.name, self.force, self.weight, self.fails_over = name, force, weight, force

    def begin(self, run):
        return run.api.call("reboot_db_instance", DBInstanceIdentifier=run.name, ForceFailover=self.force)


class Cancels(Nemesis):
    """The standby does not confirm, and who waits for it is cancelled or terminated; then the primary dies. Whoever was
    told of success in between has been told of something that only the dead primary had."""

    lasts = (0.3, 1.2)

    def __init__(self, how, then_kill):
        self.name = f"{how} waiters" + (", then kill primary" if then_kill else "")
        self.how, self.then_kill, self.fails_over = how, then_kill, then_kill
        self.weight = 2 if then_kill else 1

    def begin(self, run):
        receivers = run.landscape.of_kind("standby", "walreceiver")
        primary = run.landscape.of_kind("primary", "node")
        try:
            connection = psycopg2.connect(**run.endpoint, connect_timeout=5, application_name="cancels")
        except psycopg2.Error:
            return None
        connection.autocommit = True
        self.frozen = [p for p in receivers if p.signal(signal.SIGSTOP)]
        hits = 0
        try:
            until = time.monotonic() + run.random.uniform(0.3, 1.2)
            with connection.cursor() as cursor:
                while time.monotonic() < until:
                    cursor.execute(f"SELECT count(pg_{self.how}_backend(pid)) FROM pg_stat_activity "
                                   "WHERE wait_event = 'SyncRep' AND pid <> pg_backend_pid()")
                    hits += cursor.fetchone()[0]
            connection.close()
        except psycopg2.Error:
            pass
        if self.then_kill:
            for process in primary:
                process.signal(signal.SIGKILL)
        return {"waiters": hits, "killed": len(primary) if self.then_kill else 0}

    def end(self, run):
        for process in self.frozen:
            process.signal(signal.SIGCONT)


class Fill(Nemesis):
    """The file system of one node has nearly no room."""

    lasts, needs_disks = (2.0, 8.0), True

    def __init__(self, role):
        self.name = f"fill {role}'s disk"
        self.role = role

    def begin(self, run):
        node = run.landscape.node(self.role)
        if not node:
            return None
        directory = run.howdah.home / "zones" / node["AvailabilityZone"]
        self.junk = directory / "junk"
        size = shutil.disk_usage(directory).free - run.random.randint(8, 64) * MIB
        done = subprocess.run(["fallocate", "-l", str(max(size, MIB)), self.junk], stderr=subprocess.PIPE, text=True)
        return {"zone": node["AvailabilityZone"], "bytes": size, "said": done.stderr.strip() or None}

    def end(self, run):
        if getattr(self, "junk", None):
            self.junk.unlink(missing_ok=True)


class Io(Nemesis):
    """Writes or syncs of one node are slow or fail; see io_faults.c."""

    lasts, needs_io_faults = (0.5, 4.0), True

    def __init__(self, role, what, how, where, weight=1):
        self.name = f"{what} {how} {where} on {role}"
        self.role, self.fault, self.weight = role, f"{what} {how} {where}", weight
        self.file = None

    def begin(self, run):
        node = run.landscape.node(self.role)
        if not node:
            return None
        self.file = run.howdah.home / "zones" / node["AvailabilityZone"] / node["NodeId"] / "io-fault"
        self.file.write_text(self.fault)
        self.file.chmod(0o644)
        return node["NodeId"]

    def end(self, run):
        if self.file:
            self.file.unlink(missing_ok=True)


class Together(Nemesis):
    """One fault on top of another, a moment later."""

    def __init__(self, first, second, gap=(0.0, 0.6), weight=1):
        self.first, self.second, self.gap, self.weight = first, second, gap, weight
        self.name = f"{first.name} + {second.name}"
        self.lasts = second.lasts
        self.fails_over = first.fails_over or second.fails_over
        self.needs_disks = first.needs_disks or second.needs_disks
        self.needs_io_faults = first.needs_io_faults or second.needs_io_faults

    def begin(self, run):
        did = [self.first.begin(run)]
        run.pause(run.random.uniform(*self.gap))
        self.second_began = True
        did.append(self.second.begin(run))
        return did if any(did) else None

    def end(self, run):
        self.second.end(run)
        self.first.end(run)


def all_nemeses():
    primary = lambda kind: Kill("primary", kind)
    switchover = Reboot("switchover", True, weight=4)
    return [
        Kill("primary", "postmaster", weight=4), Kill("primary", "node", weight=4),
        *(Kill("primary", kind) for kind in ("backend", "walsender", "checkpointer", "walwriter")),
        *(Kill("standby", kind) for kind in ("postmaster", "node", "walreceiver", "startup", "checkpointer")),
        Freeze("primary", "node", weight=3), Freeze("standby", "node"),
        *(Freeze("primary", kind) for kind in ("postmaster", "backend", "walsender", "checkpointer")),
        *(Freeze("standby", kind) for kind in ("postmaster", "walreceiver", "startup", "checkpointer")),
        KillServe(), Gateway("kill gateway", signal.SIGKILL, (0.0, 0.5)),
        Gateway("freeze gateway", signal.SIGSTOP, (0.2, 2.0)),
        switchover, Reboot("reboot", False), Storm(),
        *(Cancels(how, then_kill) for how in ("cancel", "terminate") for then_kill in (False, True)),
        Fill("primary"), Fill("standby"),
        *(Io(role, "sync", how, "pg_wal") for role in ("primary", "standby") for how in ("slow:300", "EIO")),
        *(Io(role, "write", "ENOSPC", "pg_wal") for role in ("primary", "standby")),
        Io("primary", "sync", "EIO", "base"),
        Together(primary("node"), KillServe(), weight=2), Together(primary("postmaster"), KillServe(), (0.0, 0.1)),
        Together(Reboot("switchover", True), KillServe(), weight=2),
        Together(KillServe(), primary("node")), Together(KillServe(), Freeze("primary", "node")),
        Together(primary("node"), Gateway("kill gateway", signal.SIGKILL, (0.0, 0.5))),
        Together(Reboot("switchover", True), Gateway("kill gateway", signal.SIGKILL, (0.0, 0.5)), (0.0, 0.2)),
        Together(Reboot("switchover", True), primary("node"), (0.0, 0.3)),
        Together(Reboot("switchover", True), Kill("standby", "node"), (0.0, 0.3)),
        Together(primary("node"), Kill("standby", "node"), (0.0, 0.3)),
        Together(Kill("standby", "node"), primary("node"), (0.0, 3.0)),
        Together(Storm(), primary("node")), Together(Storm(), Freeze("primary", "node")),
        Together(Freeze("standby", "walreceiver"), primary("node")),
        Together(Freeze("standby", "startup"), primary("node")),
        Together(Fill("standby"), primary("postmaster")),
    ]


def failovers():
    """What the long run is made of: mostly quick ones."""
    return [Kill("primary", "node", weight=4), Kill("primary", "postmaster", weight=4), Reboot("switchover", True, weight=6),
            Kill("primary", "checkpointer"), Freeze("primary", "node", lasts=(4.0, 6.0)),
            Together(Kill("primary", "node"), KillServe()), Together(Reboot("switchover", True), KillServe()),
            Cancels("cancel", True), Cancels("terminate", True)]
