"""The cluster as its documents show it: three nodes from examples/, one write, members, a dead node."""
import json
import pathlib
import shutil
import time

import pytest
import yaml

from cluster import wait_for

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture
def documented(new_cluster):
    """Three nodes with the settings of examples/node1.yaml to node3.yaml, but for addresses and folders."""
    cluster = new_cluster(0)
    addresses = {f"127.0.0.1:808{n}": f"{cluster.subnet.address(n)}:8080" for n in (1, 2, 3)}
    for number in (1, 2, 3):
        settings = yaml.safe_load((EXAMPLES / f"node{number}.yaml").read_text())
        node = cluster.add(node_id=settings["node_id"], seed_nodes=[addresses[s] for s in settings["seed_nodes"]])
        node.settings = {
            key: value
            for key, value in node.settings.items()
            if key in ("node_id", "seed_nodes", "bind_address", "port", "data_dir")
        }
    for node in cluster.nodes:
        node.start()
    return cluster


def test_the_documented_write(documented):
    first, *others = documented.nodes
    documented.wait_until_members(["node1", "node2", "node3"])
    began = time.monotonic()
    answer = first.put("/kv/test/data", {"message": "hello world"}, headers={"Content-Type": "application/json"})
    assert answer.status == 201
    for node in others:
        wait_for(lambda node=node: node.get("/kv/test/data").status == 200, 5, f"{node.name} does not have it")
    took = time.monotonic() - began
    for node in documented.nodes:
        assert node.get("/kv/test/data").json == {"message": "hello world"}
        assert node.get("/kv/test/data?meta=true").json["uuid"] == answer.json["uuid"]
        health = node.get("/health").json
        assert (health["status"], health["mode"], health["member_count"]) == ("ok", "normal", 3)
    print(f"there after {took * 1000:.0f} ms")


def test_a_delete_and_every_kind_of_value(documented):
    first, second, third = documented.nodes
    values = [{"a": [1, 2]}, [], "text", -0.5, True, None]
    for number, value in enumerate(values):
        assert documented.nodes[number % 3].put(f"/kv/kind/{number}", json.dumps(value)).status == 201
    assert second.put("/kv/gone", 1).status == 201
    wait_for(lambda: third.get("/kv/gone").status == 200, 5, "the write does not arrive")
    assert third.delete("/kv/gone").status == 204
    for node in (first, second):
        wait_for(lambda node=node: node.get("/kv/gone").status == 404, 5, "the delete does not arrive")
    documented.wait_until_converged(5)
    for node in documented.nodes:
        assert [node.get(f"/kv/kind/{n}").json for n in range(len(values))] == values


def test_a_dead_node_is_noticed_and_catches_up(documented):
    first, second, third = documented.nodes
    documented.wait_until_members()
    third.kill()
    wait_for(
        lambda: all(node.get("/health").json["member_count"] == 2 for node in (first, second)),
        10,
        lambda: f"not noticed: {first.get('/members/').body}",
    )
    assert first.members() == second.members() == ["node1", "node2"]
    assert "node3" in first.members("?all=true")
    for number in range(100):
        assert first.put(f"/kv/away/{number}", number).status == 201
    third.start()
    documented.wait_until_members(["node1", "node2", "node3"])
    documented.wait_until_converged(20)


def test_nodes_that_find_only_one_another_begin(new_cluster):
    """All at once, each with the others as seeds, and none with any data."""
    cluster = new_cluster(3)
    cluster.start_at_once(cluster.nodes)
    cluster.wait_until_members()
    cluster.wait_until_connected()


def test_a_new_node_gets_everything(cluster):
    for number in range(100):
        assert cluster.nodes[number % 3].put(f"/kv/old/{number}", ["x" * 1000]).status == 201
    fourth = cluster.add().start()
    cluster.wait_until_members()
    records = cluster.wait_until_converged()
    assert sum(key.startswith("old/") for key in records) == 100
    assert fourth.put("/kv/new", 1).status == 201
    cluster.wait_until_converged()


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_a_node_leaves(cluster, method):
    first, second, third = cluster.nodes
    cluster.wait_until_members()
    assert third.put("/kv/last/words", 1).status == 201
    third.set_serving(False)
    assert third.request(method, "/members/leave").status == 200
    assert third.process.wait(20) == 0
    cluster.wait_until_members()
    assert first.members("?all=true") == second.members("?all=true") == ["node1", "node2"]
    cluster.wait_until_converged(5)
    assert first.get("/kv/last/words").status == 200
    third.start()  # it may come again
    cluster.wait_until_members(["node1", "node2", "node3"])
    cluster.wait_until_converged()


def test_a_failed_member_is_removed_for_all(cluster):
    first, second, third = cluster.nodes
    cluster.wait_until_members()
    assert first.request("POST", "/members/leave", '{"id":"node3"}').status == 409
    third.kill()
    cluster.wait_until_members()
    assert second.request("POST", "/members/leave", '{"id":"node3"}').status == 200
    wait_for(lambda: first.members("?all=true") == ["node1", "node2"], 10, "node3 is still listed")
    shutil.rmtree(third.data_dir)
    third.start()
    cluster.wait_until_members(["node1", "node2", "node3"])
