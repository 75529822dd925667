"""A child process on chosen cores, and what /proc says about it."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

SERVER_CORE = 0
CLIENT_CORE = 1

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


class Failed(Exception):
    """A run that cannot go on; the text is for the user."""


def cores(core):
    """The one core asked for, or all where the machine has fewer."""
    available = os.sched_getaffinity(0)
    return {core} if core in available else available


def die_with_parent():
    """For preexec_fn: the process does not outlive the one that started it."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def placed(core, nice):
    """For Popen(preexec_fn=..., start_new_session=True): on one core, dying with us, at a niceness.

    Where the kernel groups processes by session, the niceness of the group counts, so it is set
    too."""

    def prepare():
        die_with_parent()
        os.sched_setaffinity(0, cores(core))
        if nice:
            os.setpriority(os.PRIO_PROCESS, 0, nice)
            try:
                Path("/proc/self/autogroup").write_text(str(nice), encoding="ascii")
            except OSError:
                pass  # no such grouping here

    return prepare


def start(command, core, log, nice=0, **options):
    """Starts `command` in a session of its own, out of reach of the terminal's Ctrl-C."""
    with open(log, "ab") as output:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                preexec_fn=placed(core, nice), start_new_session=True, **options)


def stop(process, patience=15.0):
    """SIGTERM, then SIGKILL; returns the exit code."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    return process.returncode


def cpu_ns(pid, without=""):
    """CPU time in nanoseconds of all threads that live, but for those named `without` something."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            if without and (task / "comm").read_text().startswith(without):
                continue
            total += int((task / "schedstat").read_text().split()[0])
        except (FileNotFoundError, ProcessLookupError):
            pass  # the thread ended between the two lines
    return total


def _status_kib(pid, field):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1])
    raise Failed(f"/proc/{pid}/status has no {field}")


def rss_kib(pid):
    return _status_kib(pid, "VmRSS")


def peak_rss_kib(pid):
    """The most since the start or the last reset_peak."""
    return _status_kib(pid, "VmHWM")


def reset_peak(pid):
    try:
        Path(f"/proc/{pid}/clear_refs").write_text("5")
    except OSError:
        pass  # without the right the peak is that of the whole life


def wait_until(check, seconds, what):
    """Calls `check` until it is true; Failed(`what`) after `seconds`."""
    deadline = time.monotonic() + seconds
    while not check():
        if time.monotonic() > deadline:
            raise Failed(what)
        time.sleep(0.002)


def run_main(name, main):
    """main()'s exit code; the servers are stopped on SIGINT and SIGTERM too."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        return main()
    except Failed as failure:
        print(f"{name}: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
