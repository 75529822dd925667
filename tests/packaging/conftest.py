"""What the tests of packages and examples share: the option that names the binary, and the package
made of it."""
import pathlib
import shutil
import subprocess
import sys

import pytest

TESTS = pathlib.Path(__file__).resolve().parents[1]
for folder in ("system", "cluster"):  # fixtures: one node as a process; cluster: several
    sys.path.insert(0, str(TESTS / folder))

from cluster import Clusters  # noqa: E402
from fixtures import ROOT, kvs, new_node, pytest_addoption  # noqa: E402, F401


@pytest.fixture
def new_cluster(kvs, tmp_path):  # noqa: F811
    """Makes clusters that do not run yet, and ends them."""
    with Clusters(kvs, tmp_path) as clusters:
        yield clusters.make


@pytest.fixture(scope="session")
def package(kvs, tmp_path_factory):  # noqa: F811
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
