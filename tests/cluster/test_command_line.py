"""`kvs members`, `kvs status`, `kvs leave`, and data moved by `kvs export` and `kvs import`, on real clusters."""
import json

from client import Client
from cluster import wait_for


def test_members_status_and_leave(kvs, cluster):
    first, second, third = cluster.nodes
    client = Client(kvs, first.address)
    cluster.wait_until_members()
    rows = [line.split("\t") for line in client.ok("members").splitlines()]
    assert [row[0] for row in rows] == ["node1", "node2", "node3"]
    assert [row[1] for row in rows] == [node.address for node in cluster.nodes]
    assert [member["id"] for member in client.json("members")] == ["node1", "node2", "node3"]

    client.ok("put", "k", '{"a":1}')
    for node in (second, third):
        other = Client(kvs, node.address)
        wait_for(lambda other=other: other.run("get", "k").stdout == b'{"a":1}', 5, f"{node.name} does not have it")
    wait_for(lambda: client.json("status")["convergence"]["converged"], 20, lambda: client.ok("status"))
    status = client.ok("status").splitlines()
    assert "live members\t3" in status
    assert {line.split("\t")[0]: line.split("\t")[4] for line in status[-3:]} == dict.fromkeys(
        ["node1", "node2", "node3"], "yes"
    )

    assert Client(kvs, third.address).json("leave") == {"left": True, "handed_over": True}
    third.set_serving(False)
    assert third.process.wait(20) == 0
    cluster.wait_until_members(["node1", "node2"])

    second.kill()
    wait_for(lambda: "failed" in client.ok("members", "--all"), 20, lambda: client.ok("members", "--all"))
    assert client.json("leave", "node2") == {"removed": "node2"}
    assert [member["id"] for member in client.json("members", "--all")] == ["node1"]
    assert client.run("leave", "node2").returncode == 3
    second.start()
    cluster.wait_until_members(["node1", "node2"])


def test_an_export_fills_another_cluster(kvs, new_cluster):
    source, target = new_cluster(2).start(), new_cluster(2).start()
    lines = "".join(f'{{"path":"d/{n:04}","data":{{"n":{n}}}}}\n' for n in range(1000)).encode()
    first = Client(kvs, source.nodes[0].address)
    assert first.json("import", stdin=lines)["written"] == 1000
    source.wait_until_converged()
    exported = Client(kvs, source.nodes[1].address).run("export", "d")
    assert exported.returncode == 0, exported
    into = Client(kvs, target.nodes[1].address)
    assert into.json("import", stdin=exported.stdout)["complete"] is True
    target.wait_until_converged()
    back = Client(kvs, target.nodes[0].address).ok("export", "d").splitlines()
    assert [json.loads(line)["data"]["n"] for line in back] == list(range(1000))
