#!/usr/bin/env python3
"""Proves that every mutant whose judge is `tests` is noticed by all the tests that judges.txt names for it.

usage: run.py BUILD_FOLDER [MUTANT...]

Each judge runs twice: as the code is, and must pass; with the rule broken, and must fail.
"""

import os
import pathlib
import re
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
TIMEOUT_S = 120


def mutants_for_tests():
    """The names of the mutants that the table gives to unit tests and laws, in its order."""
    table = (HERE.parent.parent / "src/base/mutant.cc").read_text()
    entries = re.findall(r"MutantInfo\{(.*?)\}", table, re.S)
    return [re.search(r"Mutant::(\w+)", entry).group(1)
            for entry in entries if "MutantJudge::tests" in entry]


def judges():
    """mutant -> its (program, argument)s: lines `mutant program argument` in judges.txt."""
    found = {}
    for line in (HERE / "judges.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            mutant, program, argument = line.split(maxsplit=2)
            found.setdefault(mutant, []).append((program, argument))
    return found


def command_of(build, program, argument, mutant):
    """The command that judges, and its environment. No mutant: the code as it is."""
    path = next(p for p in (build / program, build / "tests/properties" / program) if p.exists())
    environment = dict(os.environ)
    if program == "kvs-sim":
        return [str(path), *argument.split(), *(["--mutant", mutant] if mutant else [])], environment
    if mutant:
        environment["KVS_MUTANT"] = mutant
    return [str(path), "--gtest_brief=1", "--gtest_filter=" + argument], environment


def passes(build, judge, mutant=None):
    command, environment = command_of(build, *judge, mutant)
    try:
        done = subprocess.run(command, env=environment, timeout=TIMEOUT_S, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0 and "PASSED  ] 0 tests" not in done.stdout


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    known = judges()
    sound = {}
    unseen = []
    wanted = sys.argv[2:] or mutants_for_tests()
    print(f"{'mutant':<32} {'seconds':>7}  found by")
    for mutant in wanted:
        for judge in known.get(mutant, [None]):
            begin = time.monotonic()
            if judge and judge not in sound:
                sound[judge] = passes(build, judge)
            found = judge is not None and sound[judge] and not passes(build, judge, mutant)
            seconds = time.monotonic() - begin
            who = " ".join(judge) if judge else "anybody"
            print(f"{mutant:<32} {seconds:7.1f}  {who if found else f'NOT BY {who}'}", flush=True)
            if not found and mutant not in unseen:
                unseen.append(mutant)
    print(f"{len(wanted) - len(unseen)} of {len(wanted)} mutants found by tests")
    return 1 if unseen else 0


if __name__ == "__main__":
    sys.exit(main())
