"""What all tests of the real binary share: the option that names it, and nodes to talk to."""
import pathlib

import pytest

from harness import Node

ROOT = pathlib.Path(__file__).resolve().parents[2]


def pytest_addoption(parser):
    parser.addoption("--kvs", default="build/test/kvs", help="the binary under test")


@pytest.fixture(scope="session")
def kvs(request):
    """The path of the binary under test."""
    binary = (ROOT / request.config.getoption("--kvs")).resolve()
    if not binary.is_file():
        pytest.exit(f"{binary} is not there: build it, or name another with --kvs", returncode=3)
    return binary


@pytest.fixture
def new_node(kvs, tmp_path):
    """Makes nodes, each with a folder of its own; ends all that still run."""
    nodes = []

    def make(**settings):
        folder = tmp_path / f"node{len(nodes)}"
        folder.mkdir()
        nodes.append(Node(kvs, folder, settings))
        return nodes[-1]

    yield make
    for node in nodes:
        node.destroy()
