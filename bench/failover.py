"""From a fault to the first acknowledged write through the endpoint, beside Patroni with etcd on the same machine.

    ./dev bench failover [--runs N] [--peer-runs N] [--fault NAME]… [--load idle|pgbench] [--engine VERSION]…

Faults: `kill postmaster`, `kill node` (all server processes at once), `freeze` (SIGSTOP of all of them), `standby loss` (all
of its server processes killed) and `switchover` (planned). Meanwhile three writers connect anew for each row and one keeps
its session; whoever is cut or refused tries again 10 ms later. Frozen is the node as a whole: with Patroni, its agent too,
which is what a frozen host is; Howdah's agent for both nodes of one host is `serve`, which goes on. For the first three, what is measured is the time from the
signal to the first acknowledgement of a write that began after it, by a server of a newer timeline or of a newer start; for
the others the longest time between two acknowledgements of all writers together. Rounds are interleaved: within one, every
fault is measured once on every side. Nothing acknowledged may be missing at the end, on either side.
"""

import argparse
import contextlib
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import threading
import time

import psycopg2

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests/system"), str(ROOT / "tests/fault")]
import patroni  # noqa: E402
from harness import Howdah, eventually  # noqa: E402
from landscape import Landscape  # noqa: E402

FAULTS = ("kill postmaster", "kill node", "freeze", "standby loss", "switchover")
LOADS = ("idle", "pgbench")
PGBENCH = "/usr/lib/postgresql/15/bin/pgbench"
RATE = 100  # transactions a second of all pgbench clients
CLIENTS = 4
LONGEST = 120

# The server's start tells a restart from a failover; a timeline alone would not show one.
INSERT = "INSERT INTO bench_failover VALUES (%s) RETURNING extract(epoch FROM pg_postmaster_start_time())::text || ' ' || " \
         "substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)"


class HowdahPair:
    """A Multi-AZ instance of Howdah's, with the faces that Patroni has here."""

    def __init__(self, version):
        self.version, self.name = version, f"Howdah, {version}"
        self.helped, self.gone = 0, False

    def __enter__(self):
        # One failover after the other is what is measured: no limit on how many.
        self.howdah = Howdah(options=["--failover-hold-down", "0"]).start()
        try:
            network = self.howdah.network()
            self.howdah.admit_host(network["db"])
            self.howdah.create_instance("bench", network, MultiAZ=True, EngineVersion=self.version)
            instance = self.howdah.await_available("bench")
            self.endpoint = {"host": instance["Endpoint"]["Address"], "port": instance["Endpoint"]["Port"],
                             "dbname": "appdb", "user": "dbadmin", "password": "a-password-0"}
            self.landscape = Landscape(self.howdah, "bench")
            self.await_whole()
        except BaseException:
            self.howdah.destroy()
            raise
        return self

    def __exit__(self, *_):
        self.howdah.stop()

    def await_whole(self, seconds=120):
        self.landscape.await_whole(seconds)

    def recover(self):
        """Nobody helps."""
        self.await_whole()

    def of(self, role):
        return self.landscape.of_kind(role, "node")

    def frozen_together(self):
        return self.of("primary")

    def switchover(self):
        self.howdah.rds.reboot_db_instance(DBInstanceIdentifier="bench", ForceFailover=True)


class Writer(threading.Thread):
    """Writes rows; with `fresh`, each over a connection of its own."""

    def __init__(self, side, number, fresh):
        super().__init__(daemon=True)
        self.side, self.number, self.fresh = side, number, fresh
        self.done = threading.Event()
        self.acks = []  # (begun, ended, server, row)
        self.refusals = []  # (when, why): of attempts to connect
        self.connection = None

    def run(self):
        row = self.number * 100_000_000
        while not self.done.is_set():
            row += 1
            if self.write(row):
                self.done.wait(0.02)
            else:
                self.done.wait(0.01)
        self.close()

    def write(self, row):
        begun = time.monotonic()
        try:
            if not self.connection:
                self.connection = psycopg2.connect(**self.side.endpoint, connect_timeout=2)
                self.connection.autocommit = True
        except psycopg2.Error as error:
            self.refusals.append((begun, str(error).strip().split("\n")[0]))
            return False
        try:
            with self.connection.cursor() as cursor:
                cursor.execute(INSERT, (row,))
                server = cursor.fetchone()[0]
        except psycopg2.Error:
            self.close()
            return False
        self.acks.append((begun, time.monotonic(), server, row))
        if self.fresh:
            self.close()
        return True

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None


class Writers:
    """All writers of one side, from its start to its end."""

    def __init__(self, side):
        self.side = side
        execute(side, "DROP TABLE IF EXISTS bench_failover", "CREATE TABLE bench_failover (n bigint PRIMARY KEY)")
        self.threads = [Writer(side, number, fresh=number > 0) for number in range(4)]
        for thread in self.threads:
            thread.start()

    def acks(self, since):
        return sorted((ack for t in self.threads for ack in list(t.acks) if ack[1] >= since), key=lambda ack: ack[1])

    def refusals(self, since):
        return [why for t in self.threads for when, why in list(t.refusals) if when >= since]

    def latest_server(self):
        acks = self.acks(0)
        return acks[-1][2] if acks else None

    def stop(self):
        """Acknowledged rows that are not there."""
        for thread in self.threads:
            thread.done.set()
        for thread in self.threads:
            thread.join(30)
        there = {row[0] for row in execute(self.side, "SELECT n FROM bench_failover")}
        return sorted({ack[3] for ack in self.acks(0)} - there)


def execute(side, *statements):
    connection = psycopg2.connect(**side.endpoint, connect_timeout=10)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchall() if cursor.description else None
    finally:
        connection.close()


def await_load(side, clients):
    """Until so many sessions of pgbench are at work."""
    working = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgbench' AND query ~ '^(UPDATE|INSERT|END)'"
    deadline = time.monotonic() + 30
    while execute(side, working)[0][0] < clients:
        if time.monotonic() > deadline:
            raise RuntimeError("pgbench does not come to work")
        time.sleep(0.05)


class Load:
    """pgbench at a bounded rate; it ends with its connections, so each run has one of its own."""

    def __init__(self, side, kind):
        self.process = None
        if kind == "pgbench":
            place = side.endpoint
            self.process = subprocess.Popen(
                [PGBENCH, "-n", "-c", str(CLIENTS), "-j", "1", "-R", str(RATE), "-T", "600", "-h", place["host"], "-p",
                 str(place["port"]), "-U", place["user"], place["dbname"]],
                env={**os.environ, "PGPASSWORD": place["password"]}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            await_load(side, CLIENTS)

    def end(self):
        if self.process:
            self.process.kill()
            self.process.wait(10)

    @staticmethod
    def prepare(side):
        place = side.endpoint
        subprocess.run([PGBENCH, "-i", "-q", "-s", "2", "-h", place["host"], "-p", str(place["port"]), "-U",
                        place["user"], place["dbname"]], env={**os.environ, "PGPASSWORD": place["password"]},
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def inflict(side, fault):
    """(when, processes to let go on afterwards)"""
    if fault == "switchover":
        begun = time.monotonic()
        side.switchover()
        return begun, []
    processes = side.frozen_together() if fault == "freeze" else side.of("standby" if fault == "standby loss" else "primary")
    if fault == "kill postmaster":
        processes = [p for p in processes if p.kind == "postmaster"]
    if not processes:
        raise RuntimeError(f"{side.name}: nobody to hit for '{fault}'")
    begun = time.monotonic()
    for process in processes:
        process.signal(signal.SIGSTOP if fault == "freeze" else signal.SIGKILL)
    return begun, processes if fault == "freeze" else []


def measure(side, writers, fault, load_kind):
    """(seconds, why connecting was refused, each time)"""
    before = writers.latest_server()
    load = Load(side, load_kind)
    begun, frozen = inflict(side, fault)
    try:
        if fault in ("standby loss", "switchover"):
            seconds = longest_gap(side, writers, begun, before, fault)
        else:
            ack = eventually(lambda: next((a for a in writers.acks(begun) if a[0] >= begun and a[2] != before), None),
                             LONGEST, f"a write after '{fault}' on {side.name}", 0.01)
            seconds = ack[1] - begun
    finally:
        for process in frozen:
            process.signal(signal.SIGCONT)
        load.end()
    return seconds, writers.refusals(begun)


def longest_gap(side, writers, begun, before, fault):
    """Between two acknowledgements, until the pair is whole again (and, when it is planned, another server writes)."""
    if fault == "switchover":
        eventually(lambda: any(ack[2] != before for ack in writers.acks(begun)), LONGEST, f"another server on {side.name}")
    side.await_whole()
    last = time.monotonic()
    eventually(lambda: writers.acks(last), LONGEST, f"writes on {side.name}")
    times = [begun] + [ack[1] for ack in writers.acks(begun)]
    return max(b - a for a, b in zip(times, times[1:]))


def percentile(values, p):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-len(ordered) * p // 100) - 1))]


def show(results):
    print("| fault | load | | runs | p50 | p99 | max | refused, p50 | refused, max |")
    print("|---|---|---|---|---|---|---|---|---|")
    for (fault, load, side), runs in results.items():
        times, refusals = zip(*runs)
        print(f"| {fault} | {load} | {side} | {len(runs)} | {percentile(times, 50):.2f} s | {percentile(times, 99):.2f} s | "
              f"{max(times):.2f} s | {statistics.median(refusals):.0f} | {max(refusals)} |")


def rounds(options, sides):
    """{(fault, load, side): [(seconds, refusals)]}, and how many acknowledged rows each side lost."""
    writers = {}
    for side in sides:
        Load.prepare(side)
        writers[side.name] = Writers(side)
    results = {(fault, load, side.name): [] for load in options.load for fault in options.fault for side in sides}
    began = time.monotonic()
    for number in range(max(options.runs, options.peer_runs)):
        if time.monotonic() - began > options.minutes * 60:
            print(f"the time is up after {number} rounds", file=sys.stderr)
            break
        for fault, load, name in results:
            side = next(s for s in sides if s.name == name)
            if side.gone:
                continue
            if number >= (options.peer_runs if isinstance(side, patroni.Patroni) else options.runs):
                continue
            try:
                measured = measure(side, writers[name], fault, load)
            except (AssertionError, RuntimeError, psycopg2.Error) as error:
                print(f"round {number + 1}: {name}: {fault}, {load}: {error}", file=sys.stderr, flush=True)
                recover(side)
                continue
            seconds, refusals = measured
            results[fault, load, name].append((seconds, len(refusals)))
            print(f"round {number + 1}: {name}: {fault}, {load}: {seconds:.3f} s, refused {len(refusals)} "
                  f"{sorted(set(refusals))[:3] or ''}", file=sys.stderr, flush=True)
            recover(side)
    return {key: runs for key, runs in results.items() if runs}, {side.name: None if side.gone else writers[side.name].stop() for side in sides}


def recover(side):
    """A side that does not come back takes no further part; what was measured of it counts."""
    try:
        side.recover()
    except AssertionError as error:
        side.gone = True
        print(f"{side.name} does not come back: {error}", file=sys.stderr, flush=True)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # with everything ended that was started
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=30, help="of Howdah")
    parser.add_argument("--peer-runs", type=int, default=5, help="of Patroni, each of which takes much longer; 0: none")
    parser.add_argument("--minutes", type=float, default=600, help="begin no round after that")
    parser.add_argument("--fault", action="append", choices=FAULTS)
    parser.add_argument("--load", action="append", choices=LOADS)
    parser.add_argument("--engine", action="append", help="of Howdah; Patroni's is Debian's 15")
    options = parser.parse_args()
    options.fault, options.load = options.fault or list(FAULTS), options.load or list(LOADS)
    makers = [lambda v=v: HowdahPair(v) for v in options.engine or ["14.17", "15.20"]] if options.runs else []
    makers += [patroni.Patroni] if options.peer_runs else []
    with contextlib.ExitStack() as stack:
        sides = [stack.enter_context(make()) for make in makers]
        begun = time.monotonic()
        results, lost = rounds(options, sides)
        print(f"{os.cpu_count()} CPUs, Linux {os.uname().release}, {options.runs} runs of Howdah and {options.peer_runs} of "
              f"Patroni {version('patroni')} with etcd {version('etcd-server')}, {time.monotonic() - begun:.0f} s\n")
        show(results)
        for side in sides:
            rows = lost[side.name]
            print(f"\n{side.name}: {'not read back' if rows is None else f'{len(rows)} acknowledged rows lost'}; "
                  f"a node had to be made anew by hand {side.helped} times", end="")
        print()


def version(package):
    return subprocess.run(["dpkg-query", "-W", "-f=${Version}", package], capture_output=True, text=True).stdout or "none"


if __name__ == "__main__":
    sys.exit(main())
