"""Records that are imported with their versions reach all members, also while others are written and nodes end."""
import subprocess

from cluster import wait_for
from history import Load

KEYS = 1000


def kvs(cluster, *arguments, **options):
    return subprocess.run(
        [cluster.binary, *map(str, arguments)], capture_output=True, check=True, timeout=60, **options
    ).stdout


def fingerprints(cluster):
    return {node.get("/cluster/convergence").json["fingerprint"] for node in cluster.running}


def test_an_empty_cluster_ends_with_the_fingerprint_of_the_other(new_cluster):
    source, target = new_cluster(3).start(), new_cluster(3, cluster_name="other")
    for number in range(KEYS):
        assert source.nodes[number % 3].put(f"/kv/a/{number}", {"n": number}).status == 201
    for number in range(0, KEYS, 5):
        assert source.nodes[0].delete(f"/kv/a/{number}").status == 204
    source.assert_equal()
    first, *others = target.nodes
    first.settings["seed_nodes"] = []
    first.start()
    target.start_at_once(others)
    target.wait_until_members()
    lines = kvs(source, "export", "--deletions", "--node", source.nodes[2].address)
    kvs(target, "import", "--node", target.nodes[1].address, input=lines)
    target.assert_equal()
    wait_for(
        lambda: len(fingerprints(source) | fingerprints(target)) == 1,
        20,
        lambda: f"{fingerprints(source)} {fingerprints(target)}",
    )


def test_an_import_into_a_cluster_at_work_loses_nothing(new_cluster):
    source, target = new_cluster(1).start(), new_cluster(3, cluster_name="other").start()
    for number in range(KEYS):
        assert source.nodes[0].put(f"/kv/imported/{number}", {"n": number}).status == 201
    lines = kvs(source, "export", "imported", "--node", source.nodes[0].address)
    third = target.nodes[2]
    with Load(target.nodes[:2]) as load:
        load.wait_for(50)
        third.kill()
        kvs(target, "import", "--node", target.nodes[0].address, input=lines)
        third.start()
        load.wait_for(50)
    records = target.wait_until_converged()
    load.check(records)
    held = source.nodes[0].records()
    assert {key: value for key, value in records.items() if key.startswith("imported/")} == {
        key: value for key, value in held.items() if key.startswith("imported/")
    }
