"""Chaos on a running Howdah: workloads, one fault after the other, and at the end what the checkers say of the history.

    ./dev chaos [--minutes N | --failovers N] [--seed S] [--only WORD]…
    ./dev chaos --check DIRECTORY        judge a history that is there once more

After each fault the instance must be available and protected again within a limit, and all clients must get answers. The
history, the faults, what was read back and the logs stay in build/chaos/SEED/; the last line is 'N passed, N failed'.
"""

import argparse
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "system")]

import history  # noqa: E402
import nemeses  # noqa: E402
from ground import Ground  # noqa: E402
from harness import ROOT, VERSION, Howdah, eventually  # noqa: E402
from judge import judge, outages  # noqa: E402
from landscape import Landscape  # noqa: E402
from storm import Api  # noqa: E402
from witness import Witness  # noqa: E402
from workloads import PASSWORD, Workloads  # noqa: E402

# After a fault is healed, the instance is protected again within this; a copy of these small databases takes seconds.
WHOLE_AGAIN = int(os.environ.get("HOWDAH_WHOLE_AGAIN", 60 + 30))
ANSWERS_AGAIN = 15
NAME = "chaos"


class Report:
    """Counts what held and what did not."""

    def __init__(self, directory):
        self.passed, self.failed = 0, 0
        self._file = open(directory / "violations.txt", "a", buffering=1)

    def check(self, what, violations):
        if not violations:
            self.passed += 1
            return True
        self.failed += 1
        for violation in violations:
            print(f"VIOLATION {what}: {violation}"[:3000], flush=True)
            self._file.write(f"{what}: {violation}\n")
        return False


class Run:
    """One run: what the nemeses see of it, and its life."""

    def __init__(self, options, directory, report):
        self.options, self.directory, self.report = options, directory, report
        self.random = random.Random(options.seed)
        self.name = NAME
        self.serve_is_down = False
        self.cycles = []  # (name, seconds until whole)
        self.epochs = 0

    def pause(self, seconds):
        threading.Event().wait(seconds)

    def go(self):
        # Without it, after three failovers the rest of the run would be restarts in place.
        self.howdah = Howdah(options=["--failover-hold-down", self.options.hold_down])
        self.ground = Ground(self.howdah, self.options.engine)
        try:
            self._prepare()
            self.workloads.start()
            self._storm_of_faults()
            self._finish()
        finally:
            self._keep_logs()
            try:
                self.howdah.stop()
            except AssertionError as error:
                self.report.check("nothing is left behind", [str(error)])
            finally:
                self.ground.release()

    def _prepare(self):
        self.howdah.start()
        network = self.howdah.network()
        self.howdah.admit_host(network["db"])
        self.howdah.create_instance(NAME, network, MultiAZ=True, EngineVersion=self.options.engine)
        instance = self.howdah.await_available(NAME)
        self.endpoint = {"host": instance["Endpoint"]["Address"], "port": instance["Endpoint"]["Port"],
                         "dbname": "appdb", "user": "dbadmin", "password": PASSWORD}
        self.landscape = Landscape(self.howdah, NAME)
        self.landscape.await_whole(WHOLE_AGAIN)
        self.api = Api(self.howdah, lambda: self.serve_is_down)
        self.history = history.History(self.directory)
        self.workloads = Workloads(self.endpoint, self.options.seed, self.history, self.options.slowness)
        self.workloads.prepare()
        self.witness = Witness(self.howdah, self.endpoint, self.directory)
        self.witness.start()

    # --- faults

    def _choices(self):
        choices = nemeses.failovers() if self.options.failovers else nemeses.all_nemeses()
        choices = [n for n in choices if self.ground.allows(n)]
        if self.options.only:
            choices = [n for n in choices if any(word in n.name for word in self.options.only)]
        return choices

    def _storm_of_faults(self):
        choices = self._choices()
        until = time.monotonic() + self.options.minutes * 60
        count = 0
        while time.monotonic() < until and count < (self.options.failovers or float("inf")):
            nemesis = self.random.choices(choices, [n.weight for n in choices])[0]
            self.epoch = self._epoch()
            did = self._inflict(nemesis)
            well = self._recover(nemesis, did)
            self.epochs += max(0, self._epoch() - self.epoch)
            count += 1 if did else 0
            if not well:
                break

    def _epoch(self):
        return (self.landscape.instance() or {}).get("Epoch") or 0

    def _inflict(self, nemesis):
        self.history.fault("begin", name=nemesis.name)
        did = nemesis.begin(self)
        self.history.fault("did", name=nemesis.name, did=did)
        if did:
            self.pause(self.random.uniform(*nemesis.lasts))
        nemesis.end(self)
        self.history.fault("end", name=nemesis.name)
        return did

    def _recover(self, nemesis, did):
        """Whether all is well again, within the limits."""
        begun = time.monotonic()
        try:
            self.landscape.await_whole(WHOLE_AGAIN)
            took = time.monotonic() - begun
            self._await_answers()
            self.landscape.await_whole(WHOLE_AGAIN)  # the first time, what had happened may not have been noticed yet
        except AssertionError as error:
            self._describe_trouble()
            return self.report.check(f"I16: after '{nemesis.name}', {did}", [str(error)])
        self.cycles.append((nemesis.name, took))
        self.history.fault("whole", name=nemesis.name, seconds=took)
        self.report.check("I16: answers", self._hanging())
        self._say(f"{nemesis.name}: {'whole again after %.1f s' % took if did else 'nobody to hit'}"
                  f", epoch {self._epoch()}")
        return True

    def _await_answers(self):
        before = self.history.counts()
        eventually(lambda: all(n > before.get(w, 0) for w, n in self.history.counts().items()), ANSWERS_AGAIN,
                   f"acknowledgements of every workload (at {before})")

    def _hanging(self):
        """Clients still in an operation from before it was whole are given a moment, then cut."""
        deadline = time.monotonic() + ANSWERS_AGAIN
        while self.workloads.hanging(ANSWERS_AGAIN) and time.monotonic() < deadline:
            self.pause(0.2)
        found = self.workloads.hanging(ANSWERS_AGAIN)
        for client in found:
            client.cut()
        return [f"{c.name} had no answer for {ANSWERS_AGAIN} s, though the instance is whole" for c in found]

    def _describe_trouble(self):
        for words in (("status", "-o", "json"), ("why", NAME)):
            try:
                done = self.howdah.cli(*words, check=False, timeout=30)
                (self.directory / f"trouble-{words[0]}.txt").write_text(done.stdout + done.stderr)
            except subprocess.TimeoutExpired:
                pass

    def _say(self, text):
        print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)

    # --- the end

    def _finish(self):
        hanging = self.workloads.stop()
        self.report.check("clients end", [f"{c.name} hung at the end" for c in hanging])
        self.report.check("the API's answers", self.api.violations)
        try:
            self.landscape.await_whole(WHOLE_AGAIN)
        except AssertionError as error:
            self.report.check("whole at the end", [str(error)])
        final = self.workloads.read_back()
        self.witness.stop()
        self.report.check("the witness saw everything", self.witness.problems)
        (self.directory / "why.json").write_text(self.howdah.cli("why", NAME, "-o", "json").stdout)
        self.history.close()
        self.report.check("I2: both copies are equal", self._compare(final))
        (self.directory / "final.json").write_text(json.dumps(final))
        refusals = {}
        for client in self.workloads.clients:
            for reason, count in client.refusals.items():
                refusals[reason] = refusals.get(reason, 0) + count
        (self.directory / "summary.json").write_text(json.dumps(
            {"seed": self.options.seed, "cycles": self.cycles, "epochs": self.epochs, "refusals": refusals,
             "acknowledged": self.history.counts(), "api_answers": self.api.answers,
             "longest_operation_s": {c.name: c.longest / 1e9 for c in self.workloads.clients}}, indent=1))
        self._say(f"{len(self.cycles)} faults, {self.epochs} changes of epoch, acknowledged {self.history.counts()}, "
                  f"API answers {self.api.answers}")
        for reason, count in sorted(refusals.items(), key=lambda r: -r[1])[:8]:
            self._say(f"connecting failed {count} times, in the {reason}")

    def _compare(self, final):
        """The standby's copy, read past the gateway, and each table read by its index too."""
        found = []
        for node in (self.landscape.instance() or {"Nodes": []})["Nodes"]:
            place = {**self.endpoint, "host": str(self.howdah.home / "run" / node["NodeId"]), "port": 5432}
            for options in ("", "-c enable_seqscan=off -c enable_sort=off"):
                try:
                    eventually(lambda: self.workloads.read_back({**place, "options": options}) == final, 20,
                               f"the copy of the {node['Role']} equals what the endpoint says", 0.5)
                except Exception as error:  # noqa: BLE001: whatever kept it from being compared is a finding
                    found.append(f"{node['Role']} {node['NodeId']}, '{options}': {error}")
        return found

    def _keep_logs(self):
        logs = self.directory / "logs"
        shutil.rmtree(logs, ignore_errors=True)
        logs.mkdir()
        for path in [self.howdah.base / "serve.log", *self.howdah.home.glob("log/*"),
                     *self.howdah.home.glob("zones/*/*/log/**/*"), *self.howdah.home.glob("zones/*/*/*.log")]:
            if path.is_file():
                shutil.copy(path, logs / "-".join(path.relative_to(self.howdah.base).parts[-5:]))


def main():
    # Ended from outside, it still ends what it has started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, help="10, or with --failovers as long as it takes")
    parser.add_argument("--failovers", type=int, default=0, help="so many changes of roles, one after the other")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--engine", default=VERSION)
    parser.add_argument("--hold-down", default="0", help="seconds, as serve has it")
    parser.add_argument("--only", action="append", help="only faults whose name has this in it")
    parser.add_argument("--slowness", type=float, default=1.0, help="of the clients: 2 is half as many operations")
    parser.add_argument("--check", metavar="DIRECTORY", help="judge a history once more")
    parser.add_argument("--list", action="store_true", help="the names of all faults")
    options = parser.parse_args()
    if options.list:
        print("\n".join(n.name for n in nemeses.all_nemeses()))
        return 0
    if options.minutes is None:
        options.minutes = 1e6 if options.failovers else 10
    if options.seed is None:
        options.seed = random.SystemRandom().randrange(1_000_000)
    directory = pathlib.Path(options.check) if options.check else ROOT / "build/chaos" / str(options.seed)
    if not options.check:
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        print(f"seed {options.seed}; history in {directory}", flush=True)
    report = Report(directory)
    if not options.check:
        Run(options, directory, report).go()
    judge(directory, report)
    for name, times in sorted(outages(directory).items()):
        print(f"without acknowledgements: {name}: {len(times)} times, median {times[len(times) // 2]:.2f} s, longest {times[-1]:.2f} s")
    print(f"{report.passed} passed, {report.failed} failed")
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
