"""What the tests of restores share: a ledger of what was committed when, and restored instances held against it."""

import datetime
import hashlib
import threading

import psycopg2

from harness import Howdah, eventually


def now():
    return datetime.datetime.now(datetime.timezone.utc)


def content_of(number):
    return hashlib.sha256(str(number).encode()).hexdigest()


class Ledger(threading.Thread):
    """Commits one row after the other, and remembers of each when it was begun and when it was acknowledged. Servers
    and this test have one clock, so a commit's own time lies between the two."""

    def __init__(self, howdah, instance, first=1):
        super().__init__(daemon=True)
        self.howdah, self.instance = howdah, instance
        self.number = first
        self.begun, self.ended = {}, {}
        self.lock = threading.Lock()  # held while a row is written
        self.done = threading.Event()
        self.connection = None

    def create(self):
        with self.howdah.connect(self.instance) as connection, connection.cursor() as cursor:
            cursor.execute("create table ledger (id int primary key, content text)")
        connection.close()
        return self

    def write(self):
        """One row; when it was acknowledged."""
        with self.lock:
            self._write()
            return self.ended[self.number - 1]

    def _write(self):
        if self.connection is None:
            self.connection = self.howdah.connect(self.instance)
            self.connection.autocommit = True
        number, self.number = self.number, self.number + 1
        self.begun[number] = now()
        with self.connection.cursor() as cursor:
            cursor.execute("insert into ledger values (%s, %s)", (number, content_of(number)))
        self.ended[number] = now()

    def run(self):
        while not self.done.wait(0.005):
            with self.lock:
                try:
                    self._write()
                except psycopg2.Error:
                    if self.connection is not None:
                        self.connection.close()
                    self.connection = None

    def await_writes(self, count=20, seconds=60):
        goal = len(self.ended) + count
        eventually(lambda: len(self.ended) >= goal, seconds, "writes go on")

    def end(self):
        self.done.set()
        if self.is_alive():
            self.join(30)
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def check(self, rows, target):
        """rows: of a restored ledger. What was acknowledged by then is there, and nothing that was begun after it; each
        row has the content that was written."""
        present = dict(rows)
        assert len(present) == len(rows), "a row is there twice"
        wrong = [number for number, content in rows if content != content_of(number)]
        assert not wrong, f"another content: {wrong[:5]}"
        lost = [number for number, ended in self.ended.items() if ended <= target and number not in present]
        assert not lost, f"committed by {target} and not restored: {lost[:5]} of {len(lost)}"
        extra = [number for number in present if self.begun[number] > target]
        assert not extra, f"begun after {target} and restored: {extra[:5]} of {len(extra)}"
        return len(present)


class RestoreCase:
    """For a TestCase with self.howdah and self.network."""

    def execute(self, instance, *statements, **more):
        """The rows of the last one."""
        return self.howdah.execute(instance, *statements, **more)

    def latest(self, name):
        return self.howdah.describe(name).get("LatestRestorableTime", datetime.datetime.min.replace(
            tzinfo=datetime.timezone.utc))

    def await_restorable(self, name, time, seconds=30):
        eventually(lambda: self.latest(name) > time, seconds, f"{name} restorable to {time}; it is to {self.latest(name)}")

    def begin_restore(self, source, name, **words):
        wish = dict(SourceDBInstanceIdentifier=source, TargetDBInstanceIdentifier=name, DBSubnetGroupName="subnets",
                    VpcSecurityGroupIds=[self.network["db"]], MultiAZ=False)
        self.howdah.rds.restore_db_instance_to_point_in_time(**{**wish, **words})
        self.addCleanup(self.howdah.rds.delete_db_instance, DBInstanceIdentifier=name, SkipFinalSnapshot=True)

    def restore(self, source, name, **words):
        self.begin_restore(source, name, **words)
        return self.howdah.await_available(name, 300)

    def rows(self, instance):
        return self.execute(instance, "select id, content from ledger")


def start_howdah(case, options=()):
    """A daemon with a network, for a class."""
    case.howdah = Howdah(options=options).start()
    case.addClassCleanup(case.howdah.stop)
    case.network = case.howdah.network()
    case.howdah.admit_host(case.network["db"])
