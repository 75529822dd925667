"""E1 to E3: values that expire are gone everywhere within the skew of the clocks, once and for good."""
import contextlib
import subprocess
import threading
import time

from cluster import wait_for
from harness import send
from test_clocks import shifted  # noqa: F401 - a fixture
from watch_stream import Stream

OFF_MS = 30_000
KEYS = 40
TTL_S = 12

# A node that knows the others' clocks goes by their median; what a busy machine may add.
EARLY_MS = 3_000
LATE_MS = 10_000


def now_ms():
    return time.time_ns() // 1_000_000


def start_with_clocks(cluster, shifted, offsets):  # noqa: F811
    """Each node with its clock, until all go by the cluster's time: a node that starts believes its own, and
    does not go back from it until that time has come."""
    for node, off_ms in zip(cluster.nodes, offsets):
        node.end()
        node.spawn(**shifted(off_ms)).wait_until_ready()
        node.wait_until_normal()
    cluster.wait_until_members()

    def right(node):
        expires = node.put("/kv/right?ttl=100", "1").json["expires"]
        return abs(expires - now_ms() - 100_000) < EARLY_MS

    for node in cluster.nodes:
        wait_for(lambda node=node: right(node), 60, f"{node.name} does not go by the cluster's clock")


class Poller(threading.Thread):
    """Asks one node for all keys over and over: when each was last shown, first hidden, and shown again."""

    def __init__(self, node, keys):
        super().__init__(daemon=True)
        self.node, self.keys = node, keys
        self.shown, self.hidden, self.again = {}, {}, []
        self.ended = threading.Event()
        self.rounds = 0

    def run(self):
        while not self.ended.is_set():
            try:
                connection = self.node.connect(timeout=5)
                with contextlib.closing(connection):
                    while not self.ended.is_set():
                        self.ask(connection)
                        self.rounds += 1
                        time.sleep(0.02)
            except OSError:
                time.sleep(0.05)  # it is down

    def ask(self, connection):
        for key in self.keys:
            before = now_ms()
            status = send(connection, "GET", f"/kv/{key}").status
            if status == 200:
                self.shown[key] = before
                if key in self.hidden:
                    self.again.append((key, before - self.hidden[key]))
            elif status == 404 and key in self.shown and key not in self.hidden:
                self.hidden[key] = now_ms()


class Listener(threading.Thread):
    """What a watch of one node tells below a path."""

    def __init__(self, node, path):
        super().__init__(daemon=True)
        self.events = []
        self.stream = Stream(node.port, f"/kv/{path}?watch=true", host=node.host, timeout=120)
        assert self.stream.next().kind == "bookmark"

    def run(self):
        try:
            for event in self.stream:
                self.events.append(event)
        except (OSError, EOFError, TimeoutError):
            pass

    def of(self, kind):
        return [event.data["path"] for event in self.events if event.kind == kind]


def test_clocks_off_by_thirty_seconds(new_cluster, shifted):  # noqa: F811
    cluster = new_cluster(3).start()
    start_with_clocks(cluster, shifted, [OFF_MS, 0, -OFF_MS])
    listeners = [Listener(node, "ttl/") for node in cluster.nodes]
    for listener in listeners:
        listener.start()
    keys = [f"ttl/{number}" for number in range(KEYS)]
    expires, uuids = {}, {}
    for number, key in enumerate(keys):
        written = cluster.nodes[number % 3].put(f"/kv/{key}?ttl={TTL_S}", number).json
        expires[key], uuids[key] = written["expires"], written["uuid"]
    for number in range(10):  # what a later write saves stays, whoever writes it
        assert cluster.nodes[number % 3].put(f"/kv/kept/{number}?ttl={TTL_S}", 1).status == 201
    cluster.wait_until_converged()
    for number in range(10):
        assert cluster.nodes[(number + 1) % 3].put(f"/kv/kept/{number}", 2).status == 200
    pollers = [Poller(node, keys) for node in cluster.nodes]
    for poller in pollers:
        poller.start()

    last = max(expires.values())
    wait_for(lambda: all(len(p.hidden) == KEYS for p in pollers), TTL_S + 60, lambda: [len(p.hidden) for p in pollers])
    early = max(expires[key] - p.hidden[key] for p in pollers for key in keys)
    late = max(p.shown[key] - expires[key] for p in pollers for key in keys)
    print(f"hidden at most {early} ms before and {late} ms after the instant; clocks differ by {2 * OFF_MS} ms")
    assert early < EARLY_MS and late < LATE_MS

    # The nodes with wrong clocks start again: they believe them until they have heard of the others'.
    for node in (cluster.nodes[2], cluster.nodes[0]):
        node.kill()
        node.spawn(**shifted(OFF_MS if node is cluster.nodes[0] else -OFF_MS)).wait_until_ready()
        node.wait_until_normal()
    cluster.wait_until_members()
    wait_for(lambda: now_ms() > last + OFF_MS + 5_000, OFF_MS, "time passes")
    for poller in pollers:
        poller.ended.set()
        poller.join(10)
        assert poller.rounds > 10 and poller.again == [], (poller.node.name, poller.again[:5])

    records = cluster.wait_until_converged()
    assert sorted(key for key in records if key.startswith("ttl/")) == []
    assert {records[f"kept/{number}"][2] for number in range(10)} == {"2"}
    cluster.assert_equal()
    listener = listeners[1]  # of the node that ran all the time
    wait_for(lambda: len(listener.of("delete")) >= KEYS, 20, lambda: len(listener.of("delete")))
    assert sorted(listener.of("put")) == sorted(listener.of("delete")) == sorted(keys), "each once"
    assert {event.data["uuid"] for event in listener.events if event.kind == "delete"} == set(uuids.values())


def test_a_node_that_was_away_shows_nothing_again(cluster):
    """It went before the time was over, with the value, and comes back after it."""
    first, second, third = cluster.nodes
    for number in range(20):
        assert first.put(f"/kv/away/{number}?ttl=10", 1).status == 201
    cluster.wait_until_converged()
    third.kill()
    for number in range(5):
        assert second.put(f"/kv/away/{number}", {"saved": True}).status == 200
    wait_for(lambda: first.get("/kv/away/19").status == 404, 30, "a value does not expire")
    third.spawn().wait_until_ready()
    for number in range(5, 20):
        assert third.get(f"/kv/away/{number}").status == 404
    third.wait_until_normal()
    records = cluster.wait_until_converged()
    assert sorted(key for key in records if key.startswith("away/")) == [f"away/{number}" for number in range(5)]
    cluster.assert_equal()


def test_a_backup_shows_nothing_again(new_cluster, kvs, tmp_path):
    """A folder from before the instant, restored after it, joins and shows nothing."""
    cluster = new_cluster(2, backup_folder=str(tmp_path)).start()
    first, second = cluster.nodes
    assert first.put("/kv/old/a?ttl=3", 1).status == 201
    assert first.put("/kv/old/b", 1).status == 201
    cluster.wait_until_converged()
    made = second.request(
        "POST", "/backup", body='{"name":"before"}', headers={"Content-Type": "application/json"}, timeout=30
    )
    assert made.status == 201, made
    wait_for(lambda: second.get("/kv/old/a").status == 404, 30, "a value does not expire")
    second.end()
    cluster.wipe(second)
    subprocess.run([kvs, "restore", made.json["path"], second.data_dir], check=True, capture_output=True)
    second.spawn().wait_until_ready()
    assert second.get("/kv/old/a").status == 404
    assert second.get("/kv/old/b").status == 200
    second.wait_until_normal()
    cluster.wait_until_members()
    assert cluster.wait_until_converged().keys() >= {"old/b"}
    assert second.get("/kv/old/a").status == 404
