"""P10: nodes whose wall clocks are wrong serve, and end equal; a clock far ahead owns no key."""
import os
import time

import pytest

from cluster import wait_for
from history import Load

HOUR_MS = 3_600_000
SKEW_MS = 5000  # max_clock_skew_ms as it is by default


@pytest.fixture
def shifted(kvs):
    """The options that start a node with a clock that is off by so much."""
    library = kvs.parent / "kvs_shifted_clock.so"
    assert library.is_file(), f"{library} is not there: build it"
    return lambda ms: {"env": {**os.environ, "LD_PRELOAD": str(library), "SHIFTED_CLOCK_MS": str(ms)}}


def warnings(node):
    return node.get("/health").json.get("warnings", [])


def restart(node, options, warning=None):
    """Clients use it again once it warns. Before a node has heard of the others' clocks it believes its own."""
    node.end()
    node.spawn(**options).wait_until_ready()
    if warning:
        wait_for(lambda: any(warning in text for text in warnings(node)), 20, lambda: f"no warning: {warnings(node)}")
    node.wait_until_normal()


def now_ms():
    return time.time_ns() // 1_000_000


@pytest.mark.parametrize(
    "shift_ms, warning",
    [(HOUR_MS, "ahead of the other members'"), (-HOUR_MS, None), (1500, None)],
    ids=["ahead", "behind", "a-little-ahead"],
)
def test_one_wrong_clock_of_three(cluster, shifted, shift_ms, warning):
    first, second, third = cluster.nodes
    with Load(cluster.nodes) as load:
        load.wait_for(60)
        restart(third, shifted(shift_ms), warning)
        cluster.wait_until_members()
        assert third.put("/kv/clock/own", '"of the wrong clock"').status == 201
        load.wait_for(200)
        for node in (first, second):
            wait_for(lambda node=node: node.get("/kv/clock/own").status == 200, 20, f"{node.name} lacks the write")
        assert first.put("/kv/clock/own", '"written later"').status == 200
    records = cluster.wait_until_converged()
    print(load.check(records))
    assert records["clock/own"][2] == '"written later"'
    newest = max(timestamp for timestamp, _, _ in records.values())
    assert newest <= now_ms() + SKEW_MS + 1000, f"{newest - now_ms()} ms ahead"


def test_a_clock_set_back_between_two_runs(cluster, shifted):
    """Timestamps of a node do not go back with its clock."""
    third = cluster.nodes[2]
    before = third.put("/kv/clock/back", "1").json["timestamp"]
    restart(third, shifted(-HOUR_MS))
    after = third.put("/kv/clock/back", "2").json["timestamp"]
    assert after >= before
    assert cluster.wait_until_converged()["clock/back"][2] == "2"
