"""The examples of the documented system give the documented answers."""


def test_store_retrieve_delete(node):
    profile = b'{"name":"John Doe","age":30,"email":"john@example.com"}'
    stored = node.put("/kv/users/john/profile", profile, headers={"Content-Type": "application/json"})
    assert stored.status == 201
    assert set(stored.json) == {"uuid", "timestamp"}
    assert len(stored.json["uuid"]) == 36 and stored.json["timestamp"] > 1_600_000_000_000

    found = node.get("/kv/users/john/profile")
    assert (found.status, found.body) == (200, profile)

    gone = node.delete("/kv/users/john/profile")
    assert (gone.status, gone.body) == (204, b"")
    assert node.get("/kv/users/john/profile").status == 404


def test_members(node):
    answer = node.get("/members/")
    assert answer.status == 200
    (member,) = answer.json
    assert member["id"] == "node-alpha"
    assert member["address"] == f"127.0.0.1:{node.port}"
    assert member["last_seen"] >= member["joined_timestamp"] > 1_600_000_000_000


def test_health(node):
    answer = node.get("/health")
    assert answer.status == 200
    assert (
        answer.json.items()
        >= {"status": "ok", "mode": "normal", "member_count": 1, "node_id": "node-alpha"}.items()
    )
