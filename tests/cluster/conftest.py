"""What the tests of clusters share: the option that names the binary, and clusters to talk to."""
import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "system"))  # harness: one node as a process

from cluster import Cluster  # noqa: E402
import partition  # noqa: E402


def pytest_addoption(parser):
    parser.addoption("--kvs", default="build/test/kvs", help="the binary under test")


@pytest.fixture(scope="session")
def kvs(request):
    """The path of the binary under test."""
    binary = (ROOT / request.config.getoption("--kvs")).resolve()
    if not binary.is_file():
        pytest.exit(f"{binary} is not there: build it, or name another with --kvs", returncode=3)
    return binary


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Lets fixtures know whether the test passed."""
    outcome = yield
    if call.when == "call":
        item.passed = outcome.get_result().passed


@pytest.fixture
def new_cluster(request, kvs, tmp_path):
    """Makes clusters that do not run yet. At the end of each test all their running nodes must hold
    the same, and none may have logged an error that was not expected; then they end."""
    clusters = []

    def make(size, **settings):
        folder = tmp_path / f"cluster{len(clusters)}"
        folder.mkdir()
        clusters.append(Cluster(kvs, folder, size, settings))
        return clusters[-1]

    yield make
    try:
        for cluster in clusters:
            if getattr(request.node, "passed", False):
                cluster.assert_equal()
                cluster.assert_sound()
    finally:
        for cluster in clusters:
            cluster.close()


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
