"""A limit of CPU time for a child process, by a cgroup of its own (version 2 or 1)."""

import os
import subprocess
from pathlib import Path

from . import process

PERIOD_US = 10_000  # short, so that a limited process does not come in bursts
ROOT_V2 = Path("/sys/fs/cgroup")
ROOT_V1 = Path("/sys/fs/cgroup/cpu")
_made = []


def _root():
    if (ROOT_V2 / "cgroup.controllers").exists():
        return ROOT_V2
    return ROOT_V1 if (ROOT_V1 / "cpu.cfs_quota_us").exists() else None


def available():
    """True if limits can be set here."""
    root = _root()
    return root is not None and os.access(root, os.W_OK)


def _group(share):
    """A new group that may use `share` cores; its cgroup.procs."""
    root = _root()
    group = root / f"kvs-bench-{os.getpid()}-{len(_made)}"
    group.mkdir()
    _made.append(group)
    quota = int(PERIOD_US * share)
    if root == ROOT_V2:
        (group / "cpu.max").write_text(f"{quota} {PERIOD_US}")
    else:
        (group / "cpu.cfs_period_us").write_text(str(PERIOD_US))
        (group / "cpu.cfs_quota_us").write_text(str(quota))
    return group / "cgroup.procs"


def start(command, log, share, folder):
    """Starts `command` on any core with at most `share` cores of CPU time (None: no limit)."""
    procs = _group(share) if share is not None and available() else None

    def prepare():
        process.die_with_parent()
        if procs is not None:
            procs.write_text(str(os.getpid()))

    with open(log, "ab") as output:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                preexec_fn=prepare, start_new_session=True, cwd=folder)


def remove_ended():
    """Removes the groups whose processes have ended."""
    for group in list(_made):
        try:
            group.rmdir()
            _made.remove(group)
        except OSError:
            pass  # not empty yet
