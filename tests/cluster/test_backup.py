"""Backups in a cluster: one member restored joins and ends equal, and a whole cluster begins with one backup."""
import subprocess

from cluster import wait_for
from history import Load

KEYS = 200


def kvs(cluster, *arguments):
    return subprocess.run(
        [cluster.binary, *map(str, arguments)], capture_output=True, text=True, check=True, timeout=60
    ).stdout


def with_backups(new_cluster, tmp_path):
    return new_cluster(3, backup_folder=str(tmp_path / "backups")).start()


def write_some(cluster, prefix, count=KEYS):
    for number in range(count):
        node = cluster.running[number % len(cluster.running)]
        assert node.put(f"/kv/{prefix}/{number}", {"number": number}).status in (200, 201)


def delete_some(node, prefix, numbers):
    for number in numbers:
        assert node.delete(f"/kv/{prefix}/{number}").status == 204


def back_up(cluster, node, name):
    return kvs(cluster, "backup", "--node", node.address, name).strip()


def test_a_member_that_is_restored_joins_and_ends_equal(new_cluster, tmp_path):
    cluster = with_backups(new_cluster, tmp_path)
    first, _, third = cluster.nodes
    write_some(cluster, "old")
    cluster.wait_until_converged()
    with Load(cluster.nodes) as load:
        load.wait_for(100)
        backup = back_up(cluster, third, "b")
        load.wait_for(100)
    delete_some(first, "old", range(0, KEYS, 2))
    write_some(cluster, "new", 50)
    before = cluster.wait_until_converged()
    third.kill()
    cluster.wipe(third)
    kvs(cluster, "restore", backup, third.data_dir)
    assert first.put("/kv/while/away", 1).status == 201
    third.start()
    cluster.wait_until_members()
    after = cluster.wait_until_converged()
    assert {key for key in after if key != "while/away"} == set(before)
    assert not any(f"old/{number}" in after for number in range(0, KEYS, 2))
    load.check(after)
    with load.again(cluster.nodes, 2) as more:
        more.wait_for(100)
    more.check(cluster.wait_until_converged())


def test_a_whole_cluster_begins_with_one_backup(new_cluster, tmp_path):
    """Three nodes on three copies, started at once: three members, equal, of the very versions that were
    backed up, whose later writes have dots that name nothing else."""
    old = with_backups(new_cluster, tmp_path)
    write_some(old, "kept")
    delete_some(old.nodes[0], "kept", range(0, KEYS, 3))
    held = old.wait_until_converged()
    backup = back_up(old, old.nodes[1], "b")

    fresh = new_cluster(3)
    for node in fresh.nodes:
        kvs(fresh, "restore", backup, node.data_dir)
    fresh.start_at_once(fresh.nodes)
    fresh.wait_until_members()
    assert fresh.wait_until_converged() == held
    for node in fresh.nodes:
        assert "another process runs on a copy" not in node.log()
    with Load(fresh.nodes) as load:
        load.wait_for(300)
    records = fresh.wait_until_converged()
    load.check(records)
    assert {key: records[key] for key in held} == held
    # The old one lives, and neither has met the other.
    assert old.wait_until_converged() == held
    assert sorted(old.nodes[0].members()) == ["node1", "node2", "node3"]
    assert {m["address"] for m in old.nodes[0].get("/members/").json} == {n.address for n in old.nodes}


def test_plain_copies_of_a_restored_folder_become_members_of_their_own(new_cluster, tmp_path):
    old = with_backups(new_cluster, tmp_path)
    write_some(old, "kept", 50)
    held = old.wait_until_converged()
    backup = back_up(old, old.nodes[0], "b")

    fresh = new_cluster(3)
    # A node that has shown itself as the one that it was copied from waits until that row is gone.
    fresh.expected_errors = ["the cluster does not let this node in"]
    first, *others = fresh.nodes
    kvs(fresh, "restore", backup, first.data_dir)
    for node in others:
        subprocess.run(["cp", "-r", first.data_dir, node.data_dir], check=True)
    fresh.start_at_once(fresh.nodes)
    fresh.wait_until_members()
    with Load(fresh.nodes) as load:
        load.wait_for(200)
    records = fresh.wait_until_converged()
    load.check(records)
    assert {key: records[key] for key in held} == held


def test_a_copy_that_is_tried_out_alone_does_not_look_for_its_cluster(new_cluster, tmp_path):
    cluster = with_backups(new_cluster, tmp_path)
    write_some(cluster, "kept", 20)
    held = cluster.wait_until_converged()
    backup = back_up(cluster, cluster.nodes[0], "b")
    alone = cluster.add(seed_nodes=[])
    kvs(cluster, "restore", backup, alone.data_dir)
    alone.start()
    assert alone.records() == held
    assert alone.put("/kv/only/here", 1).status == 201
    # One that is asked to may join all the same.
    assert alone.members() == ["node4"]
    for node in cluster.nodes[:3]:
        wait_for(lambda node=node: len(node.members()) == 3, 10, lambda: str(node.members()))
        assert node.get("/kv/only/here").status == 404
    cluster.nodes.remove(alone)
    alone.destroy()
