"""The pages of the cluster, with several processes on addresses of their own."""
import pytest

from harness import eventually

PORT = 18070


@pytest.fixture
def cluster(new_node):
    """Starts nodes node1, node2, ... on 127.0.7.N; each knows the first ones as seeds."""

    def start(count, **settings):
        nodes = [new_member(new_node, number, **settings) for number in range(1, count + 1)]
        for node in nodes:
            node.start()
        eventually(lambda: all(ids(node) == ids_of(nodes) for node in nodes))
        eventually(lambda: all(node.get("/health").json["mode"] == "normal" for node in nodes))
        return nodes

    return start


def new_member(new_node, number, **settings):
    seeds = [f"127.0.7.{seed}:{PORT}" for seed in (1, 2) if seed != number]
    return new_node(
        **{
            "node_id": f"node{number}",
            "bind_address": f"127.0.7.{number}",
            "port": PORT,
            "seed_nodes": seeds if number > 1 else [],
            "probe_interval_ms": 200,
            "probe_timeout_ms": 100,
            **settings,
        }
    )


def members(node, query=""):
    answer = node.get(f"/members/{query}")
    assert answer.status == 200, answer
    return answer.json


def ids(node, query=""):
    return [member["id"] for member in members(node, query)]


def ids_of(nodes):
    return [node.settings["node_id"] for node in nodes]


def test_members_are_equal_everywhere(cluster):
    nodes = cluster(3)
    shown = [
        [{name: member[name] for name in ("id", "address", "joined_timestamp")} for member in members(node)]
        for node in nodes
    ]
    assert shown[0] == shown[1] == shown[2]
    assert [member["address"] for member in shown[0]] == [node.address for node in nodes]
    for node in nodes:
        health = node.get("/health").json
        assert (health["member_count"], health["node_id"]) == (3, node.settings["node_id"])
        own = [member for member in members(node) if member["id"] == health["node_id"]][0]
        assert own["last_seen"] >= max(member["last_seen"] for member in members(node)) - 1000


def test_a_dead_member_is_shown_with_all_alone(cluster):
    nodes = cluster(3)
    nodes[2].kill()
    eventually(lambda: ids(nodes[0]) == ids(nodes[1]) == ["node1", "node2"])
    assert nodes[0].get("/health").json["member_count"] == 2
    everybody = members(nodes[0], "?all=true")
    assert [(member["id"], member["state"]) for member in everybody] == [
        ("node1", "alive"),
        ("node2", "alive"),
        ("node3", "failed"),
    ]
    nodes[2].start()
    eventually(lambda: all(ids(node) == ids_of(nodes) for node in nodes))


def test_a_node_of_another_cluster_is_not_let_in(cluster, new_node):
    nodes = cluster(2)
    stranger = new_member(new_node, 3, cluster_name="elsewhere").start()
    eventually(lambda: "another cluster" in stranger.log())
    assert ids(stranger) == ["node3"]
    assert ids(nodes[0]) == ids(nodes[1]) == ["node1", "node2"]


def test_an_id_in_use_is_refused(cluster, new_node):
    nodes = cluster(2)
    twin = new_member(new_node, 3, node_id="node2").start()
    eventually(lambda: "is in use" in twin.log())
    assert [member["address"] for member in members(nodes[0])] == [node.address for node in nodes]
    answer = nodes[0].request(
        "POST", "/members/join", body='{"id":"node2","address":"127.0.7.3:1","joined_timestamp":1}'
    )
    assert (answer.status, answer.code) == (409, "id_in_use")


def leave(node, method="POST", body=None):
    return node.request(method, "/members/leave", body=body, timeout=20)


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_a_node_leaves_hands_over_and_ends(cluster, method):
    nodes = cluster(3)
    for number in range(200):
        assert nodes[2].put(f"/kv/last/{number}", number).status == 201
    answer = leave(nodes[2], method)
    assert (answer.status, answer.json) == (200, {"left": True, "handed_over": True})
    assert nodes[2].process.wait(timeout=20) == 0
    for node in nodes[:2]:
        eventually(lambda node=node: ids(node, "?all=true") == ["node1", "node2"])
        assert [node.get(f"/kv/last/{number}").json for number in range(200)] == list(range(200))
        assert "member left" in node.log() and "member failed" not in node.log()
    nodes[2].start()
    eventually(lambda: all(ids(node) == ids_of(nodes) for node in nodes))


def test_a_node_alone_leaves_too(new_node):
    node = new_node().start()
    assert leave(node).json == {"left": True, "handed_over": True}
    assert node.process.wait(timeout=20) == 0
    node.start()
    assert node.put("/kv/a", 1).status == 201


def test_two_that_ask_a_node_to_leave_are_both_answered(cluster):
    nodes = cluster(2)
    connections = [nodes[1].connect(), nodes[1].connect()]
    nodes[1].pause()  # so that the second comes before the first is done with
    for connection in connections:
        connection.request("POST", "/members/leave")
    nodes[1].resume()
    assert [connection.getresponse().status for connection in connections] == [200, 200]
    assert nodes[1].process.wait(timeout=20) == 0


def test_only_a_failed_member_is_removed(cluster):
    nodes = cluster(3)
    for unknown, code in (("node9", "not_found"), ("node2", "id_in_use"), ("node1", "id_in_use")):
        answer = leave(nodes[0], body=f'{{"id":"{unknown}"}}')
        assert (answer.status, answer.code) == ({"not_found": 404, "id_in_use": 409}[code], code)
    nodes[2].kill()
    eventually(lambda: [m["state"] for m in members(nodes[0], "?all=true")] == ["alive", "alive", "failed"])
    answer = leave(nodes[0], body='{"id":"node3"}')
    assert (answer.status, answer.json) == (200, {"removed": "node3"})
    eventually(lambda: all(ids(node, "?all=true") == ["node1", "node2"] for node in nodes[:2]))
    nodes[2].start()
    eventually(lambda: all(ids(node) == ids_of(nodes) for node in nodes))


@pytest.mark.parametrize("body", ["{}", "[]", '{"id":""}', '{"id":3}', '{"id":"a"', "x"])
def test_a_body_that_names_nobody_stops_no_node(node, body):
    answer = leave(node, body=body)
    assert answer.status == 400, answer
    assert node.get("/health").status == 200


def convergence(node):
    answer = node.get("/cluster/convergence")
    assert answer.status == 200, answer
    return answer.json


def test_convergence_in_words_and_figures(cluster):
    nodes = cluster(3)
    for number in range(300):
        assert nodes[number % 3].put(f"/kv/c/{number}", number).status == 201
    eventually(lambda: all(convergence(node)["converged"] for node in nodes))
    told = convergence(nodes[1])
    assert "all 3 members hold the same data as of" in told["summary"]
    assert [member["id"] for member in told["members"]] == ids_of(nodes)
    assert all(member["fingerprints_agree"] and member["writes_behind"] == 0 for member in told["members"])
    nodes[2].kill()
    for number in range(7):
        assert nodes[0].put(f"/kv/later/{number}", number).status == 201
    eventually(lambda: "node3 (failed)" in convergence(nodes[0])["summary"])
    told = convergence(nodes[0])
    assert not told["converged"] and not told["members"][2]["fingerprints_agree"]
    # How much it had seen is learned once a second: a bound from above, or nothing if it fell before.
    behind = told["members"][2]["writes_behind"]
    assert behind is None or 7 <= behind <= 307
    nodes[2].start()
    eventually(lambda: all(convergence(node)["converged"] for node in nodes))
