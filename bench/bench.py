"""Measures what the documentation promises: create-to-available, and the memory of `serve`.

    ./dev bench [--runs N]
    ./dev bench api|gateway …     another measurement, in the file of that name beside this one; its --help says more

Prints the numbers with the calls that made them; docs/benchmarks.md holds those of a named machine.
"""

import argparse
import os
import pathlib
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests/system"))
from harness import Howdah  # noqa: E402


def resident_mib(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("no VmRSS")


def create_seconds(howdah, network, name, multi_az):
    """From before the call to the first answer that says available, asked every 20 ms."""
    begun = time.monotonic()
    howdah.create_instance(name, network, MultiAZ=multi_az)
    while howdah.describe(name)["DBInstanceStatus"] != "available":
        if time.monotonic() - begun > 120:
            raise RuntimeError(f"{name} is not available after 120 s\n{howdah.log_tail()}")
        time.sleep(0.02)
    return time.monotonic() - begun


def show(what, values, unit, aim):
    print(f"{what:<42} min {min(values):5.2f}  median {statistics.median(values):5.2f}  "
          f"max {max(values):5.2f} {unit}   (aim {aim})")


def main():
    if len(sys.argv) > 1 and sys.argv[1].isidentifier():
        other = pathlib.Path(__file__).with_name(f"{sys.argv[1]}.py")
        os.execv(sys.executable, [sys.executable, str(other), *sys.argv[2:]])
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=7)
    runs = parser.parse_args().runs
    print(f"{os.cpu_count()} CPUs, Linux {os.uname().release}, {runs} runs each, PostgreSQL 14.17, db.t3.micro\n")
    with Howdah() as howdah:
        network = howdah.network()
        memory = []
        for multi_az, aim in ((False, "≤ 3 s"), (True, "≤ 6 s")):
            times = []
            for number in range(runs):
                name = f"bench-{'m' if multi_az else 's'}{number}"
                times.append(create_seconds(howdah, network, name, multi_az))
                memory.append(resident_mib(howdah.serve.pid))
                howdah.delete_instance(name)
            show(f"create to available, {'Multi-AZ' if multi_az else 'Single-AZ'}", times, "s", aim)
        show("resident memory of serve, one instance", memory, "MiB", "≤ 60 MiB")
    print("\ncreate: rds create-db-instance --engine-version 14.17 --db-instance-class db.t3.micro "
          "--allocated-storage 20 [--multi-az],\n        then rds describe-db-instances every 20 ms"
          "\nmemory: VmRSS in /proc/PID/status of 'howdah serve', after each creation")


if __name__ == "__main__":
    main()
