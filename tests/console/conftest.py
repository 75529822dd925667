"""What the tests of the console share: clusters, and a browser that a script drives."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import threading

import pytest

HERE = pathlib.Path(__file__).resolve().parent
for folder in ("system", "cluster"):  # fixtures: the option that names the binary; cluster: several nodes
    sys.path.insert(0, str(HERE.parent / folder))

from cluster import Clusters  # noqa: E402
from fixtures import ROOT, kvs, pytest_addoption  # noqa: E402, F401

MODULES = ROOT / "build" / "console" / "node_modules"
VISIT_SECONDS = 480  # of a machine that does much else; alone it is some ten


@pytest.fixture
def new_cluster(kvs, tmp_path):  # noqa: F811
    """Makes clusters that do not run yet, and ends them."""
    with Clusters(kvs, tmp_path) as clusters:
        yield clusters.make


def why_no_browser():
    for program in ("chromium", "node"):
        if not shutil.which(program):
            return f"{program} is not here: tests/console/get-browser fetches it"
    if not (MODULES / "playwright-core").is_dir():
        return "the npm packages are not here: tests/console/get-browser fetches them"
    return None


@pytest.fixture
def browse():
    """Runs a script of this folder with node; what it asks for is done by `answers`, which are functions by name."""
    if reason := why_no_browser():
        pytest.skip(reason)

    def run(script, nodes, answers):
        environment = {
            **os.environ,
            "KVS_MODULES": str(MODULES.parent) + "/",
            "KVS_NODES": json.dumps([node.address for node in nodes]),
        }
        with subprocess.Popen(
            ["node", HERE / script], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            limit = threading.Timer(VISIT_SECONDS, process.kill)
            limit.start()
            try:
                _serve(process, answers)
                assert process.wait() == 0, f"{script} failed"
            finally:
                limit.cancel()
                process.kill()

    return run


def _serve(process, answers):
    """A line `ask NAME ARGUMENT...` wants an answer, when it is done; all others are for the reader."""
    for line in process.stdout:
        words = line.split()
        if words[:1] == ["ask"]:
            answers[words[1]](*map(int, words[2:]))
            process.stdin.write("done\n")
            process.stdin.flush()
        else:
            print(line, end="", flush=True)
