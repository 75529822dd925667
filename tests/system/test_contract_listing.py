"""The contract of listings: children, everything below, pages, order."""
import json
import random
import urllib.parse

import pytest


def put_all(node, keys):
    for key in keys:
        assert node.put("/kv/" + urllib.parse.quote(key), json.dumps(key)).status == 201


def pages(node, target, **options):
    """All entries, page by page."""
    entries, after = [], None
    while True:
        query = urllib.parse.urlencode({**options, **({"after": after} if after else {})})
        answer = node.get(f"{target}?{query}")
        assert answer.status == 200, answer.body
        page = answer.json
        assert len(page["entries"]) <= options.get("limit", 1000)
        entries += page["entries"]
        after = page.get("next")
        if after is None:
            return entries
        assert page["entries"], "a page with a successor is not empty"


def names(entries):
    return [entry["name"] for entry in entries]


def children(keys, path):
    """What the documentation says a listing of `path` shows."""
    shown = set()
    for key in keys:
        if key.startswith(path):
            head, slash, _ = key[len(path) :].partition("/")
            shown.add(head + slash)
    return sorted(shown, key=str.encode)


def test_children_and_values(node):
    put_all(node, ["users/john/profile", "users/john/settings", "users/john", "users/mary", "usersx"])
    listing = node.get("/kv/users/").json
    assert listing["path"] == "users/"
    assert names(listing["entries"]) == ["john", "john/", "mary"]
    assert "uuid" in listing["entries"][0] and "uuid" not in listing["entries"][1]
    assert "next" not in listing
    assert names(node.get("/kv/").json["entries"]) == ["users/", "usersx"]
    below = node.get("/kv/users/?recursive=true&values=true").json["entries"]
    assert [(e["name"], e["data"]) for e in below] == [
        ("john", "users/john"),
        ("john/profile", "users/john/profile"),
        ("john/settings", "users/john/settings"),
        ("mary", "users/mary"),
    ]
    meta = node.get("/kv/users/mary?meta=true").json
    assert below[-1] == {
        "name": "mary",
        "uuid": meta["uuid"],
        "timestamp": meta["timestamp"],
        "data": "users/mary",
    }


def test_nothing_below_is_an_empty_listing(node):
    answer = node.get("/kv/nothing/here/")
    assert (answer.status, answer.json) == (200, {"path": "nothing/here/", "entries": []})


def test_deleted_keys_do_not_show_nor_do_their_folders(node):
    put_all(node, ["a/b/c", "a/d"])
    node.delete("/kv/a/b/c")
    assert names(node.get("/kv/a/").json["entries"]) == ["d"]
    assert names(node.get("/kv/a/?recursive=true").json["entries"]) == ["d"]


@pytest.mark.parametrize("seed", range(3))
def test_random_trees_page_by_page(node, seed):
    rng = random.Random(seed)
    parts = ["a", "b", "a-b", "a.b", "aé", "é", "a b", "A", "a%", "a+", "~", "_", "zz", "a!"]
    keys = {"/".join(rng.choice(parts) for _ in range(rng.randint(1, 4))) for _ in range(400)}
    put_all(node, keys)
    for path in ("", "a/", "a/b/", "é/", "a b/"):
        target = "/kv/" + urllib.parse.quote(path)
        for limit in (1, 7, 1000):
            assert names(pages(node, target, limit=limit)) == children(keys, path)
            below = sorted((k[len(path) :] for k in keys if k.startswith(path)), key=str.encode)
            assert names(pages(node, target, limit=limit, recursive="true")) == below


def test_five_thousand_keys_in_order(node):
    connection = node.connect()
    for number in range(5000):
        connection.request("PUT", f"/kv/many/{number:05}", body=str(number))
        connection.getresponse().read()
    entries = pages(node, "/kv/many/", limit=777, values="true")
    assert [entry["data"] for entry in entries] == list(range(5000))
    assert len(node.get("/kv/many/").json["entries"]) == 1000
    assert len(node.get("/kv/many/?limit=10000").json["entries"]) == 5000


def test_large_values_stream(node):
    for number in range(20):
        node.put(f"/kv/big/{number:02}", json.dumps(str(number) * 400_000))
    entries = node.get("/kv/big/?values=true", timeout=60).json["entries"]
    assert [entry["data"][0] for entry in entries] == [str(number)[0] for number in range(20)]
