"""What the tests of the console share: the clusters of tests/cluster, and a browser that a script drives."""
import importlib.util
import json
import os
import pathlib
import shutil
import subprocess
import sys
import threading

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = ROOT / "tests" / "console"
MODULES = ROOT / "build" / "console" / "node_modules"
VISIT_SECONDS = 480  # of a machine that does much else; alone it is some ten

sys.path[:0] = [str(ROOT / "tests" / "cluster")]
_spec = importlib.util.spec_from_file_location("cluster_conftest", ROOT / "tests" / "cluster" / "conftest.py")
_fixtures = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_fixtures)

pytest_addoption = _fixtures.pytest_addoption
pytest_runtest_makereport = _fixtures.pytest_runtest_makereport
kvs = _fixtures.kvs
new_cluster = _fixtures.new_cluster


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
