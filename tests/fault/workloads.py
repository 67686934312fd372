"""What the clients ask for, so that the checkers have something to read: one class a workload, and all of them together."""

import threading
import time

import psycopg2

from checkers.operation import INFO
from client import Client
from history import now

PASSWORD = "a-password-0"
ACCOUNTS, FIRST_BALANCE = 6, 100
KEYS_IN_USE, APPENDS_A_KEY = 6, 30
REGISTERS_IN_USE, OPERATIONS_A_REGISTER = 2, 40

SCHEMA = f"""
CREATE TABLE chaos_set (n bigint PRIMARY KEY, note text);
CREATE TABLE chaos_register (k int PRIMARY KEY, v int NOT NULL);
CREATE TABLE chaos_account (a int PRIMARY KEY, balance int NOT NULL);
INSERT INTO chaos_account SELECT a, {FIRST_BALANCE} FROM generate_series(0, {ACCOUNTS - 1}) a;
CREATE TABLE chaos_ledger (n bigint PRIMARY KEY, source int NOT NULL, target int NOT NULL, amount int NOT NULL);
CREATE TABLE chaos_list (k int PRIMARY KEY, v int[] NOT NULL);
CREATE PROCEDURE chaos_insert(id bigint) LANGUAGE plpgsql AS
  $$ BEGIN INSERT INTO chaos_set VALUES (id, 'procedure'); COMMIT; PERFORM 1; END $$;
"""


class Inserter(Client):
    """Unique numbers, in each of the ways in which a commit can be asked for."""

    workload = "set"
    WAYS = ("autocommit", "transaction", "procedure", "local", "off", "silent")
    ASKED = {"local": ("SET synchronous_commit = local",), "off": ("SET synchronous_commit = off",),
             "procedure": ("SET statement_timeout = '150ms'",), "silent": ("SET client_min_messages = error",)}

    def __init__(self, number, context):
        super().__init__(number, context)
        self.way = self.WAYS[number % len(self.WAYS)]
        self.settings = self.ASKED.get(self.way, ())
        self.next = 0

    def step(self):
        self.next += 1
        number = self.number * 10_000_000 + self.next
        if self.way == "transaction":
            self.operate("insert", number, lambda cursor: self.in_transaction(cursor, number))
        elif self.way == "procedure":
            # Its time may run out before or after the COMMIT inside.
            self.operate("insert", number, lambda cursor: cursor.execute("CALL chaos_insert(%s)", (number,)),
                         certain=lambda error: INFO)
        else:
            self.operate("insert", number, lambda cursor: self.insert(cursor, number))

    def insert(self, cursor, number):
        cursor.execute("INSERT INTO chaos_set VALUES (%s, %s)", (number, self.way))

    def in_transaction(self, cursor, number):
        self.begin(cursor)
        self.insert(cursor, number)
        self.commit(cursor)


class Register(Client):
    """Reads, writes and compare-and-sets of a few rows, each of which is left after some operations."""

    workload = "register"

    def step(self):
        key, value = self.context.registers.next()
        kind = self.random.choice(("read", "read", "write", "cas"))
        if kind == "read":
            self.operate("read", [key], lambda cursor: self.read(cursor, key))
        elif kind == "write":
            self.operate("write", [key, value], lambda cursor: cursor.execute(
                "INSERT INTO chaos_register VALUES (%s, %s) ON CONFLICT (k) DO UPDATE SET v = excluded.v", (key, value)))
        else:
            old = self.random.randint(1, value)
            self.operate("cas", [key, old, value], lambda cursor: self.compare_and_set(cursor, key, old, value))

    @staticmethod
    def read(cursor, key):
        cursor.execute("SELECT v FROM chaos_register WHERE k = %s", (key,))
        row = cursor.fetchone()
        return row[0] if row else None

    @staticmethod
    def compare_and_set(cursor, key, old, new):
        cursor.execute("UPDATE chaos_register SET v = %s WHERE k = %s AND v = %s", (new, key, old))
        return cursor.rowcount == 1


class Registers:
    """Hands out a key in use and a value that is new to it; after enough operations the key is another."""

    def __init__(self):
        self._lock = threading.Lock()
        self._used = 0

    def next(self):
        with self._lock:
            self._used += 1
            generation, within = divmod(self._used, REGISTERS_IN_USE * OPERATIONS_A_REGISTER)
            return generation * REGISTERS_IN_USE + within % REGISTERS_IN_USE, within // REGISTERS_IN_USE + 1


class Teller(Client):
    """Transfers with a line in the ledger, and reads of all balances."""

    workload = "bank"
    period = 0.2

    def __init__(self, number, context):
        super().__init__(number, context)
        self.next = 0

    def step(self):
        if self.random.random() < 0.4:
            self.operate("read", None, self.read)
            return
        self.next += 1
        source, target = self.random.sample(range(ACCOUNTS), 2)
        transfer = [self.number * 10_000_000 + self.next, source, target, self.random.randint(1, 9)]
        self.operate("transfer", transfer, lambda cursor: self.transfer(cursor, *transfer))

    @staticmethod
    def read(cursor):
        cursor.execute("SELECT a, balance FROM chaos_account ORDER BY a")
        return [list(row) for row in cursor.fetchall()]

    def transfer(self, cursor, number, source, target, amount):
        self.begin(cursor)
        cursor.execute("SELECT balance FROM chaos_account WHERE a IN (%s, %s) ORDER BY a FOR UPDATE", (source, target))
        cursor.execute("SELECT balance FROM chaos_account WHERE a = %s", (source,))
        amount = min(amount, cursor.fetchone()[0])
        cursor.execute("UPDATE chaos_account SET balance = balance - %s WHERE a = %s", (amount, source))
        cursor.execute("UPDATE chaos_account SET balance = balance + %s WHERE a = %s", (amount, target))
        cursor.execute("INSERT INTO chaos_ledger VALUES (%s, %s, %s, %s)", (number, source, target, amount))
        self.commit(cursor)


class Lister(Client):
    """Serializable transactions of one to four appends and reads."""

    workload = "list"
    period = 0.15

    def step(self):
        parts = [self.part() for _ in range(self.random.randint(1, 4))]
        filled = [list(part) for part in parts]
        self.operate("txn", parts, lambda cursor: self.transaction(cursor, filled), filled=filled)

    def part(self):
        if self.random.random() < 0.5:
            return ["append", *self.context.lists.next(self.random)]
        return ["r", self.context.lists.key(self.random), None]

    def transaction(self, cursor, parts):
        self.begin(cursor, "BEGIN ISOLATION LEVEL SERIALIZABLE")
        for part in parts:
            if part[0] == "append":
                cursor.execute("INSERT INTO chaos_list VALUES (%s, ARRAY[%s]) ON CONFLICT (k) DO UPDATE SET "
                               "v = chaos_list.v || excluded.v", (part[1], part[2]))
            else:
                cursor.execute("SELECT v FROM chaos_list WHERE k = %s", (part[1],))
                row = cursor.fetchone()
                part[2] = row[0] if row else []
        self.commit(cursor)


class Lists:
    """Keys in use, each replaced by a new one when it has had its appends; values are never given twice."""

    def __init__(self):
        self._lock = threading.Lock()
        self._keys = list(range(KEYS_IN_USE))
        self._given = dict.fromkeys(self._keys, 0)
        self._highest = KEYS_IN_USE - 1

    def key(self, rng):
        with self._lock:
            return rng.choice(self._keys)

    def next(self, rng):
        with self._lock:
            key = rng.choice(self._keys)
            self._given[key] += 1
            if self._given[key] >= APPENDS_A_KEY:
                self._highest += 1
                self._keys[self._keys.index(key)] = self._highest
                self._given[self._highest] = 0
            return key, self._given[key]


class Workloads:
    """All clients together, and what is read back at the end."""

    KINDS = ((Inserter, len(Inserter.WAYS)), (Register, 4), (Teller, 3), (Lister, 5))

    def __init__(self, endpoint, seed, history, slowness=1.0):
        self.endpoint = endpoint
        self.seed, self.history, self.slowness = seed, history, slowness
        self.done = threading.Event()
        self.registers, self.lists = Registers(), Lists()
        self.clients = [kind(number, self) for kind, count in self.KINDS for number in range(count)]

    def prepare(self):
        self._ask([SCHEMA])

    def start(self):
        for client in self.clients:
            client.start()

    def stop(self, seconds=20):
        """Clients that did not end by themselves."""
        self.done.set()
        deadline = time.monotonic() + seconds
        for client in self.clients:
            client.join(max(0, deadline - time.monotonic()))
        hanging = [client for client in self.clients if client.is_alive()]
        for client in hanging:
            client.cut()
            client.join(10)
        return hanging

    def hanging(self, seconds):
        """Clients whose operation or connecting takes longer than that."""
        at = now()
        return [c for c in self.clients if at - (c.began or at) > seconds * 1e9]

    def read_back(self, endpoint=None):
        """Everything that is there, as a document."""
        questions = {"set": "SELECT n FROM chaos_set ORDER BY n", "register": "SELECT k, v FROM chaos_register ORDER BY k",
                     "account": "SELECT a, balance FROM chaos_account ORDER BY a",
                     "ledger": "SELECT n, source, target, amount FROM chaos_ledger ORDER BY n",
                     "list": "SELECT k, v FROM chaos_list ORDER BY k"}
        return dict(zip(questions, self._ask(questions.values(), endpoint)))

    def _ask(self, questions, endpoint=None):
        connection = psycopg2.connect(**(endpoint or self.endpoint), connect_timeout=10)
        try:
            connection.autocommit = True
            answers = []
            with connection.cursor() as cursor:
                for question in questions:
                    cursor.execute(question)
                    answers.append([list(row) for row in cursor.fetchall()] if cursor.description else None)
            return answers
        finally:
            connection.close()
