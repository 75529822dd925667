"""Clients that watch a cluster: each goes on with its last cursor on another node whenever its stream
ends, and notices an older version after a newer one, a version that comes twice, and, whenever all is
quiet, a gap. The winner of a conflict may come twice: whoever checks names the conflicts."""
import random
import statistics
import threading
import time
from collections import Counter

from watch_stream import Stream


class WatchingClient(threading.Thread):
    """Follows one path, each node for `stay` seconds or so. `wrong` is the first thing that was wrong;
    `again`, the uuids that came twice."""

    def __init__(self, nodes, path, seed, stay=5):
        super().__init__(daemon=True)
        self.nodes, self.path, self.stay = nodes, path, stay
        self.random = random.Random(seed)
        self.cursor, self.live, self.newest, self.uuids = "0", {}, {}, set()
        self.listed = None
        self.wrong, self.events, self.resumed, self.resets, self.caught_up_at = None, 0, 0, 0, 0
        self.again, self.ends = set(), Counter()
        self.node = None
        self.ended = threading.Event()

    def run(self):
        while not self.ended.is_set():
            self.node = self.random.choice(self.nodes)
            try:
                self._follow(self.node)
            except (OSError, EOFError, AssertionError, ValueError) as error:
                if self.wrong:
                    return
                self.last_error = error  # a node that is gone, or busy
                time.sleep(0.1)

    def _follow(self, node):
        stream = Stream(
            node.port, f"/kv/{self.path}?watch=true&since={self.cursor}", host=node.host, timeout=1
        )
        self.resumed += self.cursor != "0"
        self.listed = None
        leave_at = time.monotonic() + self.random.expovariate(1 / self.stay)
        try:
            while not self.ended.is_set() and time.monotonic() < leave_at:
                try:
                    event = stream.next()
                except TimeoutError:
                    continue
                if event is None:
                    return
                self.take(event)
                assert self.wrong is None
        finally:
            stream.close()

    def take(self, event):
        self.events += 1
        self.cursor = event.id or self.cursor
        if event.kind == "reset":
            self.resets += 1
            self.listed = set()
        elif event.kind == "bookmark":
            self.caught_up_at = time.monotonic()
            if self.listed is not None:
                self.live = {path: uuid for path, uuid in self.live.items() if path in self.listed}
                self.listed = None
        elif event.kind in ("put", "delete"):
            self._change(event)
        elif event.kind == "end":
            self.ends[event.data["reason"]] += 1

    def _change(self, event):
        path, uuid, timestamp = (event.data.get(name) for name in ("path", "uuid", "timestamp"))
        if uuid is None:
            self.live.pop(path, None)
            return
        if timestamp < self.newest.get(path, 0):
            self.wrong = f"{self.path}: older after newer: {event}"
        if not path.startswith(self.path):
            self.wrong = f"{self.path}: not below it: {event}"
        if uuid in self.uuids and self.listed is None:
            self.again.add(uuid)
        self.uuids.add(uuid)
        self.newest[path] = timestamp
        if event.kind == "put":
            self.live[path] = uuid
        else:
            self.live.pop(path, None)
        if self.listed is not None:
            self.listed.add(path)


class Crowd:
    """Many of them, of different paths."""

    def __init__(self, nodes, paths, count, seed=1, stay=5):
        self.clients = [
            WatchingClient(nodes, paths[i % len(paths)], seed * 1000 + i, stay) for i in range(count)
        ]

    def __enter__(self):
        for client in self.clients:
            client.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        for client in self.clients:
            client.ended.set()
        for client in self.clients:
            client.join(30)

    def check(self, node, seconds=60):
        """The end: as expect_all(); the figures."""
        try:
            self.expect_all(node, seconds)
        finally:
            self.stop()
        return self.figures()

    def expect_all(self, node, seconds=60):
        """Everybody comes to believe what the node holds, and nothing was wrong on the way. Nobody
        writes meanwhile."""
        held = {path: listing(node, path) for path in {client.path for client in self.clients}}
        deadline = time.monotonic() + seconds
        for client in self.clients:
            while client.live != held[client.path] and time.monotonic() < deadline and not client.wrong:
                time.sleep(0.05)
        # W2: only the winner of a conflict, of which some node tells, has its uuid twice.
        told = (line for node in self.clients[0].nodes for line in node.log().splitlines())
        settled = [line for line in told if "a conflict was settled" in line]
        for client in self.clients:
            assert client.wrong is None, client.wrong
            twice = {uuid for uuid in client.again if not any(f"{uuid} wins" in line for line in settled)}
            assert not twice, f"{client.path}: twice: {twice}"
            missing = dict(held[client.path].items() - client.live.items())
            ghosts = dict(client.live.items() - held[client.path].items())
            assert (missing, ghosts) == ({}, {}), (client.path, client.node.name, client.cursor, missing, ghosts)

    def figures(self):
        """What happened to all of them."""
        sums = {
            name: sum(getattr(client, name) for client in self.clients)
            for name in ("events", "resumed", "resets")
        }
        return sums | {"ends": dict(sum((client.ends for client in self.clients), Counter()))}


class Latency:
    """How long a change takes from its request at one node to its event at another."""

    def __init__(self):
        self.seconds, self.number = [], 0

    def measure(self, writer, reader, count):
        """Some changes, one after the other; writer and reader are different nodes."""
        stream = Stream(reader.port, "/kv/latency/?watch=true", host=reader.host)
        try:
            while stream.next().kind != "bookmark":
                pass
            for _ in range(count):
                self.number += 1
                path = f"latency/{self.number % 50}"
                began = time.monotonic()
                answer = writer.put(f"/kv/{path}", str(self.number))
                assert answer.status in (200, 201), answer
                while event := stream.next():
                    if event.data.get("uuid") == answer.json["uuid"]:
                        break
                assert event is not None, "the stream ended"
                self.seconds.append(time.monotonic() - began)
        finally:
            stream.close()

    def median_ms(self):
        return statistics.median(self.seconds) * 1000

    def percentile_ms(self, percent):
        return sorted(self.seconds)[int(len(self.seconds) * percent / 100)] * 1000


def listing(node, path):
    """Every key below a path with its uuid."""
    held, after = {}, ""
    while True:
        page = node.get(f"/kv/{path}?recursive=true&limit=10000{after}", timeout=30).json
        held |= {path + entry["name"]: entry["uuid"] for entry in page["entries"]}
        if "next" not in page:
            return held
        after = f"&after={page['next']}"
