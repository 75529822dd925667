"""What a run needs: the peers' Debian packages, without their services; the node, the loader."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from .process import Failed

PROGRAMS = {"nginx": "nginx-light", "etcd": "etcd-server", "redis-server": "redis-server",
            "webdis": "webdis", "wrk": "wrk"}
ROOT = Path(__file__).resolve().parents[2]
NODE = ROOT / "build/release/kvs"
LOADER = ROOT / "build/bench/kvs-load"
POLICY = Path("/usr/sbin/policy-rc.d")


def program(name):
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/bin")
    if found is None:
        raise Failed(f"{name} is not installed: apt-get install {PROGRAMS.get(name, name)}")
    return found


def prepare(classes):
    """Installs and builds what these server classes and the client need."""
    install_missing(sorted({"wrk"}.union(*(cls.programs for cls in classes))))
    if any(not cls.programs for cls in classes):
        build_missing()


def install_missing(names):
    """Installs the packages of the programs among `names` that are not there. Needs root."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/usr/bin"
    missing = [PROGRAMS[name] for name in names if shutil.which(name, path=path) is None]
    if not missing:
        return
    command = "apt-get install --no-install-recommends " + " ".join(missing)
    if os.geteuid() != 0:
        raise Failed(f"packages are missing; as root: {command}")
    print(f"installing {' '.join(missing)}", file=sys.stderr, flush=True)
    own_policy = not POLICY.exists()
    if own_policy:
        POLICY.write_text("#!/bin/sh\nexit 101\n")
        POLICY.chmod(0o755)
    try:
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        result = subprocess.run([*command.split(), "-y", "-q"], env=environment,
                                capture_output=True, text=True, timeout=600, check=False)
        if result.returncode != 0:
            raise Failed(f"{command} failed:\n{result.stderr.strip()[-2000:]}")
    finally:
        if own_policy:
            POLICY.unlink()


def version(name):
    """Builds the node and the loader where they are missing; an old build is taken as it is."""
    result = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", PROGRAMS[name]],
                            capture_output=True, text=True, check=False)
    return result.stdout or "unknown"


def build_missing():
    """Builds the node and the loader where they are not there yet; takes an old build as it is."""
    if not NODE.exists():
        _run_all([["./run", "--build-only"]])
    build_bench("kvs-load")


def build_bench(name):
    """Builds a program of bench/ if it is not there yet."""
    if not (ROOT / "build/bench" / name).exists():
        _run_all([["cmake", "--preset", "bench"], ["ninja", "-C", "build/bench", name]])


def _run_all(commands):
    for command in commands:
        print(f"building: {' '.join(command)}", file=sys.stderr, flush=True)
        result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1800,
                                check=False)
        if result.returncode != 0:
            raise Failed(f"{' '.join(command)} failed:\n{(result.stdout + result.stderr)[-2000:]}")
