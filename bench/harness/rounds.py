"""Several servers, several workloads, in turns."""

import statistics
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from . import client, disk, packages, process


@contextmanager
def data_folder(parent=None):
    """A temporary folder, on the disk that holds the build unless told otherwise."""
    place = Path(parent) if parent else packages.ROOT / "build"
    place.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-data-", dir=place) as folder:
        yield Path(folder)


def say(text):
    print(text, file=sys.stderr, flush=True)


@contextmanager
def running(classes, folder, keys, nice=0):
    """The servers started, filled with `keys` keys and checked; stopped at the end."""
    started = []
    try:
        for cls in classes:
            server = cls(folder, nice)
            started.append(server)
            begin = time.monotonic()
            server.start()
            server.fill(keys)
            server.check(keys)
            say(f"{server.name}: filled with {keys:,} keys in {time.monotonic() - begin:.1f} s")
        yield started
    finally:
        for server in started:
            server.stop()


@dataclass
class Result:
    """Runs and failures by (workload, server name); the disk's sync rates, one entry a round."""

    runs: dict = field(default_factory=dict)
    failures: dict = field(default_factory=dict)
    rates: list = field(default_factory=list)

    def ratio(self, mine, theirs):
        """Median over the rounds of my requests/s by theirs in the same round; None without both.

        Both are (workload, server name)."""
        if {mine, theirs} & set(self.failures) or not {mine, theirs} <= set(self.runs):
            return None
        pairs = zip(self.runs[mine], self.runs[theirs])
        return statistics.median(a.requests_per_second / b.requests_per_second for a, b in pairs)

    def median(self, name, which):
        """The median of one figure of the runs of (workload, server name) `which`."""
        return statistics.median(getattr(run, name) for run in self.runs[which])

    def sync_rate(self, size):
        return statistics.median(rate[size] for rate in self.rates)


def run_rounds(started, workloads, folder, options):
    """Every round visits every server with every workload that it takes, each time another first.

    `options` has keys, rounds, seconds (of one load run) and nice. A server that fails a workload
    is not asked again for it."""
    result = Result()
    for number in range(options.rounds):
        result.rates.append(disk.sync_rates(folder))
        for workload in workloads:
            takers = [server for server in started if workload in server.kinds]
            turn = number % max(1, len(takers))
            for server in takers[turn:] + takers[:turn]:
                if (workload, server.name) not in result.failures:
                    client.settle(started)
                    _one_run(server, workload, number, options, result)
    return result


def _one_run(server, workload, number, options, result):
    which = (workload, server.name)
    try:
        run = client.measure(server, workload, options, seed=1 + number)
    except process.Failed as failure:
        result.failures[which] = str(failure)
        say(f"FAILED: {failure}")
        return
    result.runs.setdefault(which, []).append(run)
    say(f"round {number + 1}: {workload:10} {server.name:10} "
        f"{run.requests_per_second:11,.0f}/s {run.cpu_us:8.2f} us")
