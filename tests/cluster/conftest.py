"""What the tests of clusters share: the option that names the binary, and clusters to talk to."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))  # fixtures, harness

from cluster import Clusters  # noqa: E402
from fixtures import kvs  # noqa: E402, F401
from fixtures import pytest_addoption as add_shared_options  # noqa: E402
import partition  # noqa: E402


def pytest_addoption(parser):
    add_shared_options(parser)
    parser.addoption("--old-kvs", help="a binary of an earlier version, for clusters of both")


@pytest.fixture(scope="session")
def old_kvs(request):
    """The path of a binary of an earlier version."""
    named = request.config.getoption("--old-kvs")
    if not named:
        pytest.skip("needs a binary of an earlier version: --old-kvs PATH (docs/testing.md)")
    binary = pathlib.Path(named).resolve()
    assert binary.is_file(), f"{binary} is not there"
    return binary


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Lets fixtures know whether the test passed."""
    outcome = yield
    if call.when == "call":
        item.passed = outcome.get_result().passed


@pytest.fixture
def new_cluster(request, kvs, tmp_path):  # noqa: F811
    """Makes clusters that do not run yet. At the end of each test all their running nodes must hold
    the same, and none may have logged an error that was not expected; then they end."""
    with Clusters(kvs, tmp_path) as clusters:
        yield clusters.make
        if getattr(request.node, "passed", False):
            for cluster in clusters.made:
                cluster.assert_equal()
                cluster.assert_sound()


@pytest.fixture
def cluster(new_cluster):
    """Three running nodes that know one another."""
    return new_cluster(3).start()


@pytest.fixture
def network(request, new_cluster):
    """Nodes that do not run yet (three, unless the test says how many), and the means to cut them
    off; heals at the end."""
    if reason := partition.why_not():
        pytest.skip(reason)
    cluster = new_cluster(getattr(request, "param", 3))
    with partition.Network(cluster.nodes) as made:
        made.cluster = cluster
        yield made
