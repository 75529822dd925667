"""What clients of a cluster did and were told, and the rules that this must obey.

Every answer carries its version, so each rule is one comparison: timestamps order the writes of a
key, whichever nodes took them. What cannot be ordered that way (two writes of a millisecond) is
allowed either way, except within the keys that only one client writes.
"""
import dataclasses
import http.client
import itertools
import json
import random
import threading

from harness import send


@dataclasses.dataclass
class Write:
    """One PUT (value is text) or DELETE (value is None)."""

    number: int
    value: str | None
    timestamp: int | None = None  # None: nothing was acknowledged, and it may or may not have happened
    uuid: str | None = None  # of a PUT that was acknowledged

    def may_be(self, seen):
        """`seen` is (timestamp, uuid, value), as records() of a node has it."""
        return self.value == seen[2] and self.uuid in (None, seen[1])


class KeyHistory:
    """All writes of a key, by all clients."""

    def __init__(self, key, single_writer):
        self.key, self.single_writer = key, single_writer
        self.writes = []

    def newest(self):
        """The timestamp of the newest acknowledged write, and which writes may be that one."""
        acknowledged = [write for write in self.writes if write.timestamp is not None]
        if not acknowledged:
            return 0, [Write(0, None)]
        timestamp = max(write.timestamp for write in acknowledged)
        last = [write for write in acknowledged if write.timestamp == timestamp]
        return timestamp, last[-1:] if self.single_writer else last

    def fault_of(self, seen):
        """Why the cluster may not end with `seen` (None: no value); nothing if it may."""
        timestamp, newest = self.newest()
        possible = newest + [write for write in self.writes if write.timestamp is None]
        if seen is None:
            return None if any(write.value is None for write in possible) else f"lost: {newest}"
        if seen[0] < timestamp:
            return f"{seen} is older than {newest}"
        return None if any(write.may_be(seen) for write in possible) else f"{seen} shows, not {newest}"


@dataclasses.dataclass
class Sight:
    """What a node was last seen to hold under a key, and what it must not show again."""

    timestamp: int = 0
    uuid: str | None = None  # None: nothing, or not known
    past: set = dataclasses.field(default_factory=set)

    def replace(self, timestamp, uuid):
        if self.uuid is not None and self.uuid != uuid:
            self.past.add(self.uuid)
        self.timestamp, self.uuid = max(timestamp, self.timestamp), uuid


class History:
    """The record of a run. Each node has one client, so what it sees of a node is a sequence."""

    def __init__(self):
        self.lock = threading.Lock()
        self.numbers = itertools.count(1)
        self.keys, self.faults, self.failures = {}, [], []

    def key(self, name, single_writer):
        with self.lock:
            return self.keys.setdefault(name, KeyHistory(name, single_writer))

    def begin(self, key, delete):
        with self.lock:
            number = next(self.numbers)
            write = Write(number, None if delete else json.dumps({"write": number, "key": key.key}))
            key.writes.append(write)
            return write

    def refused(self, key, write):
        """It did not happen, and must not happen later."""
        with self.lock:
            key.writes.remove(write)

    def fault(self, text):
        with self.lock:
            self.faults.append(text)

    def failure(self, text):
        with self.lock:
            self.failures.append(text)

    def deletes_from(self, key, timestamp):
        """Whether a delete of the key may be as new as that."""
        with self.lock:
            return any(
                write.value is None and (write.timestamp is None or write.timestamp >= timestamp)
                for write in key.writes
            )

    def check(self, records):
        """The end: `records` is what all nodes hold. No fault, and no failed request."""
        assert not self.faults, f"{len(self.faults)} faults: {self.faults[:3]}"
        assert not self.failures, f"{len(self.failures)} requests failed: {self.failures[:3]}"
        wrong = {}
        for name, key in self.keys.items():
            if fault := key.fault_of(records.get(name)):
                wrong[name] = fault
        assert not wrong, f"{len(wrong)} keys are wrong: {list(wrong.items())[:3]}"

    def settle(self, records):
        """After check(): what the nodes hold is what was written last, and nothing is open any more."""
        for name, key in self.keys.items():
            timestamp, _ = key.newest()
            seen = records.get(name)
            if seen is not None:
                key.writes = [Write(next(self.numbers), seen[2], seen[0], seen[1])]
            elif key.writes:
                key.writes = [Write(next(self.numbers), None, timestamp)]


class Client(threading.Thread):
    """Reads and writes at one node, one request after the other, while the node serves."""

    OWN_KEYS, SHARED_KEYS, PAUSE_SECONDS, TIMEOUT_SECONDS = 20, 10, 0.004, 25

    def __init__(self, history, node, peers, seed, tolerated=(), pause=PAUSE_SECONDS):
        super().__init__(daemon=True)
        self.pause = pause
        self.history, self.node, self.tolerated = history, node, set(tolerated)
        self.random = random.Random(f"{seed} {node.name}")
        self.stopping, self.connection, self.crash = threading.Event(), None, None
        self.sights, self.last_epoch = {}, None
        self.requests, self.acknowledged = 0, 0
        self.own = [history.key(f"own/{node.name}/{i}", True) for i in range(self.OWN_KEYS)]
        self.shared = [history.key(f"shared/{i}", False) for i in range(self.SHARED_KEYS)]
        self.foreign = [history.key(f"own/{peer.name}/{i}", True) for peer in peers for i in range(self.OWN_KEYS)]

    def run(self):
        try:
            while not self.stopping.wait(self.pause):
                if self.node.serving:
                    self.act()
        except BaseException as crash:  # noqa: BLE001 - told by finish()
            self.crash = crash
        finally:
            self.drop_connection()

    def act(self):
        draw = self.random.random()
        if draw < 0.5:
            self.read(self.random.choice(self.own + self.shared + self.foreign))
        elif draw < 0.6:
            self.write(self.random.choice(self.own + self.shared), delete=True)
        else:
            self.write(self.random.choice(self.own + self.shared), delete=False)

    def ask(self, method, key, body=None):
        """The answer, or nothing if there was none."""
        epoch, serving = self.node.epoch, self.node.serving
        if epoch != self.last_epoch:
            self.drop_connection()  # of a process that is no more
            self.last_epoch = epoch
        self.requests += 1
        try:
            self.connection = self.connection or self.node.connect(self.TIMEOUT_SECONDS)
            return send(self.connection, method, f"/kv/{key.key}", body)
        except (OSError, http.client.HTTPException) as error:
            self.drop_connection()
            if serving and self.node.epoch == epoch:
                self.history.failure(f"{method} {key.key} at {self.node.name}: {error!r}")
            return None

    def drop_connection(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def unwanted(self, method, key, answer):
        """Notes an answer that no working node gives."""
        code = answer.code if answer.body else answer.status
        if code not in self.tolerated:
            self.history.failure(f"{method} {key.key} at {self.node.name}: {answer.status} {answer.body[:200]}")

    def write(self, key, delete):
        write = self.history.begin(key, delete)
        answer = self.ask("DELETE" if delete else "PUT", key, write.value)
        if answer is None:
            return
        sight = self.sight(key)
        if answer.status in (200, 201) and not delete:
            version = answer.json
            self.expect_newer(key, sight, version["timestamp"], "PUT")
            write.uuid, write.timestamp = version["uuid"], version["timestamp"]
            self.acknowledged += 1
            sight.replace(write.timestamp, write.uuid)
        elif answer.status == 204 and delete:
            timestamp = int(answer.headers["x-kvs-timestamp"])
            self.expect_newer(key, sight, timestamp, "DELETE")
            write.timestamp = timestamp
            self.acknowledged += 1
            sight.replace(timestamp, None)
        else:
            self.history.refused(key, write)
            if delete and answer.status == 404:
                self.saw(key, sight, None)
            else:
                self.unwanted("DELETE" if delete else "PUT", key, answer)

    def expect_newer(self, key, sight, timestamp, what):
        if timestamp < sight.timestamp:
            self.history.fault(f"{what} {key.key} at {self.node.name} got {timestamp} after {sight}")

    def read(self, key):
        answer = self.ask("GET", key)
        if answer is None:
            return
        if answer.status == 200:
            seen = (int(answer.headers["x-kvs-timestamp"]), answer.headers["etag"].strip('"'), answer.body.decode())
            self.saw(key, self.sight(key), seen)
        elif answer.status == 404:
            self.saw(key, self.sight(key), None)
        else:
            self.unwanted("GET", key, answer)

    def sight(self, key):
        return self.sights.setdefault(key.key, Sight())

    def saw(self, key, sight, seen):
        """A read, or a delete that found nothing: it must show what was acknowledged or seen here, or newer."""
        where = f"{key.key} at {self.node.name}"
        if seen is None:
            if sight.uuid is not None and not self.history.deletes_from(key, sight.timestamp):
                self.history.fault(f"{where}: nothing, after {sight} and no delete since")
            sight.replace(sight.timestamp, None)
            return
        if seen[0] < sight.timestamp or seen[1] in sight.past:
            self.history.fault(f"{where}: {seen} after {sight}")
        sight.replace(seen[0], seen[1])

    def forget_sights(self):
        """The node has lost its folder: what it shows may be older."""
        self.sights.clear()

    def finish(self):
        self.stopping.set()
        self.join(self.TIMEOUT_SECONDS + 10)
        assert not self.is_alive(), f"the client of {self.node.name} hangs"
        if self.crash:
            raise self.crash


class Load:
    """A client for each node, that pauses for so many seconds after each request."""

    def __init__(self, nodes, seed=1, tolerated=(), history=None, pause=Client.PAUSE_SECONDS):
        self.history, self.pause = history or History(), pause
        self.clients = {
            node.name: Client(
                self.history, node, [peer for peer in nodes if peer is not node], seed, tolerated, pause
            )
            for node in nodes
        }

    def __enter__(self):
        for client in self.clients.values():
            client.start()
        return self

    def __exit__(self, kind, error, trace):
        if kind is None:
            self.finish()
        else:
            for client in self.clients.values():
                client.stopping.set()

    def finish(self):
        for client in self.clients.values():
            client.finish()

    def again(self, nodes, seed):
        """The same keys and memories, with fresh threads."""
        load = Load(nodes, seed, history=self.history, pause=self.pause)
        for name, client in load.clients.items():
            client.sights = self.clients[name].sights
        return load

    def wait_for(self, writes, seconds=20):
        """Until so many more were acknowledged."""
        goal, pause = self.acknowledged + writes, threading.Event()
        for _ in range(int(seconds / 0.05)):
            if self.acknowledged >= goal:
                return
            pause.wait(0.05)
        raise AssertionError(f"{writes} writes take longer than {seconds} s; failed: {self.history.failures[:3]}")

    def check(self, records):
        """Holds what all nodes came to hold against what clients were told; the figures, in words."""
        self.history.check(records)
        return f"{self.acknowledged} writes acknowledged, 0 lost, 0 undone; {self.requests} requests, 0 failed"

    @property
    def acknowledged(self):
        """How many writes this load was told to be durable."""
        return sum(client.acknowledged for client in self.clients.values())

    @property
    def requests(self):
        """How many requests this load sent to nodes that served."""
        return sum(client.requests for client in self.clients.values())
