"""One daemon of Howdah for a test: its own home, port and addresses, and proof that it leaves nothing behind.

Works as root (the daemon then becomes the user `howdah`) and as an ordinary user. Everything that is
started is ended by its process id. Waiting is always for a condition, with a deadline.
"""

import atexit
import itertools
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import boto3
import botocore.config
import psycopg2

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILT = pathlib.Path(os.environ.get("HOWDAH_PROGRAM", ROOT / "build/release/bin/howdah"))
ENGINES = pathlib.Path(os.environ.get("HOWDAH_ENGINES", ROOT / "build/engine-home/engines"))
AWS_CLI = "/usr/bin/aws"
PYTHON = "/usr/bin/python3"
VERSION = "14.17"
MASTER = "dbadmin"

# Private a.b.c.d is 127.b.c.d on this host, so every test needs a second octet of its own. 31 is the
# default VPC's (172.31.0.0/16).
# Several test processes at once are given a part each: HOWDAH_TEST_OCTETS=32-103.
_first, _last = map(int, os.environ.get("HOWDAH_TEST_OCTETS", "32-249").split("-"))
_octets = itertools.cycle(random.sample(range(_first, _last + 1), _last + 1 - _first))


def eventually(condition, seconds=30, what="the condition", pause=0.05):
    """The first true value of condition(); fails when there is none before the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come true within {seconds} s")
        time.sleep(pause)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _share():
    """A directory that any user can read, with copies of program and engines: a clone below /root is private, and a
    build in another shell must not change the program in the middle of a test. A runner of several test processes makes
    it for all of them."""
    if "HOWDAH_TEST_SHARED" in os.environ:
        return pathlib.Path(os.environ["HOWDAH_TEST_SHARED"])
    shared = pathlib.Path(tempfile.mkdtemp(prefix="howdah-tests-"))
    shared.chmod(0o755)
    atexit.register(shutil.rmtree, shared, ignore_errors=True)
    shutil.copy2(BUILT, shared / "howdah")
    if ENGINES.is_dir():
        subprocess.run(["cp", "-a", f"{ENGINES}/.", shared / "engines"], check=True)
    return shared


SHARED = _share()
PROGRAM = SHARED / "howdah"


class Processes:
    """What runs from a home, found by working directory and command line."""

    def __init__(self, home):
        self.home = str(home)

    def all(self):
        found = []
        for entry in os.listdir("/proc"):
            if entry.isdigit() and int(entry) != os.getpid():
                process = self._look(int(entry))
                if process:
                    found.append(process)
        return found

    def _look(self, pid):
        try:
            command = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            status = pathlib.Path(f"/proc/{pid}/stat").read_text()
            directory = os.readlink(f"/proc/{pid}/cwd")
        except OSError:
            return None
        fields = status[status.rindex(")") + 2:].split()
        if fields[0] == "Z":
            return None
        if self.home not in command and not directory.startswith(self.home):
            return None
        return {"pid": pid, "parent": int(fields[1]), "command": command.strip(), "cwd": directory}

    def postgres(self):
        return [p for p in self.all() if p["cwd"].startswith(self.home)]

    def postmasters(self):
        servers = self.postgres()
        pids = {p["pid"] for p in servers}
        return [p for p in servers if p["parent"] not in pids]

    def gateways(self):
        return [p for p in self.all() if " gateway " in p["command"] + " "]


class Howdah:
    """A daemon. Use it as a context manager, or with addClassCleanup(howdah.stop)."""

    def __init__(self, user=None, options=()):
        """options: more words for `serve`."""
        self.options = list(options)
        self.octet = next(_octets)
        self.user = user
        self.base = pathlib.Path(tempfile.mkdtemp(prefix="hw-"))
        self.base.chmod(0o755)
        self.home = self.base / "home"
        self.home.mkdir(mode=0o700)
        (self.home / "engines").symlink_to(SHARED / "engines")
        if user:
            shutil.chown(self.home, user)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.processes = Processes(self.home)
        self.serve = None
        self._clients = {}

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    # --- the daemon's life

    def start(self):
        log = open(self.base / "serve.log", "ab")
        self.serve = subprocess.Popen(
            [PROGRAM, "serve", "--home", self.home, "--listen", f"127.0.0.1:{self.port}", *self.options],
            stdout=subprocess.PIPE, stderr=log, stdin=subprocess.DEVNULL, user=self.user, cwd="/")
        log.close()
        line = self._first_line(30)
        assert line == f"howdah ready {self.url}", f"the daemon said {line!r}\n{self.log_tail()}"
        return self

    def _first_line(self, seconds):
        import selectors
        selector = selectors.DefaultSelector()
        selector.register(self.serve.stdout, selectors.EVENT_READ)
        if not selector.select(seconds):
            raise AssertionError(f"no 'howdah ready' within {seconds} s\n{self.log_tail()}")
        return self.serve.stdout.readline().decode().strip()

    def kill(self):
        """kill -9 of the control plane, and of nothing else."""
        self.serve.kill()
        self.serve.wait(10)
        self.serve.stdout.close()

    def restart(self):
        self.kill()
        return self.start()

    def stop(self):
        """Shuts down, and checks that no process of this home is left."""
        try:
            if self.serve and self.serve.poll() is None:
                self.cli("shutdown", timeout=180)
                self.serve.wait(30)
            left = self.processes.all()
        finally:
            self.destroy()
        assert not left, f"left behind: {left}"

    def destroy(self):
        """Ends whatever is left, by process id, and removes the home."""
        if self.serve and self.serve.poll() is None:
            self.serve.kill()
            self.serve.wait(10)
        if self.serve and self.serve.stdout:
            self.serve.stdout.close()
        for process in self.processes.gateways() + self.processes.postgres():
            try:
                os.kill(process["pid"], signal.SIGKILL)
            except ProcessLookupError:
                pass
        if os.environ.get("HOWDAH_KEEP"):
            print(f"kept {self.base}")
        else:
            shutil.rmtree(self.base, ignore_errors=True)

    def log_tail(self, lines=40):
        try:
            return "\n".join((self.base / "serve.log").read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return ""

    # --- talking to it

    def cli(self, *words, check=True, timeout=120, input=None, env=None):
        """Runs a command of the command line; the finished process, with text output."""
        done = subprocess.run([PROGRAM, "--home", self.home, *map(str, words)], text=True, timeout=timeout,
                              input=input, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env={**os.environ, **(env or {})})
        if check and done.returncode != 0:
            raise AssertionError(f"howdah {' '.join(map(str, words))}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def status(self):
        return json.loads(self.cli("status", "-o", "json").stdout)

    def environment(self):
        """The environment that `howdah env` asks for, on top of ours."""
        settings = json.loads(self.cli("env", "-o", "json").stdout)
        return {**os.environ, **settings, "AWS_PAGER": "", "AWS_CLI": AWS_CLI}

    def aws(self, *words, check=True, timeout=300):
        """Debian's AWS CLI, which needs to be told the endpoint."""
        done = subprocess.run([AWS_CLI, "--endpoint-url", self.url, *map(str, words)], text=True, timeout=timeout,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.environment())
        if check and done.returncode != 0:
            raise AssertionError(f"aws {' '.join(map(str, words))}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def client(self, service):
        """A boto3 client that tries each call once, so that a hidden retry cannot hide a defect."""
        if service not in self._clients:
            settings = json.loads(self.cli("env", "-o", "json").stdout)
            self._clients[service] = boto3.client(
                service, endpoint_url=self.url, region_name=settings["AWS_REGION"],
                aws_access_key_id=settings["AWS_ACCESS_KEY_ID"],
                aws_secret_access_key=settings["AWS_SECRET_ACCESS_KEY"],
                config=botocore.config.Config(retries={"total_max_attempts": 1}))
        return self._clients[service]

    @property
    def rds(self):
        return self.client("rds")

    @property
    def ec2(self):
        return self.client("ec2")

    # --- what is made in it

    def template(self):
        """prod-e's template with this test's addresses; its path."""
        text = (ROOT / "examples/prod-e/stack.yaml").read_text()
        path = self.base / "stack.yaml"
        path.write_text(text.replace("10.0.", f"10.{self.octet}."))
        return path

    def network(self):
        """A VPC with two subnets, an application group and a database group that admits it."""
        vpc = self.ec2.create_vpc(CidrBlock=f"10.{self.octet}.0.0/16")["Vpc"]["VpcId"]
        subnets = [self.ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.{self.octet}.{i + 1}.0/24",
                                          AvailabilityZone=f"us-west-2{zone}")["Subnet"]["SubnetId"]
                   for i, zone in enumerate("ab")]
        app = self.ec2.create_security_group(VpcId=vpc, GroupName="app", Description="tasks")["GroupId"]
        database = self.ec2.create_security_group(VpcId=vpc, GroupName="db", Description="database")["GroupId"]
        self.admit_group(database, app)
        self.rds.create_db_subnet_group(DBSubnetGroupName="subnets", DBSubnetGroupDescription="both",
                                        SubnetIds=subnets)
        return {"vpc": vpc, "subnets": subnets, "app": app, "db": database}

    def admit_group(self, group, source):
        self.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[self.group_rule(source)])

    @staticmethod
    def group_rule(source):
        return {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "UserIdGroupPairs": [{"GroupId": source}]}

    @staticmethod
    def host_rule():
        """Admits this host itself, whose connections come from 127.0.0.1."""
        return {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "IpRanges": [{"CidrIp": "127.0.0.1/32"}]}

    def admit_host(self, group, instance=None):
        """Admits this host; with an instance, waits until that counts: within a second."""
        self.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[self.host_rule()])
        if instance:
            endpoint = instance["Endpoint"]
            eventually(lambda: probe(endpoint["Address"], endpoint["Port"]), 1, "admission")

    def create_instance(self, name, network, password="a-password-0", **more):
        wish = dict(DBInstanceIdentifier=name, Engine="postgres", EngineVersion=VERSION,
                    DBInstanceClass="db.t3.micro", AllocatedStorage=20, DBName="appdb", MasterUsername=MASTER,
                    MasterUserPassword=password, DBSubnetGroupName="subnets", MultiAZ=False,
                    VpcSecurityGroupIds=[network["db"]], BackupRetentionPeriod=0, PubliclyAccessible=False)
        return self.rds.create_db_instance(**{**wish, **more})["DBInstance"]

    def await_available(self, name, seconds=90):
        try:
            self.rds.get_waiter("db_instance_available").wait(
                DBInstanceIdentifier=name, WaiterConfig={"Delay": 1, "MaxAttempts": seconds})
        except botocore.exceptions.WaiterError as error:
            events = self.rds.describe_events(SourceIdentifier=name, SourceType="db-instance")["Events"]
            raise AssertionError(f"{error}: {[event['Message'] for event in events]}") from error
        return self.describe(name)

    def describe(self, name):
        return self.rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]

    def delete_instance(self, name, wait=True):
        self.rds.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True)
        if wait:
            self.await_deleted(name)

    def await_deleted(self, name, seconds=90):
        self.rds.get_waiter("db_instance_deleted").wait(
            DBInstanceIdentifier=name, WaiterConfig={"Delay": 1, "MaxAttempts": seconds})

    def connect(self, instance, password="a-password-0", **more):
        """psycopg2 from this host to the endpoint."""
        endpoint = instance["Endpoint"]
        return psycopg2.connect(**{"host": endpoint["Address"], "port": endpoint["Port"], "dbname": "appdb",
                                   "user": MASTER, "password": password, "connect_timeout": 10, **more})

    def execute(self, instance, *statements, **more):
        """Each by itself, over one connection; the rows of the last one."""
        connection = self.connect(instance, **more)
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def leftovers(self):
        """Directories that belong to nodes and instances; empty when all instances are gone."""
        found = [*self.home.glob("zones/*/*"), *self.home.glob("tls/*")]
        found += [path for path in self.home.glob("run/*") if path.name != "gateway"]
        return [str(path) for path in found]

    def assert_nothing_left(self):
        """Of deleted instances there is nothing on disk; certificates go a moment after the rest."""
        eventually(lambda: not self.leftovers(), 5, f"nothing left; there is {self.leftovers()}")


def probe(address, port, source=None, seconds=5):
    """Whether the endpoint lets a connection speak: asks for TLS and looks whether any answer comes."""
    with socket.socket() as connection:
        connection.settimeout(seconds)
        if source:
            connection.bind((source, 0))
        try:
            connection.connect((address, port))
            connection.sendall(b"\x00\x00\x00\x08\x04\xd2\x16\x2f")
            return connection.recv(1) in (b"S", b"N")
        except (ConnectionResetError, ConnectionRefusedError, BrokenPipeError):
            return False
