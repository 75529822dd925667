"""What every test of one real node shares."""
import pytest

from fixtures import kvs, new_node, pytest_addoption  # noqa: F401


@pytest.fixture
def node(new_node):  # noqa: F811
    """One running node with default settings."""
    return new_node().start()
