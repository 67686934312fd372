"""Calls of the API, alone and in storms, each of which must be well answered."""

import random
import threading

import botocore.exceptions

from nemesis import Nemesis


class Api:
    """Calls that must be well answered: with a result, or with an error of AWS's that is not our fault."""

    def __init__(self, howdah, is_down):
        self.client, self.is_down = howdah.rds, is_down
        self.answers, self.violations = 0, []

    def call(self, method, **arguments):
        """What came of it, in a word."""
        was_down = self.is_down()
        try:
            getattr(self.client, method)(**arguments)
            self.answers += 1
            return "done"
        except botocore.exceptions.ClientError as error:
            code = error.response["Error"].get("Code", "")
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            if not 400 <= status < 500 or not code[:1].isalpha():
                self.violations.append(f"{method} {arguments}: HTTP {status}, {code}: {error}")
            self.answers += 1
            return code
        except botocore.exceptions.BotoCoreError as error:
            if not (was_down or self.is_down()):
                self.violations.append(f"{method} {arguments}: {type(error).__name__} {error}")
            return type(error).__name__


class Storm(Nemesis):
    """Calls of all kinds, several at a time, some of which change the instance. Each must be answered as AWS answers."""

    name, lasts = "storm", (1.0, 4.0)

    def begin(self, run):
        self.over = threading.Event()
        seeds = [run.random.random() for _ in range(3)]
        self.threads = [threading.Thread(target=self.calls, args=(run, seed), daemon=True) for seed in seeds]
        for thread in self.threads:
            thread.start()
        return len(self.threads)

    def calls(self, run, seed):
        rng = random.Random(seed)
        name = {"DBInstanceIdentifier": run.name}
        while not self.over.wait(rng.uniform(0, 0.3)):
            method, more = rng.choices(
                [("describe_db_instances", name), ("describe_events", {"Duration": 5}),
                 ("modify_db_instance", {**name, "DeletionProtection": rng.random() < 0.5, "ApplyImmediately": True}),
                 ("reboot_db_instance", name), ("reboot_db_instance", {**name, "ForceFailover": True})],
                [8, 3, 3, 0.3, 0.5])[0]
            run.api.call(method, **more)

    def end(self, run):
        self.over.set()
        for thread in self.threads:
            thread.join(60)
