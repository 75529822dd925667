"""P14: a full disk loses nothing acknowledged; writes get 507, reads go on, the node recovers."""
import json
import time

import pytest

from ledger import Load
from small_disk import fill, small_disk  # noqa: F401 - a fixture


def wait_for(condition, seconds, what):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def refused_writes(node):
    """Writes big values until one is refused for want of space; its answer."""
    value = json.dumps("x" * 500_000)
    for number in range(1000):
        answer = node.put(f"/kv/fill/{number % 4}", value)
        if answer.status == 507:
            return answer
        assert answer.status in (200, 201, 503), answer.body
    raise AssertionError("the disk is full, and yet every write was accepted")


def test_full_disk_and_back(new_node, small_disk):
    node = new_node(data_dir=str(small_disk / "data")).start()
    load = Load(node)
    load.start()
    load.wait_for(200)
    ballast = fill(small_disk)
    refusal = refused_writes(node)
    assert refusal.code == "disk_full"
    # The load goes on: what is refused must not have happened, what is acknowledged must stay.
    wait_for(
        lambda: load.refused > 20 or not any(c.is_alive() for c in load.clients),
        30,
        "no write of the load was refused",
    )
    assert node.get("/kv/load/client0/key0").status in (200, 404)
    health = node.get("/health")
    assert (health.status, health.json["status"]) == (
        503,
        "degraded",
    ) and "disk_full" in health.json["reason"]

    ballast.unlink()
    wait_for(
        lambda: node.get("/health").status == 200,
        60,
        "the node does not recover when there is space again",
    )
    before = load.acknowledged
    load.wait_for(50)
    assert load.acknowledged >= before + 50, "the node does not take writes again"
    load.finish()
    load.check()
    print(f"{load.refused} writes refused, {load.acknowledged} acknowledged, none lost")


def test_health_recovers_without_any_write(new_node, small_disk):
    node = new_node(data_dir=str(small_disk / "data")).start()
    ballast = fill(small_disk)
    refused_writes(node)
    assert node.get("/health").status == 503
    ballast.unlink()
    wait_for(
        lambda: node.get("/health").status == 200,
        60,
        "the node stays degraded when there is space again",
    )
    assert node.put("/kv/a", "1").status == 201


@pytest.mark.parametrize("space_back", ["before the restart", "after the restart"])
def test_kill_while_full(new_node, small_disk, space_back):
    """A node that is killed on a full disk loses nothing and is not refused by its own log."""
    node = new_node(data_dir=str(small_disk / "data")).start()
    load = Load(node)
    load.start()
    load.wait_for(200)
    ballast = fill(small_disk)
    refused_writes(node)
    wait_for(
        lambda: load.refused > 20 or not any(c.is_alive() for c in load.clients),
        30,
        "no write of the load was refused",
    )
    node.kill()
    load.finish()
    if space_back == "before the restart":
        ballast.unlink()
        node.start()
    else:
        node.spawn()
        try:
            node.wait_until_ready()  # reads may go on even now
            load.check()
        except AssertionError:
            assert node.process.poll() == 1 and "space" in node.log(), node.log()
        node.destroy()
        ballast.unlink()
        node.start()
    load.check()
    assert "damaged" not in node.log()
    assert node.put("/kv/after", "1").status == 201
