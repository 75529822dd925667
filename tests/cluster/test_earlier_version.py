"""Nodes of the version under test and of a real earlier one (--old-kvs PATH) in one cluster.

Exchanges run between both versions in both directions: range by range, by pages into an empty
folder, with what is dead on one side, and under load while each node is replaced by the other
version and back.
"""
import json
import re
import shutil
import subprocess

import pytest

import partition
from cluster import wait_for
from history import Load
from test_clocks import HOUR_MS, shifted  # noqa: F401 - a fixture
from test_conflict import KEYS as TIES
from test_conflict import shown

KEYS = 400
ROUNDS = 3
STARTED = "the node serves"
RECONCILED = re.compile(
    r"(?:regular|catch-up|bootstrap) with (\w+): reconciled in \d+ round trips, (\d+) records fetched, (\d+) given"
)
NOT_UNDERSTOOD = ("makes no sense", "unknown kind", "not_implemented", "garbled", "held different records")


@pytest.fixture
def mixed(new_cluster, kvs, old_kvs):
    """Makes a cluster that does not run yet: of the version under test where there is an n, of the
    earlier one where there is an o."""

    def make(kinds, **settings):
        cluster = new_cluster(len(kinds), **settings)
        for node, kind in zip(cluster.nodes, kinds):
            node.binary = kvs if kind == "n" else old_kvs
        return cluster

    return make


def exchanged(node, peer):
    """How many records crossed in exchanges range by range that `node` began with `peer`."""
    return sum(int(got) + int(given) for name, got, given in RECONCILED.findall(node.log()) if name == peer.name)


def assert_understood(cluster):
    for node in cluster.nodes:
        for line in node.log().splitlines():
            assert not any(word in line for word in NOT_UNDERSTOOD), f"{node.name}: {line}"


def replace(node, binary):
    node.end()
    node.binary = binary
    node.start()


def cut_off(cluster):
    """The means to decide who calls whom, and with it whose version conducts an exchange."""
    if reason := partition.why_not():
        pytest.skip(reason)
    return partition.Network(cluster.nodes)


def write_alone(node, prefix, first):
    """While the other is away: new keys, changed and deleted ones. Afterwards no journal tells of them."""
    node.start()
    for number in range(first, KEYS, 2):
        assert node.put(f"/kv/{prefix}/{number}", {"by": node.name}).status == 201
        assert node.put(f"/kv/changed/{number}", {"round": prefix}).status in (200, 201)
        if number % 5 == 0:
            assert node.delete(f"/kv/{prefix}/{number}").status == 204
    node.end()


@pytest.mark.parametrize("asks", ["old", "new"])
def test_ranges_are_compared_between_two_versions(mixed, kvs, asks):
    cluster = mixed("on")
    with cut_off(cluster) as network:
        cluster.start()
        here, there = cluster.nodes if asks == "old" else cluster.nodes[::-1]
        for number in range(5 * KEYS):
            assert here.put(f"/kv/before/{number}", number).status == 201
        cluster.wait_until_converged()
        for attempt in range(ROUNDS):
            here.end()
            there.end()
            write_alone(here, f"round{attempt}", 0)
            write_alone(there, f"round{attempt}", 1)
            before = exchanged(here, there)
            network.mute([there], [here])
            cluster.start_at_once(cluster.nodes)
            cluster.wait_until_converged()
            network.heal()
            cluster.assert_equal()
            assert exchanged(here, there) > before
    print(f"{exchanged(here, there)} records in exchanges that the {asks} one began, {exchanged(there, here)} others")
    assert_understood(cluster)


@pytest.mark.parametrize("kinds", ["oon", "nno"])
def test_an_empty_folder_is_filled_by_the_other_version(mixed, kinds):
    cluster = mixed(kinds).start()
    first, _, third = cluster.nodes
    for number in range(3 * KEYS):
        assert first.put(f"/kv/kept/{number}", ["x" * 300, number]).status == 201
    for number in range(0, 3 * KEYS, 3):
        assert first.delete(f"/kv/kept/{number}").status == 204
    with Load(cluster.nodes[:2]) as load:
        third.kill()
        cluster.wipe(third)
        load.wait_for(100)
        third.start()
        load.wait_for(50)
    records = cluster.wait_until_converged()
    print(load.check(records))
    assert sum(key.startswith("kept/") for key in records) == 2 * KEYS
    assert "bootstrap" in third.log()
    assert_understood(cluster)


@pytest.mark.parametrize("kinds", ["oon", "nno"])
@pytest.mark.parametrize("asks", ["third", "others"])
def test_what_the_other_version_forgot_stays_deleted(mixed, shifted, tmp_path, kinds, asks):  # noqa: F811
    """An old copy of a folder holds what nobody else does, not even its deletion: live records are
    dropped by an exchange between both versions."""
    cluster = mixed(kinds, tombstone_min_age_hours=1)
    with cut_off(cluster) as network:
        first, second, third = cluster.start().nodes
        for number in range(KEYS):
            assert first.put(f"/kv/old/{number}", number).status == 201
        cluster.wait_until_converged()
        third.end()
        shutil.copytree(third.data_dir, tmp_path / "backup")
        third.start()
        for number in range(0, KEYS, 2):
            assert first.delete(f"/kv/old/{number}").status == 204
        cluster.assert_equal()
        before = first.records()
        later = shifted(2 * HOUR_MS)
        forget_deletions(cluster, later)
        third.end()
        cluster.wipe(third)
        shutil.copytree(tmp_path / "backup", third.data_dir)
        others = [first, second]
        network.mute(*((others, [third]) if asks == "third" else ([third], others)))
        third.spawn(**later).wait_until_ready().wait_until_normal()
        assert cluster.wait_until_converged() == before
        network.heal()
        cluster.assert_equal()
    dropped = figure(third, 'kvs_records_dropped_total{kind="live"}')
    conducted = {node.name for node in cluster.nodes if reconciled_since_the_last_start(node)}
    print(f"{dropped} live records dropped, by exchanges of {sorted(conducted)}")
    assert dropped == KEYS // 2
    assert ("node3" in conducted) == (asks == "third")
    assert_understood(cluster)


def reconciled_since_the_last_start(node):
    return RECONCILED.search(node.log(), node.log().rindex(STARTED))


def forget_deletions(cluster, later):
    """All nodes go on where clocks show a later time."""
    for node in cluster.nodes:
        node.end()
    for node in cluster.nodes:
        node.spawn(**later)
    for node in cluster.nodes:
        node.wait_until_ready().wait_until_normal()
    wait_for(lambda: all(tombstones(node) == 0 for node in cluster.nodes), 60, "deletions are not forgotten")


def tombstones(node):
    """All records less those that are shown; some while they are counted after a start."""
    return figure(node, "kvs_fingerprinted_records") - len(node.records())


def figure(node, name):
    line = re.search(rf"^{re.escape(name)} (\d+)$", node.get("/metrics").body.decode(), re.MULTILINE)
    return int(line[1])


def test_a_tie_is_settled_by_both_versions(mixed, kvs):
    cluster = mixed("no")
    folders = [node.data_dir for node in cluster.nodes]
    command = [kvs, "make-conflict", *folders, "--keys", str(TIES)]
    subprocess.run(command, check=True, timeout=60, stdout=subprocess.DEVNULL)
    for node in cluster.nodes:
        node.start()
    wait_for(lambda: all(set(shown(node)) == {"first"} for node in cluster.nodes), 20,
             lambda: f"not settled: {[shown(node) for node in cluster.nodes]}")
    assert any("a conflict was settled" in node.log() for node in cluster.nodes)
    assert_understood(cluster)


def test_a_rolling_upgrade_from_a_real_version_and_back(mixed, kvs, old_kvs):
    """First 2 + 1, then all new, then back. In each step a node is away while another restarts, and
    with it loses its journal."""
    cluster = mixed("oon").start()
    cluster.wait_until_members()
    steps = [(0, kvs), (1, kvs), (2, old_kvs), (0, old_kvs), (1, old_kvs), (1, kvs)]
    with Load(cluster.nodes) as load:
        load.wait_for(100)
        for number, binary in steps:
            node, peer = cluster.nodes[number], cluster.nodes[(number + 1) % 3]
            node.end()
            load.wait_for(100)
            replace(peer, peer.binary)  # its journal is gone with the process
            load.wait_for(100)
            node.binary = binary
            node.start()
            cluster.wait_until_members()
            load.wait_for(100)
    print(load.check(cluster.wait_until_converged()))
    reconciled = sum(len(RECONCILED.findall(node.log())) for node in cluster.nodes)
    print(f"{len(steps)} replacements, {reconciled} exchanges range by range")
    assert_understood(cluster)


def test_nothing_expires_while_a_member_cannot_read_it(mixed, kvs):
    cluster = mixed("on").start()
    old, new = cluster.nodes
    refused = new.put("/kv/session?ttl=600", 1)
    assert (refused.status, refused.code) == (503, "ttl_unsupported")
    assert refused.headers["retry-after"] == "60"
    batch = {"operations": [{"op": "put", "path": "session", "data": 1, "ttl": 600}, {"op": "get", "path": "session"}]}
    body = json.dumps(batch)
    answer = new.request("POST", "/kv/?batch", body=body, headers={"Content-Type": "application/json"})
    assert [result["status"] for result in answer.json["results"]] == [503, 404]
    assert old.put("/kv/session?ttl=600", 1).code == "invalid_query", "it knows of no such thing"
    assert new.put("/kv/stays", 1).status == 201
    cluster.wait_until_converged()
    assert old.get("/kv/session").status == 404
    replace(old, kvs)
    wait_for(lambda: new.put("/kv/session?ttl=600", 1).status in (200, 201), 30, "both could read it now")
    assert cluster.wait_until_converged().keys() >= {"session", "stays"}
    assert old.get("/kv/session").headers["x-kvs-expires"] == new.get("/kv/session").headers["x-kvs-expires"]
    cluster.assert_equal()
    assert_understood(cluster)
