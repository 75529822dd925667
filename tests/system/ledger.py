"""What clients were told, and what a node may show afterwards.

Every key belongs to one client, so the history of a key is a sequence. A write that was never
answered may or may not have happened; what was acknowledged must be there, or something that was
tried after it.
"""
import dataclasses
import http.client
import json
import threading
import time

from harness import send


@dataclasses.dataclass
class Attempt:
    """One PUT (value is text) or DELETE (value is None) of a key."""

    value: str | None
    acknowledged: bool = False
    acknowledged_at: float = 0.0  # time.monotonic


class KeyHistory:
    """The attempts on one key, and what may be seen of it."""

    def __init__(self, key):
        self.key, self.attempts, self.timestamp = key, [Attempt(None, acknowledged=True)], 0

    def possible(self):
        """What a read may give now: the last acknowledged value and all that were tried later."""
        last = max(i for i, attempt in enumerate(self.attempts) if attempt.acknowledged)
        return [attempt.value for attempt in self.attempts[last:]]

    def settle(self, seen):
        """A read gave `seen`: from now on nothing older may show."""
        assert seen in self.possible(), f"{self.key}: {seen!r} shows, {self.possible()[:3]!r}... may"
        last = max(i for i, attempt in enumerate(self.attempts) if attempt.value == seen)
        self.attempts = [Attempt(seen, acknowledged=True)] + [
            a for a in self.attempts[last + 1 :] if not a.acknowledged
        ]


class Client(threading.Thread):
    """Writes its own keys in turn until it is stopped or the node is gone."""

    def __init__(self, node, number, keys=20, pad=100):
        super().__init__(daemon=True)
        self.node, self.number, self.pad, self.count = node, number, pad, 0
        self.histories = [KeyHistory(f"load/client{number}/key{i}") for i in range(keys)]
        self.acknowledged, self.refused, self.stopping, self.fault = 0, 0, False, None

    def run(self):
        try:
            connection = self.node.connect()
            while not self.stopping:
                self.write_one(connection)
        except (OSError, http.client.HTTPException):
            pass  # the node is gone: what was under way stays unanswered
        except BaseException as fault:  # noqa: BLE001 - told by finish()
            self.fault = fault

    def write_one(self, connection):
        history = self.histories[self.count % len(self.histories)]
        self.count += 1
        delete = (
            self.count % 7 == 0
            and history.attempts[-1].acknowledged
            and history.attempts[-1].value is not None
        )
        attempt = Attempt(None if delete else json.dumps({"n": self.count, "pad": "x" * self.pad}))
        history.attempts.append(attempt)
        answer = send(connection, "DELETE" if delete else "PUT", f"/kv/{history.key}", attempt.value)
        if answer.status in (503, 507):
            history.attempts.remove(attempt)  # refused: must not have happened, and must not happen later
            self.refused += 1
            time.sleep(0.01)
            return
        assert answer.status in ((204,) if delete else (200, 201)), (answer.status, answer.body)
        attempt.acknowledged_at = time.monotonic()
        attempt.acknowledged = True
        self.acknowledged += 1
        if not delete:
            assert answer.json["timestamp"] >= history.timestamp
            history.timestamp = answer.json["timestamp"]

    def finish(self):
        self.stopping = True
        self.join(30)
        assert not self.is_alive(), "a client hangs"
        if self.fault:
            raise self.fault


class Load:
    """Several clients at once, and the check of all their keys."""

    def __init__(self, node, clients=4, **options):
        self.node, self.options = node, options
        self.clients = [Client(node, i, **options) for i in range(clients)]

    def start(self):
        for client in self.clients:
            client.start()

    def finish(self):
        for client in self.clients:
            client.finish()

    def doubt_since(self, instant):
        """An answer that came after `instant` (time.monotonic) promises nothing; call after finish()."""
        for client in self.clients:
            for history in client.histories:
                for attempt in history.attempts:
                    if attempt.acknowledged_at > instant:
                        attempt.acknowledged = False

    def again(self):
        """The same keys and histories, with fresh threads."""
        fresh = []
        for old in self.clients:
            client = Client(self.node, old.number, **self.options)
            client.histories, client.count = old.histories, old.count
            client.acknowledged, client.refused = old.acknowledged, old.refused
            fresh.append(client)
        self.clients = fresh

    def wait_for(self, acknowledged, seconds=30):
        """Until so many more writes were acknowledged, or all clients ended."""
        goal, deadline = self.acknowledged + acknowledged, time.monotonic() + seconds
        while (
            self.acknowledged < goal
            and time.monotonic() < deadline
            and any(c.is_alive() for c in self.clients)
        ):
            time.sleep(0.005)

    @property
    def acknowledged(self):
        return sum(client.acknowledged for client in self.clients)

    @property
    def refused(self):
        return sum(client.refused for client in self.clients)

    def check(self):
        """Reads every key; the number of keys read."""
        connection, count = self.node.connect(), 0
        for client in self.clients:
            for history in client.histories:
                answer = send(connection, "GET", f"/kv/{history.key}")
                assert answer.status in (200, 404), (history.key, answer.status, answer.body)
                history.settle(answer.body.decode() if answer.status == 200 else None)
                count += 1
        connection.close()
        return count
