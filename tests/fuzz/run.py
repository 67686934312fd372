"""Runs the fuzz targets: run.py [SECONDS] [NAME]…, each for so long, four at a time; the last line is 'N passed, N failed'.

What a target finds lies in build/debug/fuzz/found/; the corpus that it grows in build/debug/fuzz/corpus/ is used again the next time.
Seeds are in tests/fuzz/corpus/NAME/.
"""

import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
BUILD = HERE.parents[1] / "build/debug"
AT_A_TIME = 4
ONE_INPUT_SECONDS = 60  # by the clock on the wall: on a busy machine a pause is no hang
MEMORY_MIB = 2048
LONGEST_INPUT = 16384


def targets():
    return re.findall(r"^howdah_fuzz\((\w+)", (HERE / "CMakeLists.txt").read_text(), re.MULTILINE)


def fuzz(name, seconds):
    """One target; (name, whether it came through, what it said last)."""
    corpus, found = BUILD / "fuzz/corpus" / name, BUILD / "fuzz/found"
    corpus.mkdir(parents=True, exist_ok=True)
    found.mkdir(exist_ok=True)
    seeds = HERE / "corpus" / name
    command = [BUILD / "bin" / f"fuzz_{name}", f"-max_total_time={seconds}", f"-timeout={ONE_INPUT_SECONDS}",
               f"-rss_limit_mb={MEMORY_MIB}", f"-max_len={LONGEST_INPUT}", "-print_final_stats=1",
               f"-artifact_prefix={found}/{name}-", corpus]
    if seeds.is_dir():
        command.append(seeds)
    log = BUILD / f"fuzz_{name}.log"
    with log.open("wb") as out:
        code = subprocess.run(command, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL).returncode
    text = log.read_text(errors="replace")
    runs = re.search(r"stat::number_of_executed_units: (\d+)", text)
    said = f"{runs.group(1)} inputs" if runs else "no statistics"
    return name, code == 0, said if code == 0 else f"exit {code}\n" + "\n".join(text.splitlines()[-60:])


def main():
    words = sys.argv[1:]
    seconds = int(words.pop(0)) if words and words[0].isdigit() else 60
    names = words or targets()
    passed = 0
    with concurrent.futures.ThreadPoolExecutor(AT_A_TIME) as pool:
        for name, good, said in pool.map(lambda name: fuzz(name, seconds), names):
            passed += good
            print(f"{'ok  ' if good else 'FAIL'} {name}: {seconds} s, {said}", flush=True)
    print(f"{passed} passed, {len(names) - passed} failed")
    return 0 if passed == len(names) else 1


if __name__ == "__main__":
    os.nice(5)
    sys.exit(main())
