"""The contract of batches and of recursive deletes."""
import concurrent.futures
import json
import signal
import socket
import struct

import pytest

from client import Client, Stub
from harness import eventually, send
from test_contract_values import refused

JSON = {"Content-Type": "application/json"}


def batch(node, operations, target="/kv/?batch", **options):
    body = operations if isinstance(operations, (str, bytes)) else json.dumps({"operations": operations})
    return node.request("POST", target, body=body, headers=JSON, **options)


def results(node, operations, target="/kv/?batch", **options):
    answer = batch(node, operations, target, **options)
    assert answer.status == 200, answer.body
    assert answer.headers["content-type"] == "application/json" and set(answer.json) == {"results"}
    assert len(answer.json["results"]) == len(operations)
    return answer.json["results"]


def put(path, data, **conditions):
    return {"op": "put", "path": path, "data": data, **conditions}


def get(path, **conditions):
    return {"op": "get", "path": path, **conditions}


def delete(path, **conditions):
    return {"op": "delete", "path": path, **conditions}


def fill(node, count, folder="many"):
    """Stores that many keys."""
    for first in range(0, count, 10_000):
        names = range(first, min(first + 10_000, count))
        done = results(node, [put(f"{n:07d}", n) for n in names], f"/kv/{folder}/?batch", timeout=60)
        assert {result["status"] for result in done} == {201}


def listed(node, target="/kv/"):
    """The names of all keys below, page by page."""
    names, after = [], ""
    while True:
        page = node.get(f"{target}?recursive=true&limit=10000{after}").json
        names += [entry["name"] for entry in page["entries"]]
        if "next" not in page:
            return names
        after = "&after=" + page["next"]


# -- batches


def test_each_operation_comes_to_what_it_comes_to_alone(node):
    old = node.put("/kv/old", '"x"').json
    wrong = "a1b2c3d4-e5f6-4890-9234-567890abcdef"
    made, replaced, deleted, read, none, mismatch, absent, invalid, long, unchanged = results(
        node,
        [
            put("new", {"a": 1}),
            put("old", 2, if_match=old["uuid"]),
            delete("new"),
            get("old"),
            get("new"),
            put("old", 3, if_match=wrong),
            put("old", 4, if_none_match="*"),
            put("a//b", 5),
            delete("k" * 1025),
            delete("none"),
        ],
    )
    assert (made["status"], set(made)) == (201, {"status", "uuid", "timestamp"})
    assert (replaced["status"], set(replaced)) == (200, {"status", "uuid", "timestamp"})
    assert (deleted["status"], set(deleted)) == (204, {"status", "timestamp"})
    assert read == {**replaced, "status": 200, "data": 2}
    failed = (none, mismatch, absent, invalid, long, unchanged)
    assert [(result["status"], result["error"]["code"]) for result in failed] == [
        (404, "not_found"),
        (412, "version_mismatch"),
        (412, "version_mismatch"),
        (400, "invalid_key"),
        (414, "key_too_large"),
        (404, "not_found"),
    ]
    del replaced["status"]
    assert node.get("/kv/old?meta=true").json == {"path": "old", **replaced, "data": 2}
    assert made["timestamp"] <= replaced["timestamp"] <= deleted["timestamp"]


def test_gets_have_conditions_too(node):
    version = node.put("/kv/a", "1").json
    seen, other, same, any_one = results(
        node,
        [
            get("a", if_none_match=version["uuid"]),
            get("a", if_match="a1b2c3d4-e5f6-4890-9234-567890abcdef"),
            get("a", if_match=version["uuid"]),
            get("a", if_none_match="*"),
        ],
    )
    assert seen == {"status": 304, **version} == any_one
    assert (other["status"], other["error"]["code"]) == (412, "version_mismatch")
    assert same == {"status": 200, **version, "data": 1}


@pytest.mark.parametrize("text", ['{"a" : [1,\t2]}', '"]}"', '"\\u00e4\\\\"', "-12.50e+3", "null", "[[[]]]"])
def test_values_come_back_as_they_were_sent(node, text):
    assert batch(node, f'{{"operations":[ {{"op":"put","path":"v","data": {text} }} ]}}').status == 200
    assert node.get("/kv/v").body.decode() == text
    assert f'"data":{text}}}' in batch(node, [get("v")]).body.decode()


def test_paths_are_relative_to_the_target(node):
    results(node, [put("b", 1), put("c/d", 2)], "/kv/x/a/?batch")
    assert listed(node) == ["x/a/b", "x/a/c/d"]
    assert results(node, [get("x/a/b"), get("b")])[0]["data"] == 1


def test_operations_take_place_in_their_order(node):
    for _ in range(20):
        seen = results(node, [put("k", 1), get("k"), put("k", 2), put("k", 3), get("k"), delete("k"), get("k")])
        assert [result["status"] for result in seen[1::5]] == [200, 404]
        assert (seen[1]["data"], seen[4]["data"]) == (1, 3)


def test_a_batch_keeps_its_place_among_pipelined_requests(node):
    body = json.dumps({"operations": [get("a"), put("a", 2), get("a")]}).encode()
    request = (
        b"PUT /kv/a HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n1"
        b"POST /kv/?batch HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
        b"PUT /kv/a HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n3"
        b"GET /kv/a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" % (len(body), body)
    )
    for _ in range(10):
        told = node.raw(request).decode()
        assert told.index('"data":1') < told.index('"data":2') and told.endswith("\r\n\r\n3")
        assert told.count("HTTP/1.1 20") == 4
        node.delete("/kv/a")


BROKEN = [
    ("{", "invalid_json"),
    ('{"operations":[],"operations":[]}', "invalid_json"),
    ("[]", "bad_request"),
    ('{"operations":{}}', "bad_request"),
    ('{"operations":[{"op":"put","path":"a","data":1},{"op":"put","path":"b"}]}', "bad_request"),
    ('{"operations":[{"op":"put","path":"a","data":1},{"op":"put","path":"b","data":1,"if_mach":"*"}]}', "bad_request"),
    ('{"operations":[{"op":"put","path":"a","data":1},{"op":"post","path":"b"}]}', "bad_request"),
    ('{"operations":[{"op":"put","path":"a","data":1},7]}', "bad_request"),
]


@pytest.mark.parametrize("body, code", BROKEN)
def test_a_malformed_batch_is_refused_and_changes_nothing(node, body, code):
    refused(batch(node, body), 400, code)
    assert listed(node) == []


def test_what_a_batch_needs(node):
    empty = '{"operations":[]}'
    assert results(node, []) == []
    refused(node.request("POST", "/kv/", body=empty, headers=JSON), 400, "invalid_query")
    refused(node.request("POST", "/kv/?batch", body=empty), 415, "unsupported_media_type")
    refused(node.request("POST", "/kv/?batch", body=empty, headers={**JSON, "If-Match": "*"}), 400, "bad_request")
    refused(node.request("POST", "/kv/a?batch", body=empty, headers=JSON), 405, "method_not_allowed")
    refused(batch(node, empty, "/kv//?batch"), 400, "invalid_key")


def test_bounds_of_a_batch(node):
    most = [put(f"k{n}", n) for n in range(10_000)]
    refused(batch(node, [*most, get("a")]), 413, "value_too_large")
    assert listed(node) == []
    assert {result["status"] for result in results(node, most)} == {201}
    assert len(listed(node)) == 10_000

    value = "x" * ((1 << 20) - 2)
    assert [r["status"] for r in results(node, [put("v", value), put("w", value + "x")])] == [201, 413]
    eight = json.dumps({"operations": [put("v", value)] * 8})
    refused(batch(node, eight), 413, "value_too_large")
    seven = results(node, [put("v", value)] * 7)
    assert {result["status"] for result in seven} == {200}


def test_an_answer_of_any_size(node):
    value = "x" * 1_000_000
    node.put("/kv/v", json.dumps(value))
    found = results(node, [get("v")] * 200, timeout=60)
    assert all(result["data"] == value for result in found)


def test_a_read_only_node_answers_the_gets_of_a_batch(new_node):
    node = new_node().start()
    node.put("/kv/a", "1")
    node.stop()
    node.settings["read_only"] = True
    node.start()
    read, written = results(node, [get("a"), put("a", 2)])
    assert read["data"] == 1
    assert (written["status"], written["error"]["code"]) == (503, "read_only")
    assert node.delete("/kv/b/?recursive=true").json == {"deleted": 0}
    answer = node.delete("/kv/?recursive=true&everything=true")
    assert (answer.status, answer.code, answer.json["deleted"]) == (503, "read_only", 0)
    assert answer.headers["retry-after"] == "60"


def test_batches_of_many_clients(node):
    """Each increments its own counters, seeing what it wrote before."""

    def work(client):
        connection = node.connect(timeout=60)
        versions = [None] * 50
        for turn in range(20):
            operations = [
                put(f"{client}/{n}", turn, **({"if_match": version} if version else {"if_none_match": "*"}))
                for n, version in enumerate(versions)
            ]
            answer = send(connection, "POST", "/kv/?batch", json.dumps({"operations": operations}), JSON)
            versions = [result["uuid"] for result in answer.json["results"]]
        connection.close()
        return versions

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        last = list(pool.map(work, range(8)))
    for client, versions in enumerate(last):
        found = results(node, [get(f"{client}/{n}") for n in range(50)])
        assert [(r["uuid"], r["data"]) for r in found] == [(version, 19) for version in versions]


@pytest.mark.parametrize("after", [1, 100_000, 250_000])
def test_a_crash_leaves_a_front_of_the_writes(new_node, after):
    """What was answered is there, and no write without all before it."""
    node = new_node().start()
    body = json.dumps({"operations": [put(f"{n:05d}", "x" * 50) for n in range(10_000)]}).encode()
    head = "POST /kv/?batch HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    head += f"Content-Length: {len(body)}\r\n\r\n"
    got = b""
    with socket.create_connection((node.host, node.port), timeout=20) as sock:
        sock.sendall(head.encode() + body)
        while len(got) < after and (part := sock.recv(4096)):
            got += part
        node.kill()
    node.start()
    names = listed(node)
    assert names == [f"{n:05d}" for n in range(len(names))]
    assert len(names) >= got.count(b'"status":201,"uuid":"')
    assert names, "something was answered"


# -- recursive delete


def test_all_keys_below_go_and_no_other(node):
    kept = ["a", "a0", "aa/b", "b/a/c", "a-/x"]
    results(node, [put(path, 1) for path in (*kept, "a/b", "a/b/c", "a/0", "a/ä/ö")])
    answer = node.delete("/kv/a/?recursive=true")
    assert (answer.status, answer.json) == (200, {"deleted": 4})
    assert answer.headers["content-type"] == "application/json"
    assert listed(node) == sorted(kept)
    assert node.delete("/kv/a/?recursive=true").json == {"deleted": 0}
    assert node.delete("/kv/b%2Fa/?recursive=true").json == {"deleted": 1}


def test_everything_goes_only_if_that_is_said(node):
    results(node, [put(path, 1) for path in ("a", "b/c")])
    for query in ("?recursive=true", "?recursive=true&everything=false", "b/?recursive=true&everything=true"):
        refused(node.delete("/kv/" + query), 400, "invalid_query")
    for target in ("/kv/", "/kv/b/", "/kv/b/?recursive=false", "/kv//?recursive=true"):
        refused(node.delete(target), 400, "invalid_key")
    refused(node.delete("/kv/b?recursive=true"), 400, "invalid_query")
    refused(node.delete("/kv/b/?recursive=true", headers={"If-Match": "*"}), 400, "bad_request")
    assert listed(node) == ["a", "b/c"]
    assert node.delete("/kv/?recursive=true&everything=true").json == {"deleted": 2}
    assert listed(node) == []


def test_many_keys_go_while_others_work(node):
    fill(node, 50_000)
    node.put("/kv/other", "1")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        going = pool.submit(node.delete, "/kv/many/?recursive=true&progress=true", timeout=60)
        seen = []
        while not going.done():
            assert node.put("/kv/other", "2").status == 200
            seen.append(len(node.get("/kv/many/?recursive=true&limit=10000").json["entries"]))
        answer = going.result()
    assert answer.headers["content-type"] == "application/x-ndjson"
    lines = [json.loads(line) for line in answer.body.decode().splitlines()]
    assert lines[-1] == {"deleted": 50_000, "done": True}
    counts = [line["deleted"] for line in lines]
    assert len(counts) > 10 and counts == sorted(counts)
    assert seen == sorted(seen, reverse=True)
    assert listed(node) == ["other"]
    quiet = node.delete("/kv/?recursive=true&everything=true")
    assert quiet.json == {"deleted": 1}


def test_what_is_written_meanwhile_stays(node):
    """Keys are written anew under the delete: each that is there at the end has a newer value."""
    fill(node, 30_000)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        going = pool.submit(node.delete, "/kv/many/?recursive=true", timeout=60)
        last = [put(f"{n:07d}", "new") for n in range(29_999, 0, -1000)]
        written = results(node, last, "/kv/many/?batch")
        answer = going.result().json
    left = node.get("/kv/many/?recursive=true&values=true&limit=1000").json["entries"]
    assert len(left) == len(last) and {entry["data"] for entry in left} == {"new"}
    assert answer["deleted"] + answer.get("kept", 0) == 30_000
    assert {result["status"] for result in written} <= {200, 201}


def test_it_stops_if_the_client_goes_away(node):
    fill(node, 100_000)
    with socket.create_connection((node.host, node.port), timeout=20) as sock:
        sock.sendall(b"DELETE /kv/many/?recursive=true HTTP/1.1\r\nHost: a\r\n\r\n")
        assert sock.recv(15) == b"HTTP/1.1 200 OK"
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    eventually(lambda: "\nkvs_connections_open 1\n" in node.get("/metrics").body.decode())
    node.put("/kv/many/x", "1")  # behind what was posted
    left = len(listed(node, "/kv/many/"))
    assert left > 50_000
    node.put("/kv/many/x", "2")
    assert len(listed(node, "/kv/many/")) == left
    assert node.delete("/kv/many/?recursive=true", timeout=60).json == {"deleted": left}


# -- the command


def test_the_command_deletes_below_a_path(kvs, node):
    client = Client(kvs, node.address)
    fill(node, 5000, "a/b")
    results(node, [put("a", 1), put("c", 2)])
    assert client.ok("del", "--recursive", "a") == "5000\n"
    fill(node, 10, "a/b")
    assert client.json("del", "--recursive", "a/b/") == {"path": "a/b/", "deleted": 10, "kept": 0}
    assert listed(node) == ["a", "c"]
    for arguments in (["/"], ["a", "--everything"], ["a//b"]):
        assert client.run("del", "--recursive", *arguments).returncode == 2, arguments
    for arguments in (["--everything", "a"], ["--recursive", "--if-match", "*", "a"]):
        assert client.run("del", *arguments).returncode == 2, arguments
    assert client.ok("del", "--recursive", "--everything", "/") == "2\n"
    assert listed(node) == []
    code, seen = client.on_terminal("del", "--recursive", "none")
    assert code == 0 and "deleted 0 keys below none/, in " in seen


def test_the_command_tells_of_an_end_midway(kvs):
    lines = b'{"deleted":512}\n{"deleted":700,"error":{"code":"disk_full","message":"the disk is full"}}\n'
    with Stub(lambda *_: (200, {}, lines)) as stub:
        done = Client(kvs, stub.address).run("del", "--recursive", "a")
        assert (done.returncode, done.stdout) == (6, b"")
        assert "deleted 700 keys below a/" in done.stderr and "the disk is full" in done.stderr
    with Stub(lambda *_: (200, {}, b'{"deleted":512}\n')) as stub:
        done = Client(kvs, stub.address).run("del", "--recursive", "a")
        assert done.returncode == 5 and "deleted 512 keys" in done.stderr
    with Stub(lambda *_: (503, {}, b'{"deleted":0,"error":{"code":"syncing","message":"not yet"}}\n')) as stub:
        done = Client(kvs, stub.address).run("del", "--recursive", "--json", "a")
        assert done.returncode == 6 and json.loads(done.stderr)["error"]["code"] == "syncing"


def test_the_command_ends_with_ctrl_c(kvs, node):
    fill(node, 100_000)
    client = Client(kvs, node.address)
    process = client.start("del", "--recursive", "many")
    eventually(lambda: len(listed(node, "/kv/many/")) < 100_000)
    process.send_signal(signal.SIGINT)
    assert process.wait(20) in (0, 128 + signal.SIGINT)
    eventually(lambda: "\nkvs_connections_open 1\n" in node.get("/metrics").body.decode())
    node.put("/kv/after", 1)  # what was posted before takes place before
    left = len(listed(node, "/kv/many/"))
    assert node.delete("/kv/many/?recursive=true", timeout=60).json == {"deleted": left}
