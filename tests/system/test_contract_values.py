"""The contract of /kv/{path}: values as sent, versions, conditions, errors, limits."""
import concurrent.futures
import email.utils
import json
import re

import pytest

from harness import send

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def refused(answer, status, code):
    """The answer is a documented error that says something."""
    assert (answer.status, answer.code) == (status, code), (answer.status, answer.body)
    assert answer.headers["content-type"] == "application/json"
    assert set(answer.json) == {"error"} and set(answer.json["error"]) == {"code", "message"}
    assert len(answer.json["error"]["message"]) > 10
    return True


@pytest.mark.parametrize(
    "text", ['{"a":1}', "[1, 2,\t3]", '"text"', "-12.50e+3", "true", "false", "null", " {} "]
)
def test_any_json_value_comes_back_as_it_was_sent(node, text):
    assert node.put("/kv/v", text).status == 201
    found = node.get("/kv/v")
    assert (found.status, found.body.decode()) == (200, text)
    assert found.headers["content-type"] == "application/json"


def test_versions_in_answers_and_headers(node):
    first = node.put("/kv/a/b", "1")
    second = node.put("/kv/a/b", "2")
    assert (first.status, second.status) == (201, 200)
    for answer in (first, second):
        assert UUID.fullmatch(answer.json["uuid"]) and set(answer.json) == {"uuid", "timestamp"}
    assert first.json["uuid"] != second.json["uuid"]
    assert first.json["timestamp"] <= second.json["timestamp"]

    found = node.get("/kv/a/b")
    assert found.headers["etag"] == f'"{second.json["uuid"]}"'
    assert found.headers["x-kvs-timestamp"] == str(second.json["timestamp"])
    modified = email.utils.parsedate_to_datetime(found.headers["last-modified"]).timestamp()
    assert modified == second.json["timestamp"] // 1000

    meta = node.get("/kv/a/b?meta=true")
    assert meta.json == {"path": "a/b", **second.json, "data": 2}


def test_head_is_get_without_a_body(node):
    node.put("/kv/a", '{"long":"value"}')
    for target in ("/kv/a", "/kv/none", "/kv/a?meta=true", "/kv/", "/health", "/members/"):
        got, head = node.get(target), node.request("HEAD", target)
        assert (head.status, head.body) == (got.status, b"")
        same = {"content-type", "content-length", "etag", "last-modified", "x-kvs-timestamp"}
        if target in ("/health", "/members/"):
            same -= {"content-length"}
        assert {n: v for n, v in head.headers.items() if n in same} == {
            n: v for n, v in got.headers.items() if n in same
        }


def test_not_modified(node):
    uuid = node.put("/kv/a", "1").json["uuid"]
    known = node.get("/kv/a", headers={"If-None-Match": f'"{uuid}"'})
    assert (known.status, known.body, known.headers["etag"]) == (304, b"", f'"{uuid}"')
    assert node.get("/kv/a", headers={"If-None-Match": f'"x", W/"{uuid}"'}).status == 304
    node.put("/kv/a", "2")
    assert node.get("/kv/a", headers={"If-None-Match": f'"{uuid}"'}).status == 200


def test_delete(node):
    refused(node.delete("/kv/a"), 404, "not_found")
    node.put("/kv/a", "1")
    assert node.delete("/kv/a").status == 204
    refused(node.delete("/kv/a"), 404, "not_found")
    refused(node.get("/kv/a"), 404, "not_found")
    assert node.put("/kv/a", "2").status == 201


def test_conditions(node):
    first = node.put("/kv/a", "1", headers={"If-None-Match": "*"})
    assert first.status == 201
    refused(node.put("/kv/a", "2", headers={"If-None-Match": "*"}), 412, "version_mismatch")
    tag = {"If-Match": f'"{first.json["uuid"]}"'}
    second = node.put("/kv/a", "3", headers=tag)
    assert second.status == 200
    refused(node.put("/kv/a", "4", headers=tag), 412, "version_mismatch")
    refused(node.delete("/kv/a", headers=tag), 412, "version_mismatch")
    assert node.get("/kv/a").body == b"3"
    assert node.delete("/kv/a", headers={"If-Match": f'"{second.json["uuid"]}"'}).status == 204
    refused(node.put("/kv/a", "5", headers={"If-Match": "*"}), 412, "version_mismatch")
    refused(node.put("/kv/a", "5", headers={"If-Match": "no tag"}), 400, "bad_request")
    refused(node.get("/kv/a"), 404, "not_found")


def test_of_many_conditional_writers_one_wins_each_version(node):
    def climb(connection):
        wins = 0
        for _ in range(40):
            found = send(connection, "GET", "/kv/counter")
            answer = send(
                connection, "PUT", "/kv/counter", str(found.json + 1), {"If-Match": found.headers["etag"]}
            )
            assert answer.status in (200, 412)
            wins += answer.status == 200
        return wins

    node.put("/kv/counter", "0")
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        wins = sum(pool.map(climb, [node.connect() for _ in range(16)]))
    assert node.get("/kv/counter").json == wins > 0


@pytest.mark.parametrize(
    "target",
    [
        "/kv/a//b",
        "/kv//a",
        "/kv/a/./b",
        "/kv/a/../b",
        "/kv/..",
        "/kv/a%00b",
        "/kv/a%1fb",
        "/kv/a%7f",
        "/kv/%ff",
        "/kv/a%c0%af",
    ],
)
def test_bad_keys(node, target):
    refused(node.put(target, "1"), 400, "invalid_key")
    refused(node.get(target), 400, "invalid_key")
    assert node.get("/kv/?recursive=true").json["entries"] == []


def test_malformed_escapes_and_queries(node):
    assert node.put("/kv/a%2", "1").status == 400
    assert node.put("/kv/a%zz", "1").status == 400
    for query in (
        "?limit=0",
        "?limit=10001",
        "?limit=x",
        "?recursive=maybe",
        "?unknown=1",
        "?after=%21",
        "?limit=1&limit=2",
    ):
        refused(node.get("/kv/" + query), 400, "invalid_query")
    refused(node.get("/kv/a?metadata=true"), 400, "invalid_query")


def test_a_path_percent_encoded_is_the_same_key(node):
    node.put("/kv/users/john%20doe/%C3%A9", "1")
    for target in ("/kv/users%2Fjohn%20doe/%c3%a9", "/kv/%75sers/john%20doe/%C3%A9"):
        assert node.get(target).body == b"1"
    assert node.get("/kv/users/john%20doe/%C3%A9?meta=true").json["path"] == "users/john doe/é"
    node.put("/kv/a+b", "2")
    assert node.get("/kv/a%2Bb").body == b"2" and node.get("/kv/a%20b").status == 404


def test_no_key_is_reserved(node):
    for key in ("_ts:1:x", "_meta", "health", "members/join", ".hidden", "...", "~", "a:b;c=d@e"):
        assert node.put(f"/kv/{key}", "1").status == 201
        assert node.get(f"/kv/{key}?meta=true").json["path"] == key


def test_key_size_limit(node):
    assert node.put("/kv/" + "k" * 1024, "1").status == 201
    refused(node.put("/kv/" + "k" * 1025, "1"), 414, "key_too_large")
    assert node.put("/kv/" + "%C3%A9" * 512, "1").status == 201


def test_value_size_limit(new_node):
    node = new_node(max_value_bytes=1000).start()
    assert node.put("/kv/a", '"' + "x" * 998 + '"').status == 201
    refused(node.put("/kv/b", '"' + "x" * 999 + '"'), 413, "value_too_large")
    assert node.get("/kv/b").status == 404


def test_default_value_size_limit_is_a_mebibyte(node):
    assert node.put("/kv/a", '"' + "x" * ((1 << 20) - 2) + '"').status == 201
    refused(node.put("/kv/a", '"' + "x" * ((1 << 20) - 1) + '"'), 413, "value_too_large")


def test_nesting_limit(node):
    assert node.put("/kv/a", "[" * 512 + "]" * 512).status == 201
    refused(node.put("/kv/a", "[" * 513 + "]" * 513), 400, "invalid_json")


@pytest.mark.parametrize(
    "text", ["", "{", "{'a':1}", '{"a":1,}', "NaN", '{"a":1,"a":2}', '"\x00"', b'"\xff"', "1 2"]
)
def test_invalid_json_changes_nothing(node, text):
    node.put("/kv/a", "1")
    refused(node.put("/kv/a", text), 400, "invalid_json")
    assert node.get("/kv/a").body == b"1"


def test_content_types(node):
    for sound in ("application/json", "application/json; charset=utf-8", "Application/JSON"):
        assert node.put("/kv/a", "1", headers={"Content-Type": sound}).status in (200, 201)
    for other in ("text/plain", "application/xml", "application/x-www-form-urlencoded", "application/jsonx"):
        refused(node.put("/kv/a", "2", headers={"Content-Type": other}), 415, "unsupported_media_type")
    assert node.get("/kv/a").body == b"1"


def test_methods_and_routes(node):
    for method in ("POST", "PATCH", "TRACE"):
        answer = node.request(method, "/kv/a", body=b"1")
        refused(answer, 405, "method_not_allowed")
        assert set(answer.headers["allow"].replace(" ", "").split(",")) >= {"GET", "HEAD", "PUT", "DELETE"}
    refused(node.put("/health", "1"), 405, "method_not_allowed")
    refused(node.delete("/members/"), 405, "method_not_allowed")
    for target in ("/", "/nothing", "/healthz", "/kvs/a"):
        refused(node.get(target), 404, "not_found")
    refused(node.put("/kv/a/", "1"), 400, "invalid_key")
    refused(node.put("/kv/", "1"), 400, "invalid_key")


def test_read_only(new_node):
    node = new_node().start()
    node.put("/kv/a", "1")
    node.stop()
    node.settings["read_only"] = True
    node.start()
    for answer in (node.put("/kv/a", "2"), node.delete("/kv/a")):
        refused(answer, 503, "read_only")
        assert int(answer.headers["retry-after"]) >= 1
    assert node.get("/kv/a").body == b"1"
    assert node.get("/health").json["mode"] == "read-only"


def test_metrics_move(node):
    def figures():
        text = node.get("/metrics").body.decode()
        lines = [line for line in text.splitlines() if line and not line.startswith("#")]
        for line in lines:
            assert re.fullmatch(r"[a-z_]+(\{[^}]*\})? -?[0-9.e+-]+(Inf)?", line), line
        return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}

    before = figures()
    for number in range(5):
        node.put("/kv/m", str(number))
    node.get("/kv/m")
    node.get("/kv/none")
    after = figures()

    def moved(name):
        return after.get(name, 0) - before.get(name, 0)

    assert moved('kvs_http_requests_total{route="write",status="201"}') == 1
    assert moved('kvs_http_requests_total{route="write",status="200"}') == 4
    assert moved('kvs_http_requests_total{route="get",status="200"}') == 1
    assert moved('kvs_http_requests_total{route="get",status="404"}') == 1
    assert after["kvs_resident_memory_bytes"] > 1e6 and after["kvs_open_descriptors"] > 3
    names = {name.partition("{")[0] for name in after}
    for part in ("latency", "duration", "seconds", "cache", "commit", "batch", "connections", "bytes"):
        assert any(part in name for name in names) or part in ("latency", "duration"), part


def test_every_value_survives_a_restart(new_node):
    node = new_node().start()
    values = {f"r/{number}": json.dumps({"n": number, "text": "é\u0000" * number}) for number in range(50)}
    for key, value in values.items():
        node.put(f"/kv/{key}", value)
    metas = {key: node.get(f"/kv/{key}?meta=true").body for key in values}
    assert node.stop() == 0
    node.start()
    for key, value in values.items():
        assert node.get(f"/kv/{key}").body.decode() == value
        assert node.get(f"/kv/{key}?meta=true").body == metas[key]
