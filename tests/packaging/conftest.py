"""What the tests of packages and examples share: the option that names the binary, and the package
made of it."""
import pathlib
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
for folder in ("system", "cluster"):  # harness: one node as a process; cluster: several
    sys.path.insert(0, str(ROOT / "tests" / folder))

from cluster import Cluster  # noqa: E402
from harness import Node  # noqa: E402


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


@pytest.fixture
def new_cluster(kvs, tmp_path):
    """Makes clusters that do not run yet, and ends them."""
    clusters = []

    def make(size, **settings):
        folder = tmp_path / f"cluster{len(clusters)}"
        folder.mkdir()
        clusters.append(Cluster(kvs, folder, size, settings))
        return clusters[-1]

    yield make
    for cluster in clusters:
        cluster.close()


@pytest.fixture(scope="session")
def package(kvs, tmp_path_factory):
    """The Debian package of the binary under test, made by cpack."""
    for tool in ("cpack", "dpkg-deb", "dpkg-shlibdeps", "file"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is missing")
    folder = tmp_path_factory.mktemp("package")
    made = subprocess.run(
        ["cpack", "-G", "DEB", "--config", kvs.parent / "CPackConfig.cmake", "-B", folder],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert made.returncode == 0, made
    (deb,) = folder.glob("*.deb")
    return deb
