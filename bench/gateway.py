"""The gateway's two ways beside a direct connection, HAProxy and PgBouncer, in one interleaved session.

    ./dev bench gateway [--rounds N] [--seconds S] [--only NAME]…

One PostgreSQL, pgbench -S against it. Within a round every target is measured once in each cell, and what is printed is
the median over rounds of

- the ratio of transactions a second to those of the direct connection, of the same round and cell,
- the same ratio reckoned from CPU time: what client, server and proxy together spend on one transaction. It is what the
  first one comes to where the CPUs are what is short, and it holds on a machine that does other things too,
- the proxy's CPU microseconds for one transaction.

docs/benchmarks.md holds the numbers of a named machine.
"""

import argparse
import os
import pathlib
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
sys.path.insert(0, str(ROOT / "tests/system"))
os.environ.setdefault("HOWDAH_HANDOVER_LIBRARY", str(ROOT / "build/release/src/preload/libhowdah_handover.so"))
from gateway_harness import BIN, CLIENTS, LIBRARY, PASSWORD, Control, GatewayCase, Postgres, make_certificate, must, wait_for  # noqa: E402

PROGRAM = os.environ.get("HOWDAH_PROGRAM", str(ROOT / "build/release/bin/howdah"))
SERVER, RELAY, HANDOVER, HAPROXY, BOUNCER = (f"127.77.2.{n}" for n in (20, 21, 22, 23, 24))
PORT = 5432
POOLED_PORT = 5433

# What is measured: pgbench's words, clients, TLS.
CELLS = {f"{mode}, {clients}{', TLS' if tls else ''}": (["-M", mode], clients, tls)
         for tls in (False, True) for mode in ("prepared", "simple") for clients in (1, 8, 32)}
CELLS |= {f"connect each, 8{', TLS' if tls else ''}": (["-C"], 8, tls) for tls in (False, True)}


class Target:
    """Where pgbench connects, and whose CPU time is the proxy's."""

    def __init__(self, name, host, port=PORT, process=None, leave_out=lambda cell: False, tls_port=None):
        self.name, self.host, self.port, self.process, self.leave_out = name, host, port, process, leave_out
        self.tls_port = tls_port or port

    def place(self, tls):
        """The port for clients with or without TLS."""
        return self.tls_port if tls else self.port

    def cpu_seconds(self):
        return sum(cpu_of(self.process.pid)[:2]) if self.process else 0


TICK = os.sysconf("SC_CLK_TCK")


def cpu_of(pid):
    """Seconds of a process: user, system, and both of its children that have ended."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return [0, 0, 0, 0]
    return [int(field) / TICK for field in fields[11:15]]


def cpu_of_server(postmaster):
    children = pathlib.Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    return sum(cpu_of(postmaster)) + sum(sum(cpu_of(child)[:2]) for child in children)


def cpu_of_clients():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run_pgbench(target, postmaster, words, clients, tls, seconds):
    """Transactions in a second; CPU microseconds for one, of all together and of the proxy. None: there were none."""
    env = {**os.environ, "PGPASSWORD": PASSWORD, "PGSSLMODE": "require" if tls else "disable",
           "PGCHANNELBINDING": "disable"}
    for _ in range(3):  # on a busy machine a short run may end before its first transaction
        before = [target.cpu_seconds(), cpu_of_server(postmaster), cpu_of_clients()]
        done = subprocess.run([CLIENTS + "/pgbench", "-n", "-S", *words, "-c", str(clients), "-j", "1",
                               "-T", str(seconds + (clients > 8)),
                               "-h", target.host, "-p", str(target.place(tls)), "-U", "ann", "postgres"],
                              env=env, capture_output=True, text=True, timeout=seconds + 60)
        after = [target.cpu_seconds(), cpu_of_server(postmaster), cpu_of_clients()]
        tps = re.search(r"tps = ([\d.]+)", done.stdout)
        transactions = int((re.search(r"actually processed: (\d+)", done.stdout) or [0, 0])[1])
        if done.returncode == 0 and tps and transactions:
            return (float(tps[1]), (sum(after) - sum(before)) / transactions * 1e6,
                    (after[0] - before[0]) / transactions * 1e6)
    return None


class Setting:
    """Everything that runs, each process ended by its id."""

    def __init__(self):
        self.home = tempfile.mkdtemp(prefix="hgb")
        os.chmod(self.home, 0o755)
        self.processes = []
        self.server = None

    def __enter__(self):
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
        if self.server:
            self.server.stop()
        shutil.rmtree(self.home, ignore_errors=True)

    def _spawn(self, *command):
        log = open(self.home + "/log", "ab")
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd="/")
        log.close()
        self.processes.append(process)
        return process

    def _start(self):
        self.tls = make_certificate(self.home)
        os.mkdir(self.home + "/pg")
        for name in ("crt", "key"):
            os.chown(shutil.copy2(f"{self.home}/{name}", f"{self.home}/pg-{name}"), *GatewayCase.server_owner())
        self.server = Postgres(self.home + "/pg", f"-c listen_addresses={SERVER} -c max_connections=300 -c ssl=on "
                               f"-c ssl_cert_file={self.home}/pg-crt -c ssl_key_file={self.home}/pg-key "
                               "-c shared_buffers=256MB", LIBRARY)
        must(CLIENTS + "/pgbench", "-i", "-q", "-s", "5", "-h", SERVER, "-U", "ann", "postgres",
             env={**os.environ, "PGPASSWORD": PASSWORD})
        self.targets = [Target("direct", SERVER), *self._gateway(), self._haproxy(), *self._bouncer()]

    def _gateway(self):
        control = self.home + "/c/control"
        process = self._spawn(PROGRAM, "gateway", "--control", control)
        self.control = Control(control)
        relay = {"instance": "relay", "listen_address": RELAY, "port": PORT, "backend_socket_dir": self.server.sockets,
                 "epoch": 1, "state": "open", "tls": self.tls, "interfaces": [],
                 "allow": [{"cidr": "127.0.0.0/8", "from_port": 0, "to_port": 65535}]}
        handover = {**relay, "instance": "handover", "listen_address": HANDOVER, "server_tls": True,
                    "handover_socket": self.server.handover}
        answer = self.control.ask({"version": 1, "routes": [relay, handover]})
        if answer["errors"]:
            raise RuntimeError(answer)
        return [Target("Howdah, handover", HANDOVER, process=process), Target("Howdah, relay", RELAY, process=process)]

    def _haproxy(self):
        """To the server's Unix socket, its faster way; TLS, which it cannot end for PostgreSQL, to the TCP port."""
        config = self.home + "/haproxy.cfg"
        body = f"global\n  nbthread {os.cpu_count()}\n  maxconn 2000\ndefaults\n  mode tcp\n  timeout connect 5s\n" \
               "  timeout client 1h\n  timeout server 1h\n"
        for name, port, place in (("clear", PORT, f"unix@{self.server.sockets}/.s.PGSQL.{PORT}"),
                                  ("tls", POOLED_PORT, f"{SERVER}:{PORT}")):
            body += f"listen {name}\n  bind {HAPROXY}:{port}\n  server s {place}\n"
        pathlib.Path(config).write_text(body)
        process = self._spawn(shutil.which("haproxy") or "/usr/sbin/haproxy", "-db", "-f", config)
        return Target("HAProxy", HAPROXY, process=process, tls_port=POOLED_PORT)

    def _bouncer(self):
        """One process for each pool mode, TLS ended in it, to the server's Unix socket."""
        targets = []
        users = self.home + "/users"
        pathlib.Path(users).write_text(f'"ann" "{PASSWORD}"\n')
        os.chmod(users, 0o600)
        self.server.own(users)
        for mode, port in (("session", PORT), ("transaction", POOLED_PORT)):
            config = f"{self.home}/{mode}.ini"
            pathlib.Path(config).write_text(
                f"[databases]\npostgres = host={self.server.sockets} port={PORT} dbname=postgres\n"
                f"[pgbouncer]\nlisten_addr = {BOUNCER}\nlisten_port = {port}\nunix_socket_dir =\npool_mode = {mode}\n"
                f"auth_type = scram-sha-256\nauth_file = {users}\nmax_client_conn = 1000\ndefault_pool_size = 64\n"
                f"client_tls_sslmode = allow\nclient_tls_key_file = {self.home}/pg-key\n"
                f"client_tls_cert_file = {self.home}/pg-crt\nlog_connections = 0\nlog_disconnections = 0\n")
            process = self._spawn(*self.server.prefix, shutil.which("pgbouncer") or "/usr/sbin/pgbouncer", config)
            # Debian's PgBouncer keeps no prepared statements across a transaction's pool.
            leave_out = (lambda cell: cell.startswith("prepared")) if mode == "transaction" else (lambda cell: False)
            targets.append(Target(f"PgBouncer, {mode}", BOUNCER, port, process, leave_out))
        return targets

    def ready(self):
        for target in self.targets:
            for tls in (False, True):
                tries = lambda: subprocess.run(
                    ["psql", f"host={target.host} port={target.place(tls)} user=ann dbname=postgres "
                     f"sslmode={'require' if tls else 'disable'}", "-XAtc", "select 1"], capture_output=True,
                    env={**os.environ, "PGPASSWORD": PASSWORD}).returncode == 0
                if not wait_for(tries):
                    log = pathlib.Path(self.home + "/log").read_text()
                    raise RuntimeError(f"{target.name} does not serve{' TLS' if tls else ''}:\n{log}")


def measure(setting, rounds, seconds, only):
    """{target: {cell: [(ratio, CPU ratio, proxy's CPU µs)]}}, and direct's [(transactions a second, CPU µs)]."""
    results, direct = {target.name: {} for target in setting.targets}, {}
    cells = {name: cell for name, cell in CELLS.items() if not only or any(word in name for word in only)}
    for number in range(rounds):
        for cell, (words, clients, tls) in cells.items():
            base = None
            for target in setting.targets:
                if target.leave_out(cell) or not (base or target.name == "direct"):
                    continue
                measured = run_pgbench(target, setting.server.process.pid, words, clients, tls, seconds)
                if not measured:
                    print(f"round {number + 1}: {cell}: {target.name} came to no end", file=sys.stderr)
                    continue
                if target.name == "direct":
                    base = measured
                    direct.setdefault(cell, []).append(base[:2])
                results[target.name].setdefault(cell, []).append(
                    (measured[0] / base[0], base[1] / measured[1], measured[2]))
            print(f"round {number + 1}: {cell}", file=sys.stderr, flush=True)
    return results, direct


def show(results, direct):
    names = list(results)[1:]
    print("| | direct | " + " | ".join(names) + " |")
    print("|---|---|" + "---|" * len(names))
    for cell, bases in direct.items():
        tps, cpu = (statistics.median(column) for column in zip(*bases))
        row = [f"{tps:.0f}/s, {cpu:.0f} µs"]
        for name in names:
            values = results[name].get(cell)
            row.append("{:.2f}, **{:.2f}**, {:.0f} µs".format(*map(statistics.median, zip(*values))) if values else "–")
        print(f"| {cell} | " + " | ".join(row) + " |")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3, help="of each measurement")
    parser.add_argument("--only", action="append", help="only cells whose name has this in it")
    options = parser.parse_args()
    with Setting() as setting:
        setting.ready()
        begun = time.monotonic()
        results, direct = measure(setting, options.rounds, options.seconds, options.only)
        versions = [must(BIN + "/postgres", "--version").strip(), must("haproxy", "-v").splitlines()[0],
                    must("pgbouncer", "--version").splitlines()[0]]
        print(f"{os.cpu_count()} CPUs, Linux {os.uname().release}, {options.rounds} rounds of {options.seconds} s, "
              f"{time.monotonic() - begun:.0f} s in all\n{'; '.join(versions)}\n")
        show(results, direct)


if __name__ == "__main__":
    sys.exit(main())
