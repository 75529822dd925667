"""Nodes as processes that form a cluster, each on a loopback address of its own.

A node runs with a group id of its own, by which tests/cluster/partition.py tells whose packets are
whose.
"""
import contextlib
import json
import os
import random
import shutil
import socket
import threading
import time

from harness import Node, send

PORT = 8080

SHORT_INTERVALS = {
    "gossip_interval_min": 1,
    "gossip_interval_max": 2,
    "probe_interval_ms": 300,
    "probe_timeout_ms": 150,
    "sync_interval": 2,
    "catchup_interval": 1,
    "throttle_delay_ms": 0,
    "fetch_delay_ms": 0,
    "durability": "os",  # enough for kills, and gentle with the disk
    "cache_mb": 16,
    "threads": 2,
    "log_level": "debug",
}

# Lines of this severity are wrong in a cluster whose data is sound and whose nodes are set up well.
WRONG = '"level":"error"'


def wait_for(condition, seconds, what):
    """Until `condition()` is true, which it returns; `what` (text, or a function that makes it) says what is not."""
    deadline = time.monotonic() + seconds
    while not (outcome := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"after {seconds} s: {what() if callable(what) else what}")
        time.sleep(0.05)
    return outcome


class Subnet:
    """The addresses 127.0.N.1 to 127.0.N.9 for an N that no other test on this machine has."""

    def __init__(self):
        for number in random.SystemRandom().sample(range(16, 250), 200):
            self.claim = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            try:
                self.claim.bind((f"127.0.{number}.254", PORT))
            except OSError:
                self.claim.close()
                continue
            self.number = number
            return
        raise AssertionError("no loopback addresses are left")

    def address(self, node):
        return f"127.0.{self.number}.{node}"

    def group(self, node):
        return 50000 + self.number * 16 + node

    def close(self):
        self.claim.close()


class ClusterNode(Node):
    """A node of a cluster. `serving` says whether clients may count on it: a request that fails while
    that is true, and `epoch` stays what it was, is a fault of the node."""

    def __init__(self, binary, folder, settings, group):
        super().__init__(binary, folder, settings)
        self.group = group
        self.serving, self.epoch = False, 0
        self.lock = threading.Lock()

    @property
    def name(self):
        return self.settings["node_id"]

    @property
    def address(self):
        return f"{self.host}:{self.port}"

    def set_serving(self, serving):
        with self.lock:
            self.serving, self.epoch = serving, self.epoch + 1

    def spawn(self, wrapper=(), **options):
        if os.geteuid() == 0:
            options.setdefault("group", self.group)
        return super().spawn(wrapper, **options)

    def start(self, **options):
        super().start(**options)
        return self.wait_until_normal()

    def wait_until_normal(self, seconds=20):
        """Until clients' writes are taken."""
        wait_for(
            lambda: self.process.poll() is not None or self.mode() in ("normal", "read-only"),
            seconds,
            lambda: f"{self.name} is not normal: {self.log()[-2000:]}",
        )
        assert self.process.poll() is None, f"{self.name} ended: {self.log()[-2000:]}"
        self.set_serving(True)
        return self

    def mode(self):
        try:
            return self.get("/health", timeout=2).json["mode"]
        except OSError:
            return None

    def kill(self):
        self.set_serving(False)
        super().kill()

    def end(self):
        """Ends it in good order."""
        self.set_serving(False)
        assert self.stop() == 0, self.log()[-2000:]

    def pause(self):
        self.set_serving(False)
        super().pause()

    def destroy(self):
        self.set_serving(False)
        super().destroy()

    # -- what it holds and knows
    def members(self, query=""):
        """The node_ids that it shows, in its order."""
        return [member["id"] for member in self.get(f"/members/{query}").json]

    def records(self):
        """Everything it holds: key → (timestamp, uuid, value as text)."""
        found, after = {}, ""
        connection = self.connect()
        with contextlib.closing(connection):
            while True:
                answer = send(connection, "GET", f"/kv/?recursive=true&values=true&limit=5000{after}")
                assert answer.status == 200, (self.name, answer)
                page = answer.json
                for entry in page["entries"]:
                    found[entry["name"]] = (entry["timestamp"], entry["uuid"], json.dumps(entry["data"]))
                if "next" not in page:
                    return found
                after = "&after=" + page["next"]


class Cluster:
    """Nodes 1 to `size`, which are each other's seeds."""

    def __init__(self, binary, folder, size, settings):
        self.binary, self.folder, self.settings = binary, folder, settings
        self.expected_errors = []  # words; lines of the log that have one of them are as they should be
        self.subnet = Subnet()
        self.nodes = []
        self.seeds = [f"{self.subnet.address(number)}:{PORT}" for number in range(1, size + 1)]
        for _ in range(size):
            self.add()

    def add(self, **settings):
        """One node more, which does not run yet."""
        number = len(self.nodes) + 1
        folder = self.folder / f"node{number}"
        folder.mkdir()
        settings = {
            **SHORT_INTERVALS,
            "node_id": f"node{number}",
            "bind_address": self.subnet.address(number),
            "port": PORT,
            "seed_nodes": self.seeds,
            **self.settings,
            **settings,
        }
        self.nodes.append(ClusterNode(self.binary, folder, settings, self.subnet.group(number)))
        return self.nodes[-1]

    def start(self):
        """Starts all nodes, and waits until each reaches each. The first begins the cluster: without
        seeds it serves at once, and it gets them with its next start."""
        first, *others = self.nodes
        first.settings["seed_nodes"] = []
        first.start()
        first.settings["seed_nodes"] = self.seeds
        self.start_at_once(others)
        self.wait_until_connected()
        return self

    def start_at_once(self, nodes):
        for node in nodes:
            node.spawn()
        for node in nodes:
            node.wait_until_ready().wait_until_normal()

    @property
    def running(self):
        return [node for node in self.nodes if node.process is not None and node.process.poll() is None]

    def close(self):
        for node in self.nodes:
            node.destroy()
        self.subnet.close()

    def wipe(self, node):
        shutil.rmtree(node.data_dir)

    # -- states to wait for
    def wait_until_connected(self, seconds=20):
        """Until a write at any running node is seen at all."""
        for node in self.running:
            answer = node.put(f"/kv/connected/{node.name}", "true")
            assert answer.status in (200, 201), (node.name, answer)
        return self.wait_until_converged(seconds)

    def wait_until_converged(self, seconds=30, nodes=None):
        """Until all (running) nodes hold the same, record by record; the records."""
        nodes = nodes or self.running
        held = []

        def equal():
            held[:] = [node.records() for node in nodes]
            return all(records == held[0] for records in held)

        wait_for(equal, seconds, lambda: "the nodes differ: " + differences(nodes, held))
        return held[0]

    def wait_until_members(self, names=None, seconds=30):
        """Until all running nodes show exactly these members: themselves, unless others are named."""
        names = sorted(names or (node.name for node in self.running))
        wait_for(
            lambda: all(node.members() == names for node in self.running),
            seconds,
            lambda: f"not {names}: {[node.members() for node in self.running]}",
        )

    def assert_equal(self):
        """All running nodes hold the same, record by record, and say so of one another, deletions included."""
        self.wait_until_converged()
        for node in self.running:
            wait_for(lambda node=node: not self.divergence(node), 20, lambda node=node: str(self.divergence(node)))

    def divergence(self, node):
        """The running nodes of which `node` does not know that they hold what it holds, and all that it says."""
        page = node.get("/cluster/convergence").json
        equal = {
            member["id"]
            for member in page["members"]
            if member["state"] == "alive" and member["fingerprints_agree"] and member["writes_behind"] == 0
        }
        missing = [other.name for other in self.running if other.name not in equal]
        return (missing, page) if missing else None

    def assert_sound(self):
        """No node logged an error but those that are expected."""
        for node in self.nodes:
            for line in node.log().splitlines():
                wrong = WRONG in line or not line.startswith("{")
                assert not wrong or any(word in line for word in self.expected_errors), f"{node.name}: {line}"


def differences(nodes, held):
    """Some of the keys that are not the same everywhere, as text."""
    keys = sorted(set().union(*held))
    differing = [key for key in keys if len({records.get(key) for records in held}) > 1]
    shown = "; ".join(
        f"{key}: " + ", ".join(f"{node.name} {records.get(key)}" for node, records in zip(nodes, held))
        for key in differing[:3]
    )
    return f"{len(differing)} of {len(keys)} keys, such as {shown}"


class Clusters:
    """Makes clusters that do not run yet, each with a folder of its own; as a context, ends them."""

    def __init__(self, binary, folder):
        self.binary, self.folder = binary, folder
        self.made = []

    def make(self, size, **settings):
        folder = self.folder / f"cluster{len(self.made)}"
        folder.mkdir()
        self.made.append(Cluster(self.binary, folder, size, settings))
        return self.made[-1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for cluster in self.made:
            cluster.close()
