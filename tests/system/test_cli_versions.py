"""`kvs export | kvs import` with versions: the same records, whatever they meet, as of one moment."""
import json
import os
import subprocess
import threading

import pytest

from client import Client
from harness import eventually, send

NDJSON = {"Content-Type": "application/x-ndjson"}


@pytest.fixture
def nodes(new_node, kvs):
    """Two nodes of clusters of their own, and their clients."""
    made = [new_node(durability="os", cluster_name=name).start() for name in ("from", "to")]
    return made, [Client(kvs, node.address) for node in made]


def write(node, count, prefix="a", value=0):
    connection = node.connect()
    for number in range(count):
        assert send(connection, "PUT", f"/kv/{prefix}/{number:05}", json.dumps({"n": number, "v": value})).status in (
            200,
            201,
        )
    connection.close()


def pipe(source, target, *options):
    exported = source.start("export", *options, stdout=subprocess.PIPE)
    imported = target.start("import", "--json", stdin=exported.stdout, stdout=subprocess.PIPE)
    exported.stdout.close()
    said, _ = imported.communicate(timeout=120)
    assert exported.wait(20) == 0 and imported.returncode == 0
    return json.loads(said)


def fingerprint(node):
    return eventually(lambda: node.get("/cluster/convergence").json["fingerprint"])


def assert_same_fingerprint(first, second):
    """A node shows it a moment after the last write."""
    eventually(lambda: fingerprint(first) == fingerprint(second))


def test_an_empty_cluster_gets_the_very_same_records(nodes):
    (first, second), (source, target) = nodes
    write(first, 3000)
    write(first, 1000, value=1)
    assert pipe(source, target)["written"] == 3000
    assert source.ok("export") == target.ok("export")
    assert_same_fingerprint(first, second)
    # Again does no harm, nor does a restart.
    assert pipe(source, target)["complete"] is True
    assert second.stop() == 0
    second.start()
    assert_same_fingerprint(first, second)


def test_deletions_come_along_where_they_are_asked_for(nodes):
    (first, second), (source, target) = nodes
    write(first, 20)
    for number in range(0, 20, 2):
        assert first.delete(f"/kv/a/{number:05}").status == 204
    pipe(source, target)
    assert fingerprint(first) != fingerprint(second)
    assert pipe(source, target, "--deletions")["written"] == 20
    assert_same_fingerprint(first, second)
    assert source.ok("export", "--deletions") == target.ok("export", "--deletions")
    assert sum('"deleted":true' in line for line in source.ok("export", "--deletions").splitlines()) == 10
    assert second.get("/kv/a/00000").status == 404


def test_records_merge_with_what_is_there(nodes):
    (first, second), (source, target) = nodes
    for key in ("older", "newer", "gone"):
        assert first.put(f"/kv/{key}", '"first"').status == 201
    old = source.ok("export")
    assert second.put("/kv/newer", '"second"').status == 201  # later than the first node's
    assert first.put("/kv/older", '"again"').status == 200
    assert target.run("import", stdin=source.ok("export").encode()).returncode == 0
    assert second.get("/kv/newer").body == b'"second"'
    assert second.get("/kv/older").body == b'"again"'
    # What was replaced or deleted since does not come back with its old version, but does with a new one.
    assert second.delete("/kv/gone").status == 204
    assert target.run("import", stdin=old.encode()).returncode == 0
    assert second.get("/kv/gone").status == 404 and second.get("/kv/older").body == b'"again"'
    assert target.run("import", "--new-versions", stdin=old.encode()).returncode == 0
    assert second.get("/kv/gone").body == b'"first"' and second.get("/kv/older").body == b'"first"'


def test_keeping_what_exists_gives_the_others_new_versions(nodes):
    (first, second), (source, target) = nodes
    write(first, 3)
    assert second.put("/kv/a/00001", "0").status == 201
    told = target.json("import", "--keep-existing", stdin=source.ok("export").encode())
    assert (told["written"], told["kept"]) == (2, 1)
    uuid = json.loads(source.ok("export").splitlines()[0])["uuid"]
    assert second.get("/kv/a/00000").headers["etag"] != f'"{uuid}"'


def test_an_edited_line_is_refused_and_taken_only_with_a_new_version(nodes):
    (first, second), (source, target) = nodes
    write(first, 5)
    lines = source.ok("export").splitlines(keepends=True)
    lines[2] = lines[2].replace('"n":2', '"n":7') if '"n":2' in lines[2] else lines[2].replace('"n": 2', '"n": 7')
    done = target.run("import", stdin="".join(lines).encode())
    assert done.returncode == 2 and "line 3: " in done.stderr and "--from-line" in done.stderr
    answer = second.request("POST", "/import", "".join(lines), headers=NDJSON)
    assert (answer.status, answer.code) == (400, "bad_request") and "line 3: " in answer.json["error"]["message"]
    assert second.get("/kv/a/00004").status == 404  # nothing of such a request is taken
    assert target.run("import", "--new-versions", stdin="".join(lines).encode()).returncode == 0
    assert second.get("/kv/a/00002").json["n"] == 7


def test_what_the_node_does_not_take_is_told_by_its_line(nodes, new_node, kvs):
    (first, _), (source, _) = nodes
    write(first, 10)
    assert first.put("/kv/a/00004", json.dumps("x" * 5000)).status == 200
    small = new_node(max_value_bytes=1000).start()
    lines = source.ok("export").encode()
    client = Client(kvs, small.address)
    done = client.run("import", stdin=lines)
    assert done.returncode == 2 and "line 5: " in done.stderr, done.stderr
    told = client.run("import", "--skip-refused", stdin=lines)
    assert told.returncode == 1 and "stored 9 records" in told.stderr and "1 refused" in told.stderr


def test_lines_with_and_without_versions_do_not_mix(nodes):
    (first, second), (source, target) = nodes
    write(first, 2)
    mixed = source.ok("export").encode() + b'{"path":"b","data":1}\n'
    done = target.run("import", stdin=mixed)
    assert done.returncode == 2 and "line 3: " in done.stderr and "--new-versions" in done.stderr
    assert target.run("import", "--new-versions", stdin=mixed).returncode == 0
    assert second.get("/kv/b").status == 200


def test_who_may_import_and_what(nodes, new_node, kvs):
    (first, second), (source, target) = nodes
    assert first.put("/kv/a", "1").status == 201
    line = json.loads(source.ok("export"))
    assert second.request("POST", "/import", json.dumps(line), headers=NDJSON).status == 200
    strict = new_node(read_only=True).start()
    answer = strict.request("POST", "/import", json.dumps(line), headers=NDJSON)
    assert (answer.status, answer.code) == (503, "read_only")
    for headers in ({}, {"Content-Type": "application/json"}):
        assert second.request("POST", "/import", json.dumps(line), headers=headers).status == 415
    assert second.get("/import").status == 405 and second.request("POST", "/export/", "").status == 405


def test_an_export_under_load_is_of_one_moment(nodes):
    """A writer gives all keys the next number, one after the other: at any one moment they hold two
    numbers at most, the larger ones first."""
    (first, _), (source, _) = nodes
    count, stopping = 3000, threading.Event()
    write(first, count)

    def go_round():
        connection, value = first.connect(), 0
        while not stopping.is_set():
            value += 1
            for number in range(count):
                send(connection, "PUT", f"/kv/a/{number:05}", json.dumps({"n": number, "v": value}))
                if stopping.is_set():
                    return

    writer = threading.Thread(target=go_round)
    writer.start()
    try:
        for _ in range(5):
            values = [json.loads(line)["data"]["v"] for line in source.ok("export").splitlines()]
            assert len(values) == count
            assert values == sorted(values, reverse=True) and len(set(values)) <= 2, set(values)
    finally:
        stopping.set()
        writer.join()


def test_a_node_that_is_killed_during_an_import_comes_back(nodes):
    (first, second), (source, target) = nodes
    write(first, 4000)
    lines = source.ok("export").encode()
    reader, writer = os.pipe()
    process = target.start("import", "--json", stdin=reader, stdout=subprocess.PIPE)
    os.close(reader)
    half = lines.index(b"\n", len(lines) // 2) + 1
    feed(writer, lines[:half])
    eventually(lambda: target.ok("ls", "a").strip())
    second.kill()
    second.start()
    feed(writer, lines[half:])
    os.close(writer)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0 and json.loads(said)["written"] == 4000
    assert target.ok("export") == source.ok("export")
    assert_same_fingerprint(first, second)


def feed(writer, data):
    while data:
        data = data[os.write(writer, data[:65536]) :]
