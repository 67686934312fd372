"""What an onlooker sees of a run, written down as it happens: every change that the store has had, and what the nodes' servers
and directories are meanwhile. Nothing here asks the program under test.

A server or directory is looked at between two looks at the record. Where the record was the same at both, it was the record
of that whole time; else the line has none, and says only what does not depend on it.
"""

import json
import os
import pathlib
import socket
import sqlite3
import threading

import psycopg2

from history import now

KEPT = ("/ha/", "/ha-journal/", "/events/", "/routes-observed/")
# Of the nodes' documents only what somebody judges: the rest is long, and some of it is sealed.
OF_NODE = {"desired": ("epoch", "role", "power", "waits_for", "token"),
           "observed": ("epoch", "state", "recruited", "received_lsn", "shutdown_lsn", "rejoined", "effective_token")}
ASK = """SELECT pg_is_in_recovery(), current_setting('synchronous_standby_names'),
  extract(epoch FROM pg_postmaster_start_time())::float8,
  (SELECT array_agg(application_name) FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum'))"""
EVERY = 0.1


class Store:
    """The store's file, read only; one connection a thread."""

    def __init__(self, home):
        self._connection = sqlite3.connect(f"file:{home}/howdah.db?mode=ro", uri=True, timeout=5, isolation_level=None)

    def get(self, key):
        row = self._connection.execute("SELECT value FROM documents WHERE key = ?", (key,)).fetchone()
        return json.loads(row[0]) if row else None

    def record(self):
        """The only instance's."""
        row = self._connection.execute("SELECT value FROM documents WHERE key >= '/ha/' AND key < '/ha0'").fetchone()
        return json.loads(row[0]) if row else None

    def changes(self, after):
        return self._connection.execute("SELECT revision, position, key, value FROM history WHERE revision > ? "
                                        "ORDER BY revision, position", (after,)).fetchall()

    def close(self):
        self._connection.close()


class Witness:
    def __init__(self, howdah, place, directory):
        """place: how to connect to a node's server, but for where."""
        self.home, self.place = howdah.home, place
        self._file = open(pathlib.Path(directory) / "witness.jsonl", "w", buffering=1 << 16)
        self._lock, self._done = threading.Lock(), threading.Event()
        self._connections = {}
        self.problems = []

    def start(self):
        record = Store(self.home).record()
        self._threads = [threading.Thread(target=self._run, args=(self._follow_store,), daemon=True)]
        for node in (record["primary"], record["standby"]):
            self._threads.append(threading.Thread(target=self._run, args=(self._follow_node, node), daemon=True))
        for thread in self._threads:
            thread.start()

    def stop(self):
        self._done.set()
        for connection in list(self._connections.values()):
            self._cut(connection)
        for thread in self._threads:
            thread.join(10)
        with self._lock:
            self._file.close()

    def _run(self, body, *arguments):
        store = Store(self.home)
        try:
            body(store, *arguments)
        except Exception as error:  # noqa: BLE001: a witness that went blind is a finding
            self.problems.append(f"the witness saw no more: {type(error).__name__} {error}")
        finally:
            store.close()

    def _write(self, what, **more):
        with self._lock:
            if not self._file.closed:
                self._file.write(json.dumps({"what": what, **more}, separators=(",", ":")) + "\n")

    # --- the store

    def _follow_store(self, store):
        last = 0
        while True:
            ending = self._done.is_set()
            for revision, position, key, value in store.changes(last):
                if last and revision > last + 1:
                    self.problems.append(f"revisions {last + 1} to {revision - 1} were not seen")
                last = revision
                kept = self._kept(key, value)
                if kept is not None:
                    self._write("change", at=now(), revision=revision, position=position, key=key, value=kept)
            if ending:
                return
            self._done.wait(EVERY)

    @staticmethod
    def _kept(key, value):
        """What is written of a change; None: nothing."""
        kind = key.rsplit("/", 1)[-1]
        if key.startswith(KEPT):
            return json.loads(value) if value else {}
        if key.startswith("/nodes/") and kind in OF_NODE and value:
            whole = json.loads(value)
            return {name: whole[name] for name in OF_NODE[kind] if name in whole}
        return None

    # --- a node

    def _follow_node(self, store, node):
        root = next(self.home.glob(f"zones/*/{node}"))
        last = {}
        while not self._done.wait(EVERY):
            for what, look in (("files", lambda: self._files(store, node, root)), ("server", lambda: self._server(node, root))):
                begun, before = now(), store.record()
                seen = look()
                if seen is None or self._done.is_set():
                    continue
                after = store.record()
                seen["record"] = after if after == before else None
                if seen != last.get(what):
                    last[what] = seen
                    self._write(what, at=begun, until=now(), node=node, **seen)

    @staticmethod
    def _files(store, node, root):
        reported = (store.get(f"/nodes/{node}/observed") or {}).get("epoch", 0)
        try:
            promised = int((root / "promise").read_text())
        except (OSError, ValueError):
            promised = 0
        try:
            data = os.stat(root / "data").st_ino
            system = int.from_bytes((root / "data/global/pg_control").read_bytes()[:8], "little")
        except OSError:
            data, system = 0, 0
        return {"reported": reported, "promised": promised, "marker": (root / "rejoin.inprogress").exists(), "data": data,
                "system": system}

    def _server(self, node, root):
        marker = root / "rejoin.inprogress"
        was_torn = marker.exists()
        try:
            connection = self._connections.get(node) or psycopg2.connect(
                **{**self.place, "host": str(self.home / "run" / node), "port": 5432, "connect_timeout": 5},
                application_name="witness")
            connection.autocommit = True
            self._connections[node] = connection
            with connection.cursor() as cursor:
                cursor.execute(ASK)
                recovery, waits_for, started, synced = cursor.fetchone()
        except psycopg2.Error:
            self._cut(self._connections.pop(node, None))
            return None
        return {"primary": not recovery, "waits_for": waits_for, "started": started,
                "synced": sorted(name for name in synced or [] if name), "torn": was_torn and marker.exists()}

    @staticmethod
    def _cut(connection):
        """Also from another thread, when a frozen server never answers."""
        try:
            if connection:
                with socket.fromfd(connection.fileno(), socket.AF_UNIX, socket.SOCK_STREAM) as duplicate:
                    duplicate.shutdown(socket.SHUT_RDWR)
                connection.close()
        except (OSError, psycopg2.Error):
            pass


def read(directory):
    path = pathlib.Path(directory) / "witness.jsonl"
    if not path.exists():
        return []
    with open(path) as lines:
        return [json.loads(line) for line in lines]
