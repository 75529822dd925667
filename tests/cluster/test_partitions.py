"""P4, P6 - P9: whatever is cut off, each node serves, and after healing all hold the same."""
import pytest

from cluster import wait_for
from history import Load

CUTS = {
    "halves": lambda network, nodes: network.separate(nodes[:2], nodes[2:]),
    "isolate": lambda network, nodes: network.isolate(nodes[0], nodes),
    "bridge": lambda network, nodes: network.bridge(nodes),
    "one_way": lambda network, nodes: network.one_way(nodes[0], nodes),
}


@pytest.mark.parametrize("shape", CUTS)
def test_all_serve_while_cut_off_and_end_equal(network, shape):
    cluster = network.cluster.start()
    first, *_, last = cluster.nodes
    with Load(cluster.nodes) as load:
        load.wait_for(100)
        CUTS[shape](network, cluster.nodes)
        assert first.put("/kv/while/cut", "1").status == 201
        load.wait_for(400)
        if shape != "bridge":
            assert last.get("/kv/while/cut").status == 404, "nothing is cut"
        network.heal()
        load.wait_for(100)
    print(shape, load.check(cluster.wait_until_converged()))
    assert last.get("/kv/while/cut").status == 200


def test_a_bridge_carries_writes_to_the_other_side(network):
    cluster = network.cluster.start()
    first, _, last = cluster.nodes
    network.bridge(cluster.nodes)
    assert first.put("/kv/over/the/bridge", "1").status == 201
    wait_for(lambda: last.get("/kv/over/the/bridge").status == 200, 20, "the write does not get across")


def test_flapping_links(network):
    cluster = network.cluster.start()
    with Load(cluster.nodes) as load:
        for number in range(6):
            network.isolate(cluster.nodes[number % 3], cluster.nodes)
            load.wait_for(60)
            network.heal()
            load.wait_for(30)
    print(load.check(cluster.wait_until_converged()))


@pytest.mark.parametrize("network", [5], indirect=True)
def test_five_nodes_in_parts_that_change(network):
    """From one split to the next without a whole network in between."""
    nodes = network.cluster.start().nodes
    splits = [
        lambda: network.separate(nodes[:2], nodes[2:]),
        lambda: network.separate(nodes[:1], nodes[1:3], nodes[3:]),
        lambda: network.bridge(nodes),
        lambda: network.one_way(nodes[4], nodes),
    ]
    with Load(nodes) as load:
        for split in splits:
            load.wait_for(200)
            split()
        load.wait_for(200)
        network.heal()
        load.wait_for(100)
    print(load.check(network.cluster.wait_until_converged()))
    network.cluster.wait_until_members()
