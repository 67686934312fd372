"""Base backups beside pgBackRest from Debian, pg_basebackup and a plain copy, in one interleaved session.

    ./dev bench backup [--scale N] [--rounds N] [--workload SECONDS] [--only NAME]…

One PostgreSQL 15 with page checksums and a pgbench database, of 15 MB times the scale; everything on one disk. In each round,
for each of the ways, in turn: a full backup; then nothing, one stretch of a table, or single rows all over it is changed and an
incremental backup taken; a restore into a new directory; and a delta restore into one that is right already. What is printed
is the median of the rounds: seconds, CPU seconds, what the repository has grown by, and pgBackRest's seconds with lz4 over
ours, of the same round. Then pgbench runs with and without full backups beside it.

Ours is always encrypted and compressed (zstd 1). pgBackRest with lz4 does not encrypt; with zstd and AES-256 it does what
ours does. What is on disk is synced before the time is taken and counted as done only when it is durable.
"""

import argparse
import json
import os
import pathlib
import pwd
import re
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
TOOL = os.environ.get("HOWDAH_BACKUP_TOOL", str(ROOT / "build/release/bin/howdah_backup_tool"))
BIN = os.environ.get("PG_BIN", "/usr/lib/postgresql/15/bin")
USER = "postgres"
# What is changed before an incremental backup.
CHANGES = {
    "none": None,
    "concentrated": "UPDATE pgbench_accounts SET abalance = abalance + 1 WHERE aid BETWEEN 1000 AND {rows} / 50",
    "scattered": "UPDATE pgbench_accounts SET abalance = abalance + 1 WHERE aid % 2000 = {round}",
}


def must(*command, **more):
    done = subprocess.run(command, capture_output=True, text=True, **more)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stdout}{done.stderr}")
    return done.stdout


def size_of(path):
    return sum(file.stat().st_size for file in pathlib.Path(path).rglob("*") if file.is_file())


def cpu_of_children():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Server:
    """A PostgreSQL of its own on a Unix socket, as another user where we are root."""

    def __init__(self, home, scale):
        self.home, self.data, self.sockets = home, home + "/data", home + "/sockets"
        self.prefix = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups"] if os.getuid() == 0 else []
        os.mkdir(self.sockets)
        for path in (home, self.sockets):
            self.own(path)
        must(*self.prefix, BIN + "/initdb", "-D", self.data, "-U", "ann", "-A", "trust", "-k", "-E", "UTF8", "--locale=C",
             "-N", cwd="/")
        with open(self.data + "/postgresql.conf", "a") as config:
            config.write("listen_addresses = ''\nshared_buffers = 256MB\nmax_wal_size = 4GB\ncheckpoint_timeout = 1h\n"
                         f"autovacuum = off\nunix_socket_directories = '{self.sockets}'\narchive_mode = on\n"
                         "archive_command = '/bin/true'\n")
        with open(home + "/log", "w") as log:
            self.process = subprocess.Popen([*self.prefix, BIN + "/postgres", "-D", self.data], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, cwd="/")
        deadline = time.monotonic() + 30
        while subprocess.run([BIN + "/pg_isready", "-q", "-h", self.sockets]).returncode != 0:
            if time.monotonic() > deadline:
                raise RuntimeError("PostgreSQL does not start: " + open(home + "/log").read())
            time.sleep(0.05)
        must(BIN + "/pgbench", "-i", "-q", "-s", str(scale), "-h", self.sockets, "-U", "ann", "postgres")
        self.rows = scale * 100_000

    def own(self, path):
        if self.prefix:
            user = pwd.getpwnam(USER)
            os.chown(path, user.pw_uid, user.pw_gid)
        return path

    def sql(self, text):
        must(BIN + "/psql", "-X", "-q", "-h", self.sockets, "-U", "ann", "-c", text, "postgres")

    def change(self, kind, number):
        if CHANGES[kind]:
            self.sql(CHANGES[kind].format(rows=self.rows, round=number))
        self.sql("CHECKPOINT")

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(60)


class Ours:
    """howdah_backup_tool: what the host agent runs."""

    def __init__(self, server, home):
        self.server, self.home, self.repository, self.number = server, home, home + "/ours", 0

    def reset(self):
        shutil.rmtree(self.repository, ignore_errors=True)

    def _tool(self, *words):
        return json.loads(must(TOOL, *words, "--repository", self.repository))

    def backup(self, full):
        self.number += 1
        self._tool("take", "--backup", f"b-{self.number:06}", "--socket", self.server.sockets, "--user", "ann",
                   *(["--full"] if full else []))

    def restore(self, target, delta):
        self._tool("restore", "--backup", f"b-{self.number:06}", "--directory", target, *(["--delta"] if delta else []))

    def size(self):
        return size_of(self.repository) if os.path.exists(self.repository) else 0


class BackRest:
    """pgBackRest with two processes, as the server's user, without its archive: base backups alone are compared."""

    def __init__(self, server, home, name, words):
        self.server = server
        self.repository = server.own(self._mkdir(f"{home}/{name}"))
        self.words = ["--stanza=main", f"--pg1-path={server.data}", f"--pg1-socket-path={server.sockets}", "--pg1-user=ann",
                      "--pg1-database=postgres", f"--repo1-path={self.repository}", "--process-max=2", "--start-fast",
                      "--no-archive-check", "--log-level-console=warn", "--log-level-file=off",
                      f"--lock-path={home}/lock", f"--spool-path={home}/spool", *words]

    @staticmethod
    def _mkdir(path):
        os.makedirs(path, exist_ok=True)
        return path

    def _run(self, command, *words):
        # An option that a command does not know is an error: each gets its own.
        known = {"stanza-create": r"--(start-fast|no-archive-check|process-max|compress|spool)",
                 "backup": r"--spool", "restore": r"--(start-fast|no-archive-check|pg1-socket|pg1-user|pg1-database|compress|spool)"}
        given = {word.split("=")[0] for word in words}
        fit = [word for word in self.words if not re.match(known[command], word) and word.split("=")[0] not in given]
        env = {**os.environ}
        for name in [name for name in env if name.startswith("PGBACKREST")]:
            del env[name]
        if "--repo1-cipher-type=aes-256-cbc" in self.words:
            env["PGBACKREST_REPO1_CIPHER_PASS"] = "only-for-this-bench"
        must(*self.server.prefix, "pgbackrest", *fit, *words, command, cwd="/", env=env)

    def reset(self):
        for path in pathlib.Path(self.repository).glob("*"):
            shutil.rmtree(path)
        self._run("stanza-create")

    def backup(self, full):
        self._run("backup", "--type=" + ("full" if full else "incr"))

    def restore(self, target, delta):
        if not os.path.exists(target):
            os.mkdir(target, 0o700)
            self.server.own(target)
        self._run("restore", f"--pg1-path={target}", "--type=none", *(["--delta"] if delta else []))

    def size(self):
        return size_of(self.repository)


class BaseBackup:
    """pg_basebackup, plain, without WAL."""

    def __init__(self, server, home):
        self.server, self.target = server, server.own(BackRest._mkdir(home + "/pgbb")) + "/data"

    def reset(self):
        shutil.rmtree(self.target, ignore_errors=True)

    def backup(self, full):
        must(*self.server.prefix, BIN + "/pg_basebackup", "-h", self.server.sockets, "-U", "ann", "-D", self.target, "-X", "none",
             "-c", "fast", cwd="/")

    def size(self):
        return size_of(self.target)


class PlainCopy:
    """cp -a and a sync: no backup of a running server, but what the disk can do."""

    def __init__(self, server, home):
        self.server, self.target = server, home + "/cp"

    def reset(self):
        shutil.rmtree(self.target, ignore_errors=True)

    def backup(self, full):
        must("cp", "-a", self.server.data, self.target)
        must("sync", "-f", self.target)

    def size(self):
        return size_of(self.target)


class Bench:
    def __init__(self, server, home, ways):
        self.server, self.home, self.ways, self.rows, self.shares = server, home, ways, {}, {}

    def measure(self, cell, name, act, growth=None):
        os.sync()
        size, cpu, begin = growth() if growth else 0, cpu_of_children(), time.monotonic()
        act()
        seconds = time.monotonic() - begin
        row = (seconds, cpu_of_children() - cpu, (growth() - size) / 1e6 if growth else 0)
        self.rows.setdefault(cell, {}).setdefault(name, []).append(row)
        print(f"  {cell:26} {name:22} {seconds:7.2f} s", file=sys.stderr, flush=True)

    def round(self, number):
        # Nobody is always the first: what was deleted lately slows down whoever makes files next.
        names = list(self.ways)
        turn = number % len(names)
        ways = {name: self.ways[name] for name in names[turn:] + names[:turn]}
        for name, way in ways.items():
            way.reset()
            self.server.change("none", number)
            self.measure("full", name, lambda: way.backup(True), way.size)
        incremental = {name: way for name, way in ways.items() if hasattr(way, "restore")}
        for kind in CHANGES:
            self.server.change(kind, number)
            for name, way in incremental.items():
                self.measure("incremental, " + kind, name, lambda: way.backup(False), way.size)
        target = self.home + "/restored"
        for name, way in incremental.items():
            for delta in (False, True):
                cell = "delta restore, unchanged" if delta else "restore"
                self.measure(cell, name, lambda: way.restore(target, delta))
            shutil.rmtree(target)

    def workload(self, seconds):
        """Transactions in a second while full backups are taken, over those while none are."""
        words = [BIN + "/pgbench", "-n", "-c", "4", "-T", str(seconds), "-h", self.server.sockets, "-U", "ann", "postgres"]
        for name, way in self.ways.items():
            if not hasattr(way, "restore"):
                continue
            rates = []
            for busy in (False, True):
                way.reset()
                process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
                while busy and process.poll() is None:
                    way.backup(True)
                rates.append(float(re.search(r"tps = ([\d.]+)", process.communicate()[0])[1]))
            self.shares.setdefault(name, []).append(rates[1] / rates[0])
            print(f"  {'workload under backup':26} {name:22} {rates[1] / rates[0]:7.2f}", file=sys.stderr, flush=True)

    def report(self):
        print("| what | way | seconds | CPU s | MB stored | pgBackRest lz4 ÷ it |\n|---|---|---|---|---|---|")
        for cell, ways in self.rows.items():
            anchor = ways.get("pgBackRest lz4")
            for name, rows in ways.items():
                seconds, cpu, stored = (statistics.median(column) for column in zip(*rows))
                ratio = ""
                if anchor:
                    ratio = f"{statistics.median(a[0] / b[0] for a, b in zip(anchor, rows)):.2f}"
                print(f"| {cell} | {name} | {seconds:.2f} | {cpu:.2f} | {f'{stored:.0f}' if stored else ''} | {ratio} |")
        for name, shares in self.shares.items():
            print(f"\nThe workload's throughput while {name} takes full backups: {100 * statistics.median(shares):.0f} % of what it is.")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=int, default=150)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workload", type=int, default=30, help="seconds of pgbench with and without backups; 0: none")
    parser.add_argument("--only", action="append", help="a way; several may be named")
    parser.add_argument("--directory", default=None, help="where everything goes (default: a temporary directory)")
    options = parser.parse_args()
    home = tempfile.mkdtemp(prefix="hbb", dir=options.directory)
    os.chmod(home, 0o755)
    server = None
    try:
        os.mkdir(home + "/server")
        server = Server(home + "/server", options.scale)
        for name in ("lock", "spool"):
            server.own(BackRest._mkdir(f"{home}/{name}"))
        secure = ["--repo1-cipher-type=aes-256-cbc"]
        ways = {"howdah": lambda: Ours(server, home),
                "pgBackRest lz4": lambda: BackRest(server, home, "backrest-lz4", ["--compress-type=lz4"]),
                "pgBackRest zst, AES": lambda: BackRest(server, home, "backrest-zst", ["--compress-type=zst", *secure]),
                "pg_basebackup": lambda: BaseBackup(server, home),
                "cp": lambda: PlainCopy(server, home)}
        if options.only:
            ways = {name: make for name, make in ways.items() if name in options.only}
        bench = Bench(server, home, {name: make() for name, make in ways.items()})
        for number in range(options.rounds):
            bench.round(number)
            if options.workload:
                bench.workload(options.workload)
        bench.report()
    finally:
        if server:
            server.stop()
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
