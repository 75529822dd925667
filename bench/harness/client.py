"""One load run: wrk on its core against one server, and what the server spent on it."""

import json
import os
import subprocess
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from . import packages, process
from .process import Failed

CONNECTIONS = 64
SCRIPT = Path(__file__).resolve().parents[1] / "requests.lua"
QUIET_SHARE = 0.05
QUIET_SECONDS_MAX = 20.0


@dataclass
class Run:
    """What one run showed. CPU includes what the server does afterwards until it is quiet."""

    requests_per_second: float
    cpu_us: float
    p50_us: int
    p99_us: int
    peak_mib: float
    server_busy: float
    client_busy: float

    def as_json(self):
        return asdict(self)


def settle(servers):
    """Waits until the servers together use little CPU (compactions of an earlier run are over)."""
    deadline = time.monotonic() + QUIET_SECONDS_MAX
    while time.monotonic() < deadline:
        before = sum(server.cpu_ns() for server in servers)
        time.sleep(0.2)
        after = sum(server.cpu_ns() for server in servers)
        if after - before < QUIET_SHARE * 0.2e9:
            return


def measure(server, workload, options, seed):
    """Loads `server` for `options.seconds`. Failed on any wrong status or socket error."""
    kind, depth = server.kinds[workload]
    url = f"http://127.0.0.1:{server.port_of(workload)}/"
    command = [packages.program("wrk"), "-t1", f"-c{CONNECTIONS}", f"-d{options.seconds}s",
               "--timeout", "20s", "-s", str(SCRIPT), url, "--", kind, str(options.keys),
               str(depth), str(seed)]
    server.reset_peak()
    before = server.cpu_ns()
    output, client_cpu = _run(command, options.seconds + 90, options.nice)
    busy = server.cpu_ns() - before
    settle([server])
    spent = server.cpu_ns() - before
    figures = _figures(output, f"{server.name}, {workload}")
    return Run(requests_per_second=figures["requests"] / figures["seconds"],
               cpu_us=spent / 1000 / figures["requests"],
               p50_us=figures["p50_us"], p99_us=figures["p99_us"], peak_mib=server.peak_mib(),
               server_busy=busy / 1e9 / figures["seconds"],
               client_busy=(client_cpu - _prepared(output)) / figures["seconds"])


def _run(command, timeout, nice):
    before = os.times()
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=timeout,
                                preexec_fn=process.placed(process.CLIENT_CORE, nice),
                                start_new_session=True, check=False)
    except subprocess.TimeoutExpired as error:
        raise Failed(f"wrk did not end within {timeout} s: {' '.join(command)}") from error
    after = os.times()
    if result.returncode != 0:
        raise Failed(f"wrk: {result.stderr.strip()} {result.stdout.strip()}")
    cpu = (after.children_user - before.children_user
           + after.children_system - before.children_system)
    return result.stdout, cpu


def _prepared(output):
    """CPU seconds that the client spent before the load began."""
    return sum(float(line.split()[1]) for line in output.splitlines()
               if line.startswith("PREPARED "))


def _figures(output, what):
    lines = [line for line in output.splitlines() if line.startswith("RESULT ")]
    if not lines:
        raise Failed(f"{what}: no result from wrk:\n{output}")
    figures = json.loads(lines[-1].removeprefix("RESULT "))
    wrong = {name: figures[name] for name in
             ("connect_errors", "read_errors", "write_errors", "bad_status", "timeouts")
             if figures[name]}
    if wrong or not figures["requests"]:
        raise Failed(f"{what}: wrk counts {figures['requests']} requests and {wrong}")
    return figures
