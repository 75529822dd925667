"""P3: a node that is lost for ever takes with it only what no other node had."""
import http.client
import threading

from cluster import wait_for
from harness import send
from history import Load


class Writer(threading.Thread):
    """Writes new keys at a node, one after the other, as long as it answers; every second one is
    deleted again 100 writes later. `kept` and `deleted` are what was acknowledged, by key."""

    def __init__(self, node):
        super().__init__(daemon=True)
        self.node, self.stopping = node, threading.Event()
        self.kept, self.deleted, self.open = {}, {}, None  # open: the key of a request without an answer

    def run(self):
        connection, number = self.node.connect(20), 0
        try:
            while not self.stopping.is_set():
                self.put(connection, number)
                if number >= 100 and number % 2 == 0:
                    self.delete(connection, number - 100)
                number += 1
        except (OSError, http.client.HTTPException):
            pass  # the node is gone
        finally:
            connection.close()

    def put(self, connection, number):
        self.open = f"last/{number}"
        answer = send(connection, "PUT", f"/kv/{self.open}", str(number))
        assert answer.status == 201, answer
        self.kept[self.open] = (answer.json["timestamp"], answer.json["uuid"], str(number))
        self.open = None

    def delete(self, connection, number):
        self.open = f"last/{number}"
        answer = send(connection, "DELETE", f"/kv/{self.open}")
        assert answer.status == 204, answer
        self.deleted[self.open] = self.kept.pop(self.open)
        self.open = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, kind, error, trace):
        self.stopping.set()
        self.join(30)
        assert not self.is_alive(), "the writer hangs"

    def wait_for(self, writes):
        goal = len(self.kept) + len(self.deleted) + writes
        wait_for(lambda: len(self.kept) + len(self.deleted) >= goal, 20, "the node is slow")

    def check(self, earlier, before, records):
        """`earlier` and `before` are what the others held, node by node, at two moments before the
        loss, `records` is what all hold at the end. The figures, in words."""
        for key, version in records.items():
            if key.startswith("last/") and key != self.open:
                assert version in (self.kept.get(key), self.deleted.get(key)), f"nobody wrote {key}: {version}"
        elsewhere = {key for held in before for key in held if key in self.kept and key != self.open}
        lost = {key for key in elsewhere if records.get(key) != self.kept[key]}
        assert not lost, f"{len(lost)} of {len(elsewhere)} writes are lost, such as {sorted(lost)[:3]}"
        seen = {key for old, held in zip(earlier, before) for key in old if key in self.deleted and key not in held}
        undone = seen & records.keys()
        assert not undone, f"{len(undone)} of {len(seen)} deletes are undone, such as {sorted(undone)[:3]}"
        assert len(elsewhere) > 100 and len(seen) > 10, (len(elsewhere), len(seen))
        gone = self.kept.keys() - records.keys()
        return (
            f"{len(elsewhere)} writes and {len(seen)} deletes of the lost node were on others: 0 lost, 0 undone;"
            f" {len(gone)} of its writes reached nobody"
        )


def lose(cluster, node):
    """It is killed, its folder is gone, and it never starts again."""
    node.kill()
    cluster.wipe(node)


def test_a_node_lost_amid_its_writes(cluster):
    *others, third = cluster.nodes
    with Load(others) as load, Writer(third) as writer:
        writer.wait_for(300)
        earlier = [node.records() for node in others]
        writer.wait_for(200)
        before = [node.records() for node in others]
        lose(cluster, third)
        load.wait_for(50)
    records = cluster.wait_until_converged()
    print(load.check(records))
    print(writer.check(earlier, before, records))


def test_a_node_lost_while_only_one_other_heard_it(network):
    """What only one node has of the lost one spreads from there once the split is over."""
    first, second, third = network.cluster.start().nodes
    with Load([first, second]) as load:
        load.wait_for(50)
        network.separate([first], [second, third])
        with Writer(third) as writer:
            writer.wait_for(300)
            earlier = [second.records()]
            writer.wait_for(200)
        before = [second.records()]
        assert not any(key.startswith("last/") for key in first.records()), "nothing is cut"
        lose(network.cluster, third)
        load.wait_for(50)
        network.heal()
        load.wait_for(50)
    records = network.cluster.wait_until_converged()
    print(load.check(records))
    print(writer.check(earlier, before, records))


def test_a_lost_node_is_replaced_on_another_machine(cluster):
    """The new one has the old id and another address, and gets what the others have."""
    first, second, third = cluster.nodes
    with Load([first, second]) as load, Writer(third) as writer:
        writer.wait_for(300)
        earlier = [node.records() for node in (first, second)]
        writer.wait_for(100)
        before = [node.records() for node in (first, second)]
        lose(cluster, third)
        replacement = cluster.add(node_id="node3").start()
        load.wait_for(50)
    records = cluster.wait_until_converged()
    print(load.check(records))
    print(writer.check(earlier, before, records))
    cluster.wait_until_members(["node1", "node2", "node3"])
    addresses = {member["id"]: member["address"] for member in first.get("/members/").json}
    assert addresses["node3"] == replacement.address
