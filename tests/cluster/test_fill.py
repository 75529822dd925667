"""A node with a new folder answers while it fetches: what exists is never a 404 there."""
import json
import random
import threading

from cluster import wait_for

KEPT = 3000
MOVING = 50
FILLER = "x" * 1000  # so that the fill takes many pages

# Some seconds for it: a new node fetches 256 KiB at a time.
SLOW_FILL = {"fetch_delay_ms": 150, "throttle_delay_ms": 150}


def fill(node):
    for number in range(KEPT):
        assert node.put(f"/kv/kept/{number:04}", {"number": number, "filler": FILLER}).status == 201
    for number in range(MOVING):
        assert node.put(f"/kv/moving/{number}", 0).status == 201
        assert node.put(f"/kv/gone/{number}", 0).status == 201
        assert node.delete(f"/kv/gone/{number}").status == 204


class Counter:
    """Goes on writing larger numbers under the moving keys."""

    def __init__(self, node):
        self.node, self.issued, self.going = node, 0, True
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while self.going:
            self.issued += 1
            assert self.node.put(f"/kv/moving/{self.issued % MOVING}", self.issued).status == 200

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.going = False
        self.thread.join()


class Reader:
    """Reads at a node that fills, and judges what it gets."""

    def __init__(self, node):
        self.node, self.random = node, random.Random(1)
        self.proxied = self.refused = 0
        self.seen = {}

    def get(self, path):
        """The answer; nothing for the refusal that is documented."""
        answer = self.node.get(path)
        source = answer.headers.get("x-kvs-source")
        if answer.status == 503:
            assert answer.code == "syncing" and "retry-after" in answer.headers, answer
            self.refused += 1
            return None
        assert source in (None, "proxy"), answer
        self.proxied += source == "proxy"
        return answer

    def read_some(self, issued):
        number = self.random.randrange(KEPT)
        answer = self.get(f"/kv/kept/{number:04}")
        assert answer is None or answer.status == 200 and answer.json["number"] == number, (number, answer)
        moving = self.random.randrange(MOVING)
        answer = self.get(f"/kv/moving/{moving}")
        if answer is not None:
            assert answer.status == 200, (moving, answer)
            assert self.seen.get(moving, 0) <= answer.json <= issued() + 1, (moving, answer)
            self.seen[moving] = answer.json
        for missing in (f"gone/{moving}", f"never/{moving}"):
            answer = self.get(f"/kv/{missing}")
            assert answer is None or answer.status == 404, (missing, answer)


def test_what_exists_is_never_a_404_during_the_fill(new_cluster):
    cluster = new_cluster(2).start()
    fill(cluster.nodes[0])
    cluster.wait_until_converged()
    late = cluster.add(**SLOW_FILL)
    with Counter(cluster.nodes[1]) as counter:
        late.spawn()
        late.wait_until_ready()
        reader = Reader(late)
        partial = late.get("/kv/")
        assert partial.status == 200 and partial.headers["x-kvs-source"] == "partial", partial
        while late.mode() == "syncing":
            reader.read_some(lambda: counter.issued)
        for _ in range(50):
            reader.read_some(lambda: counter.issued)
    assert reader.proxied > 0, "the fill was over before anything was read"
    cluster.wait_until_converged()
    wait_for(lambda: "x-kvs-source" not in late.get("/kv/").headers, 20, "the fill does not end")
    before = reader.proxied
    reader.read_some(lambda: counter.issued)
    assert reader.proxied == before
    cluster.assert_sound()
    print(f"{reader.proxied} reads answered by others, {reader.refused} refused")


def test_without_anybody_to_ask_it_says_so(new_cluster):
    cluster = new_cluster(1).start()
    first = cluster.nodes[0]
    fill(first)
    late = cluster.add(**SLOW_FILL)
    late.spawn()
    late.wait_until_ready()
    wait_for(lambda: late.get("/kv/kept/2999").status == 200, 10, "it does not find the first node")
    first.kill()
    answer = late.get("/kv/kept/2998")
    assert answer.status == 503 and answer.code == "syncing" and answer.headers["retry-after"] == "5", answer
    assert late.get("/kv/kept/2999").json["number"] == 2999  # was stored as it was read
    assert json.loads(late.get("/health").body)["mode"] == "syncing"
    first.start()
    late.wait_until_normal()
    assert late.get("/kv/kept/2998").json["number"] == 2998
