"""P3, P6, P14, P15: folders that are lost, restored, copied or full, and identities that clash."""
import json
import shutil

from cluster import wait_for
from history import Load
from small_disk import fill, small_disk  # noqa: F401 - a fixture

KEYS = 100


def write_some(cluster, prefix, count=KEYS):
    for number in range(count):
        node = cluster.running[number % len(cluster.running)]
        assert node.put(f"/kv/{prefix}/{number}", {"number": number}).status in (200, 201)


def joined_timestamps(node):
    return {member["id"]: member["joined_timestamp"] for member in node.get("/members/").json}


def delete_some(node, prefix, numbers):
    for number in numbers:
        assert node.delete(f"/kv/{prefix}/{number}").status == 204


def test_a_lost_folder_is_filled_again(cluster):
    third = cluster.nodes[2]
    write_some(cluster, "kept")
    cluster.wait_until_converged()
    with Load(cluster.nodes[:2]) as load:
        third.kill()
        cluster.wipe(third)
        load.wait_for(100)
        third.start()
        load.wait_for(50)
    records = cluster.wait_until_converged()
    load.check(records)
    assert sum(key.startswith("kept/") for key in records) == KEYS


def test_an_old_copy_brings_nothing_deleted_back(cluster, tmp_path):
    first, _, third = cluster.nodes
    write_some(cluster, "old")
    cluster.wait_until_converged()
    third.end()
    shutil.copytree(third.data_dir, tmp_path / "backup")
    third.start()
    delete_some(first, "old", range(0, KEYS, 2))
    write_some(cluster, "new", 50)
    before = cluster.wait_until_converged()
    third.kill()
    cluster.wipe(third)
    shutil.copytree(tmp_path / "backup", third.data_dir)
    assert first.put("/kv/while/away", 1).status == 201
    third.start()
    after = cluster.wait_until_converged()
    assert {key for key in after if key != "while/away"} == set(before)
    assert not any(f"old/{number}" in after for number in range(0, KEYS, 2))


def test_one_folder_on_two_nodes(cluster, tmp_path):
    """The younger process takes another instance: both live, and neither loses anything."""
    _, second, _ = cluster.nodes
    write_some(cluster, "before")
    cluster.wait_until_converged()
    second.end()
    fourth = cluster.add()
    shutil.copytree(second.data_dir, fourth.data_dir)
    second.start()
    cluster.wait_until_members(["node1", "node2", "node3"])
    joined = joined_timestamps(second)["node2"]
    fourth.start()
    cluster.wait_until_members(["node1", "node2", "node3", "node4"])
    assert "another process runs on a copy of this data folder" in fourth.log()
    wait_for(lambda: joined_timestamps(second)["node4"] > joined, 10, "the younger kept its seniority")
    assert joined_timestamps(second)["node2"] == joined
    with Load(cluster.nodes) as load:
        load.wait_for(100)
    load.check(cluster.wait_until_converged())


def test_an_id_used_twice_is_refused(cluster):
    first = cluster.nodes[0]
    cluster.wait_until_members()
    cluster.expected_errors = ["the cluster does not let this node in"]
    double = cluster.add(node_id="node1")
    double.spawn()
    wait_for(lambda: "node_id node1 is in use" in double.log(), 20, lambda: double.log()[-2000:])
    assert first.address in double.log()
    assert first.put("/kv/still/here", 1).status == 201
    for node in cluster.nodes[1:3]:
        wait_for(lambda node=node: node.get("/kv/still/here").status == 200, 5, "the first does not go on")
        wait_for(lambda node=node: node.members() == ["node1", "node2", "node3"], 10, lambda: str(node.members()))
        addresses = {member["id"]: member["address"] for member in node.get("/members/").json}
        assert addresses["node1"] == first.address
    double.destroy()


def test_a_foreign_cluster_stays_outside(cluster):
    stranger = cluster.add(cluster_name="another")
    stranger.spawn()
    wait_for(lambda: "belongs to another cluster" in stranger.log(), 20, lambda: stranger.log()[-2000:])
    stranger.wait_until_ready()
    assert cluster.nodes[0].put("/kv/ours", 1).status == 201
    cluster.wait_until_converged(10, cluster.nodes[:3])
    for node in cluster.nodes[:3]:
        wait_for(lambda node=node: node.members() == ["node1", "node2", "node3"], 10, lambda: str(node.members()))
    assert stranger.members() == ["node4"]
    assert stranger.get("/kv/ours").status == 503  # it has found nobody to fetch from
    cluster.nodes.remove(stranger)
    stranger.destroy()


def test_a_join_from_a_foreign_cluster_or_of_an_id_in_use_is_409(cluster):
    first, second, _ = cluster.nodes
    cluster.wait_until_members()
    row = {"id": second.name, "address": cluster.subnet.address(9) + ":8080", "joined_timestamp": 1, "last_seen": 1}
    answer = first.request("POST", "/members/join", json.dumps(row))
    assert (answer.status, answer.code) == (409, "id_in_use"), answer
    cluster.wait_until_members()


def test_a_full_disk_harms_no_other_node(new_cluster, small_disk):
    cluster = new_cluster(3)
    third = cluster.nodes[2]
    third.settings["data_dir"] = str(small_disk / "data")
    cluster.start()
    with Load(cluster.nodes[:2]) as load:
        load.wait_for(50)
        ballast = fill(small_disk)
        value = ["x" * 500_000]
        statuses = [third.put(f"/kv/fill/{number % 4}", value).status for number in range(20)]
        assert 507 in statuses, statuses
        load.wait_for(100)
        for number in range(20):
            assert cluster.nodes[0].put(f"/kv/meanwhile/{number}", number).status == 201
        ballast.unlink()
        wait_for(lambda: third.get("/health").status == 200, 20, "the node does not recover")
    load.check(cluster.wait_until_converged())
    assert third.get("/kv/meanwhile/19").status == 200
