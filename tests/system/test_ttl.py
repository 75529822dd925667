"""Time to live: values that expire, in single requests, batches, listings, watches, exports and backups."""
import email.utils
import json
import time

import pytest

from client import Client
from harness import Node, eventually
from watch_stream import Stream


def now_ms():
    return time.time_ns() // 1_000_000


def put(node, path, value="1", ttl=None, **options):
    query = "" if ttl is None else f"?ttl={ttl}"
    answer = node.put(f"/kv/{path}{query}", value, **options)
    assert answer.status in (200, 201), answer
    return answer.json


def gone(node, path):
    """Waits for the end of a value."""
    eventually(lambda: node.get(f"/kv/{path}").status == 404)


def test_a_value_tells_when_it_expires_and_is_gone_then(node):
    before = now_ms()
    written = put(node, "a", '{"x":1}', ttl=4)
    assert before + 4000 <= written["expires"] <= now_ms() + 4000
    answer = node.get("/kv/a")
    assert (answer.status, answer.body) == (200, b'{"x":1}')
    assert int(answer.headers["x-kvs-expires"]) == written["expires"]
    assert email.utils.parsedate_to_datetime(answer.headers["expires"]).timestamp() == written["expires"] // 1000
    assert answer.headers["cache-control"] == "no-cache"
    meta = node.get("/kv/a?meta=true").json
    assert (meta["expires"], meta["uuid"]) == (written["expires"], written["uuid"])
    head = node.request("HEAD", "/kv/a")
    assert (head.status, head.headers["x-kvs-expires"]) == (200, str(written["expires"]))
    known = node.get("/kv/a", headers={"If-None-Match": f'"{written["uuid"]}"'})
    assert (known.status, known.headers["x-kvs-expires"]) == (304, str(written["expires"]))

    gone(node, "a")
    assert now_ms() >= written["expires"], "not before its time"
    assert node.request("HEAD", "/kv/a").status == 404
    assert node.get("/kv/a?meta=true").code == "not_found"
    tag = f'"{written["uuid"]}"'
    assert node.get("/kv/a", headers={"If-None-Match": tag}).status == 404
    assert node.get("/kv/a", headers={"If-Match": tag}).status == 404
    assert node.delete("/kv/a").code == "not_found"


def test_a_value_without_ttl_says_nothing_of_it(node):
    assert "expires" not in put(node, "a")
    answer = node.get("/kv/a")
    assert not {"expires", "x-kvs-expires", "cache-control"} & set(answer.headers)
    assert "expires" not in node.get("/kv/a?meta=true").json


def test_conditions_see_nothing_in_its_place(node):
    first = put(node, "a", ttl=3)
    assert node.put("/kv/a?ttl=3", "2", headers={"If-None-Match": "*"}).status == 412
    gone(node, "a")
    for condition in ("*", f'"{first["uuid"]}"'):
        assert node.put("/kv/a", "2", headers={"If-Match": condition}).code == "version_mismatch"
        assert node.delete("/kv/a", headers={"If-Match": condition}).code == "version_mismatch"
    again = node.put("/kv/a", "2", headers={"If-None-Match": "*"})
    assert again.status == 201
    assert again.json["timestamp"] >= first["timestamp"]
    assert node.get("/kv/a").body == b"2"


def test_the_last_write_decides(node):
    put(node, "stays", ttl=1)
    put(node, "stays")
    put(node, "longer", ttl=1)
    put(node, "longer", ttl=600)
    put(node, "shorter")
    put(node, "shorter", ttl=1)
    gone(node, "shorter")
    assert node.get("/kv/stays").status == 200
    assert "x-kvs-expires" not in node.get("/kv/stays").headers
    assert node.get("/kv/longer").status == 200


@pytest.mark.parametrize("ttl", ["0", "-1", "1.5", "1s", "", "315360001", "1e3", "+1", "99999999999999999999"])
def test_what_is_no_time_to_live(node, ttl):
    answer = node.put(f"/kv/a?ttl={ttl}", "1")
    assert (answer.status, answer.code) == (400, "invalid_query")
    assert node.get("/kv/a").status == 404


def test_only_a_put_has_one(node):
    put(node, "a")
    for method in ("GET", "HEAD", "DELETE"):
        assert node.request(method, "/kv/a?ttl=5").status == 400, method
    assert node.get("/kv/?ttl=5").code == "invalid_query"
    assert node.put("/kv/a?ttl=5&ttl=6", "1").code == "invalid_query"
    assert put(node, "a", ttl=315360000)["expires"] > now_ms() + 9 * 365 * 86_400_000
    assert node.get("/kv/a").status == 200


def batch(node, *operations):
    answer = node.request(
        "POST",
        "/kv/?batch",
        body=json.dumps({"operations": list(operations)}),
        headers={"Content-Type": "application/json"},
    )
    assert answer.status == 200, answer
    return answer.json["results"]


def test_batches(node):
    written, plain, read = batch(
        node,
        {"op": "put", "path": "a", "data": 1, "ttl": 1},
        {"op": "put", "path": "b", "data": 2},
        {"op": "get", "path": "a"},
    )
    assert written["status"] == 201 and "expires" not in plain
    assert (read["expires"], read["data"]) == (written["expires"], 1)
    gone(node, "a")
    results = batch(
        node,
        {"op": "get", "path": "a"},
        {"op": "delete", "path": "a"},
        {"op": "put", "path": "a", "data": 3, "if_match": "*"},
        {"op": "put", "path": "a", "data": 3, "if_none_match": "*"},
    )
    assert [result["status"] for result in results] == [404, 404, 412, 201]
    wrong = node.request(
        "POST",
        "/kv/?batch",
        body='{"operations":[{"op":"put","path":"c","data":1,"ttl":0}]}',
        headers={"Content-Type": "application/json"},
    )
    assert (wrong.status, wrong.code) == (400, "bad_request")


def test_listings(node):
    expires = put(node, "dir/a", ttl=4)["expires"]
    put(node, "dir/sub/b", ttl=4)
    put(node, "dir/c")
    for number in range(30):
        put(node, f"dir/many/{number}", ttl=4)
    entries = {entry["name"]: entry for entry in node.get("/kv/dir/?values=true").json["entries"]}
    assert set(entries) == {"a", "sub/", "c", "many/"}
    assert entries["a"]["expires"] == expires and "expires" not in entries["c"]
    gone(node, "dir/many/29")
    assert [entry["name"] for entry in node.get("/kv/dir/").json["entries"]] == ["c"]
    assert [entry["name"] for entry in node.get("/kv/dir/?recursive=true").json["entries"]] == ["c"]
    assert node.get("/kv/dir/?limit=1").json.get("next") is None, "what has expired makes no page"
    assert node.delete("/kv/dir/?recursive=true").json == {"deleted": 1}


def test_a_watch_tells_it_once(node):
    stream = Stream(node.port, "/kv/w/?watch=true&values=true")
    assert stream.next().kind == "bookmark"
    written = put(node, "w/a", '"x"', ttl=3)
    event = stream.next()
    assert (event.kind, event.data["data"], event.data["expires"]) == ("put", "x", written["expires"])
    cursor = event.id
    over = stream.next()
    assert over.kind == "delete"
    assert over.data == {
        "path": "w/a",
        "uuid": written["uuid"],
        "timestamp": written["timestamp"],
        "expires": written["expires"],
    }
    assert now_ms() >= written["expires"]
    assert stream.silent_for(0.5)
    stream.close()
    late = Stream(node.port, "/kv/w/?watch=true", last_event_id=cursor)
    assert late.next().data == over.data, "whoever was away hears of it"
    late.close()
    seen = Stream(node.port, "/kv/w/?watch=true", last_event_id=over.id)
    assert seen.next().kind == "bookmark", "whoever has heard of it does not"
    seen.close()


def test_a_watch_goes_on_after_a_restart(node):
    stream = Stream(node.port, "/kv/w/?watch=true&since=0")
    stream.until("bookmark")
    put(node, "w/a", ttl=3)
    put(node, "w/b", ttl=600)
    cursor = [stream.next(), stream.next()][-1].id
    stream.close()
    gone(node, "w/a")
    assert node.stop() == 0
    node.start()
    stream = Stream(node.port, "/kv/w/?watch=true", last_event_id=cursor)
    events = stream.until("bookmark")
    assert [(event.kind, event.data["path"]) for event in events] == [("delete", "w/a")]
    stream.close()


def test_kills_do_not_bring_it_back(node):
    put(node, "a", ttl=1)
    put(node, "b", ttl=600)
    gone(node, "a")
    for _ in range(3):
        node.kill()
        node.start()
        assert node.get("/kv/a").status == 404
        assert node.get("/kv/b").status == 200


def test_what_expired_while_the_node_was_down_is_gone_when_it_is_up(node):
    written = put(node, "a", ttl=1)
    node.kill()
    eventually(lambda: now_ms() > written["expires"])
    node.start()
    assert node.get("/kv/a").status == 404


def test_metrics_count_it(node):
    def figure(name):
        lines = node.get("/metrics").body.decode().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(name + " "))

    assert figure("kvs_expired_total") == 0
    for number in range(5):
        put(node, f"m/{number}", ttl=1)
    eventually(lambda: figure("kvs_expired_total") == 5)
    assert figure("kvs_expired_values_freed_total") == 0, "they are kept for clocks that are behind"


def test_exports_carry_it(node, tmp_path, kvs):
    written = put(node, "x/a", ttl=600)
    put(node, "x/over", ttl=1)
    put(node, "x/b")
    gone(node, "x/over")
    client = Client(kvs, node.address)
    lines = client.ok("export").splitlines()
    records = {record["path"]: record for record in map(json.loads, lines)}
    assert set(records) == {"x/a", "x/b"}
    assert records["x/a"]["expires"] == written["expires"]
    with_deletions = [json.loads(line) for line in client.ok("export", "--deletions").splitlines()]
    assert [record["path"] for record in with_deletions if record.get("deleted")] == ["x/over"]

    (tmp_path / "other").mkdir()
    other = Node(kvs, tmp_path / "other", {"node_id": "other", "bind_address": "127.0.0.1"})
    try:
        other.start()
        import_into = Client(kvs, other.address)
        import_into.ok("import", stdin=client.ok("export", "--deletions").encode())
        assert other.get("/kv/x/a").headers["x-kvs-expires"] == str(written["expires"])
        assert other.get("/kv/x/over").status == 404
        import_into.ok("import", "--new-versions", stdin="\n".join(lines).encode())
        again = other.get("/kv/x/a")
        assert again.json == 1 and written["expires"] <= int(again.headers["x-kvs-expires"]) + 1000
        assert abs(int(again.headers["x-kvs-expires"]) - written["expires"]) < 2000
        assert "x-kvs-expires" not in other.get("/kv/x/b").headers
    finally:
        other.destroy()


def test_the_command_line_has_it(node, kvs):
    client = Client(kvs, node.address)
    written = client.json("put", "--ttl", "5", "a", "1")
    assert written["expires"] >= now_ms()
    assert client.json("get", "a")["expires"] == written["expires"]
    moment = f"{written['expires'] % 1000:03}Z"
    assert client.ok("get", "--meta", "a").splitlines()[0].split("\t")[-1].endswith(moment)
    assert json.loads(client.ok("ls", "--json"))["expires"] == written["expires"]
    code, shown = client.on_terminal("get", "--meta", "a")
    assert code == 0 and "EXPIRES" in shown
    code, shown = client.on_terminal("put", "--ttl", "600", "b", "1")
    assert code == 0 and "expires" in shown
    gone(node, "a")
    assert client.run("get", "a").returncode != 0
    for wrong in ("0", "-5", "soon", "315360001"):
        assert client.run("put", "--ttl", wrong, "c", "1").returncode != 0
    assert node.get("/kv/c").status == 404
