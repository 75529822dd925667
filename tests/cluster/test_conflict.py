"""The conflict demonstration: `kvs make-conflict`, then nodes on these folders."""
import subprocess
import time

import pytest

from cluster import wait_for

KEYS = 20


@pytest.fixture
def conflict(kvs, new_cluster):
    """Makes the folders of nodes 1 and 2 of a cluster of `size` that does not run yet."""

    def make(size):
        cluster = new_cluster(size)
        folders = [node.data_dir for node in cluster.nodes[:2]]
        command = [kvs, "make-conflict", *folders, "--keys", str(KEYS)]
        subprocess.run(command, check=True, timeout=60, stdout=subprocess.DEVNULL)
        return cluster

    return make


def shown(node):
    """Whose value a node shows under each key."""
    answers = [node.get(f"/kv/conflict/{number}") for number in range(1, KEYS + 1)]
    return tuple(answer.json["writer"] if answer.status == 200 else None for answer in answers)


def writers(node):
    """Whose values a node shows."""
    return set(shown(node))


def settle(cluster, starting=None):
    """Starts the nodes that do not run yet (all, if none are named); the writers whose values all
    come to show alike."""
    for node in starting or cluster.nodes:
        node.start()
    began = time.monotonic()

    def settled():
        views = {shown(node) for node in cluster.nodes}
        return len(views) == 1 and None not in next(iter(views))

    wait_for(settled, 20, lambda: f"not settled: {[shown(node) for node in cluster.nodes]}")
    print(f"settled after {time.monotonic() - began:.1f} s")
    cluster.wait_until_converged()
    return writers(cluster.nodes[0])


def verdicts(cluster):
    return [
        line for node in cluster.nodes for line in node.log().splitlines() if "a conflict was settled" in line
    ]


def test_two_nodes_take_the_older_nodes_values(conflict):
    cluster = conflict(2)
    assert settle(cluster) == {"first"}
    lines = verdicts(cluster)
    assert len(lines) >= KEYS
    assert all(" wins by " in line and "had 1 vote(s)" in line for line in lines), lines[0]
    print(lines[0])


def test_three_nodes_take_the_majoritys_values(conflict):
    cluster = conflict(3)
    first, second, third = cluster.nodes
    # The third holds what the second has before the first meets them. Were the first to meet the
    # second alone, the two could settle some keys between them.
    second.start()
    third.start()
    wait_for(lambda: writers(third) == {"second"}, 20, lambda: f"{writers(third)}")
    assert settle(cluster, starting=[first]) == {"second"}
    lines = verdicts(cluster)
    assert any("had 2 vote(s)" in line for line in lines), lines[:1]
    print(lines[0])


def test_a_third_node_without_the_keys_gets_the_winner(conflict):
    """Whose value it fetches first gets its vote, key by key, unless it was settled before."""
    cluster = conflict(3)
    assert settle(cluster) <= {"first", "second"}
    settled = {line.split('"verdict":"')[1].split(":")[0] for line in verdicts(cluster)}
    assert settled == {f"conflict/{number}" for number in range(1, KEYS + 1)}


def test_a_settled_conflict_stays_settled(conflict):
    cluster = conflict(2)
    assert settle(cluster) == {"first"}
    for node in cluster.nodes:
        node.kill()
    assert settle(cluster) == {"first"}
