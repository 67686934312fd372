"""A pair of PostgreSQL servers under Patroni with etcd and HAProxy, all on this machine: what failover is measured beside.

Configured as fast as it allows: ttl 20 is its least, primary_start_timeout 0 lets it fail over at once when its server is
gone, synchronous mode so that it too promises to lose nothing, HAProxy asks twice a second and cuts old sessions.
Everything is below one temporary directory, on loopback, and ended by process id.
"""

import json
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile
import urllib.error
import urllib.request

import psycopg2

from harness import eventually, free_port
from landscape import Process

BIN = "/usr/lib/postgresql/15/bin"
PASSWORD = "a-password-0"
USER = "postgres"

ETCD = "--name e --data-dir {home}/etcd --listen-client-urls http://127.0.0.1:{etcd} " \
       "--advertise-client-urls http://127.0.0.1:{etcd} --listen-peer-urls http://127.0.0.1:{peer} " \
       "--initial-advertise-peer-urls http://127.0.0.1:{peer} --initial-cluster e=http://127.0.0.1:{peer}"

NODE = """
scope: bench
name: {name}
restapi: {{listen: '127.0.0.1:{rest}', connect_address: '127.0.0.1:{rest}'}}
etcd3: {{hosts: '127.0.0.1:{etcd}'}}
bootstrap:
  dcs:
    ttl: 20
    loop_wait: 1
    retry_timeout: 3
    primary_start_timeout: 0
    maximum_lag_on_failover: 104857600
    synchronous_mode: true
    postgresql:
      use_pg_rewind: true
      parameters:
        max_connections: 100
        synchronous_commit: 'on'
        wal_log_hints: 'on'
        wal_receiver_timeout: 5s
        wal_sender_timeout: 5s
        wal_retrieve_retry_interval: 100ms
  initdb: [{{encoding: UTF8}}, data-checksums]
  pg_hba:
    - local all all trust
    - host replication repl 127.0.0.1/32 scram-sha-256
    - host all all 127.0.0.1/32 scram-sha-256
postgresql:
  listen: 127.0.0.1:{port}
  connect_address: 127.0.0.1:{port}
  data_dir: {home}/{name}/data
  pgpass: {home}/{name}/pgpass
  bin_dir: {bin}
  authentication:
    replication: {{username: repl, password: {password}}}
    superuser: {{username: postgres, password: {password}}}
    rewind: {{username: rewind, password: {password}}}
  parameters: {{unix_socket_directories: '{home}/{name}'}}
"""

HAPROXY = """
defaults
  mode tcp
  retries 0
  timeout connect 1s
  timeout check 1s
  timeout client 1h
  timeout server 1h
listen primary
  bind 127.0.0.1:{proxy}
  option httpchk OPTIONS /primary
  http-check expect status 200
  default-server inter 500ms fall 1 rise 1 on-marked-down shutdown-sessions
  server a 127.0.0.1:{port_a} check port {rest_a}
  server b 127.0.0.1:{port_b} check port {rest_b}
"""


class Patroni:
    """Both nodes, etcd and HAProxy. A context manager."""

    name = "Patroni"

    def __init__(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="hbp-"))
        self.home.chmod(0o755)
        self.ports = {name: free_port() for name in ("etcd", "peer", "proxy", "port_a", "port_b", "rest_a", "rest_b")}
        self.processes = {}
        self.helped, self.gone = 0, False  # how often a node did not come back by itself; whether it is beyond help
        self.endpoint = {"host": "127.0.0.1", "port": self.ports["proxy"], "dbname": "postgres", "user": USER,
                         "password": PASSWORD}

    def __enter__(self):
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for name in reversed(list(self.processes)):
            process = self.processes[name]
            process.send_signal(signal.SIGCONT)
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)
        for name in "ab":
            for process in self.servers(name):
                process.signal(signal.SIGKILL)
        shutil.rmtree(self.home, ignore_errors=True)

    def _spawn(self, name, *command, user=USER):
        with open(self.home / f"{name}.log", "ab") as log:
            self.processes[name] = subprocess.Popen(command, stdout=log, stderr=log, cwd="/", user=user,
                                                    group=pwd.getpwnam(user).pw_gid if user else None,
                                                    env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8"})

    def _start(self):
        for name in ("etcd", "a", "b"):
            (self.home / name).mkdir(mode=0o700)
            shutil.chown(self.home / name, USER, USER)
        self._spawn("etcd", "/usr/bin/etcd", *ETCD.format(home=self.home, **self.ports).split())
        for name in "ab":
            path = self.home / name / "patroni.yaml"
            path.write_text(NODE.format(name=name, home=self.home, bin=BIN, password=PASSWORD, etcd=self.ports["etcd"],
                                        rest=self.ports[f"rest_{name}"], port=self.ports[f"port_{name}"]))
            shutil.chown(path, USER, USER)
            path.chmod(0o600)
            self._spawn(f"patroni-{name}", "/usr/bin/patroni", str(path))
        (self.home / "haproxy.cfg").write_text(HAPROXY.format(**self.ports))
        self._spawn("haproxy", "/usr/sbin/haproxy", "-db", "-f", str(self.home / "haproxy.cfg"), user=None)
        self.await_whole(90)

    # --- what it says of itself

    def _cluster(self):
        for name in "ab":
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.ports['rest_' + name]}/cluster", timeout=2) as answer:
                    return {m["name"]: m for m in json.load(answer)["members"]}
            except (OSError, ValueError, KeyError):
                pass
        return {}

    def _roles(self):
        """{role: name} of members that run."""
        return {m["role"]: name for name, m in self._cluster().items() if m.get("state") in ("running", "streaming")}

    def whole(self):
        """Why it is not whole; None when it is: a leader and a synchronous standby, of one timeline."""
        members = self._cluster()
        roles = self._roles()
        timelines = {m.get("timeline") for m in members.values()}
        return None if set(roles) == {"leader", "sync_standby"} and len(timelines) == 1 else f"members {members}"

    def await_whole(self, seconds=90):
        eventually(lambda: self.whole() is None and self._writable(), seconds, f"Patroni is whole: {self.whole()}", 0.2)

    def recover(self):
        """Waits for it to be whole; a node that does not come back is made anew, as an operator would with `reinit`."""
        try:
            self.await_whole(60)
        except AssertionError:
            self.helped += 1
            for name in set("ab") - {self._roles().get("leader", "a")}:
                self.processes[f"patroni-{name}"].kill()
                self.processes[f"patroni-{name}"].wait(10)
                for process in self.servers(name):
                    process.signal(signal.SIGKILL)
                eventually(lambda: not self.servers(name), 10, "the end of its server")
                shutil.rmtree(self.home / name / "data", ignore_errors=True)
                self._spawn(f"patroni-{name}", "/usr/bin/patroni", str(self.home / name / "patroni.yaml"))
            self.await_whole(120)

    def _writable(self):
        try:
            connection = psycopg2.connect(**self.endpoint, connect_timeout=2)
        except psycopg2.Error:
            return False
        connection.close()
        return True

    # --- what is done to it

    def servers(self, name):
        """The PostgreSQL processes of a node."""
        found, data = [], str(self.home / name / "data")
        for entry in os.listdir("/proc"):
            try:
                if entry.isdigit() and os.readlink(f"/proc/{entry}/cwd") == data:
                    found.append(Process(int(entry), str(self.home)))
            except (OSError, ProcessLookupError):
                pass
        return found

    def node(self, role):
        """The name of the node that has the role: primary or standby."""
        return self._roles()[{"primary": "leader", "standby": "sync_standby"}[role]]

    def of(self, role):
        return self.servers(self.node(role))

    def frozen_together(self):
        """The primary and its Patroni: alone, the agent of a frozen server waits for it and does not give up."""
        name = self.node("primary")
        return [*self.servers(name), Process(self.processes[f"patroni-{name}"].pid, str(self.home))]

    def switchover(self):
        roles = self._roles()
        question = urllib.request.Request(
            f"http://127.0.0.1:{self.ports['rest_' + roles['leader']]}/switchover", method="POST",
            data=json.dumps({"leader": roles["leader"], "candidate": roles["sync_standby"]}).encode(),
            headers={"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(question, timeout=60) as answer:
                return answer.status == 200
        except urllib.error.URLError as error:
            raise RuntimeError(f"switchover: {error}") from error
