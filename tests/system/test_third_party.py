"""Third-party data over the wire: the JSON suite and the naughty strings, against the real binary."""
import json
import pathlib
import urllib.parse

from harness import send

DATA = pathlib.Path(__file__).resolve().parents[1] / "data"


# The suite calls these sound; KVS refuses a key that stands twice in an object (docs/api.md).
REFUSED = {"y_object_duplicated_key.json", "y_object_duplicated_key_and_value.json"}


def test_json_suite(node):
    connection, counts = node.connect(), {"y": 0, "n": 0, "i": 0}
    for path in sorted((DATA / "json-test-suite" / "test_parsing").iterdir()):
        text, kind = path.read_bytes(), path.name[0]
        target = "/kv/json/" + urllib.parse.quote(path.name)
        answer = send(connection, "PUT", target, text)
        accepted = answer.status == 201
        assert accepted or (answer.status, answer.code) == (400, "invalid_json"), (path.name, answer)
        assert kind == "i" or accepted == (kind == "y" and path.name not in REFUSED), path.name
        found = send(connection, "GET", target)
        assert (found.status, found.body) == (200, text) if accepted else found.status == 404, path.name
        counts[kind] += 1
    sound, malformed, undecided = counts["y"], counts["n"], counts["i"]
    print(
        f"JSON suite: {sound} sound but for {len(REFUSED)} with doubled keys, {malformed} malformed, {undecided} frozen"
    )
    assert counts["y"] + counts["n"] == 283 and counts["i"] == 35


def may_be_key(text):
    """The rule of keys, written again."""
    raw = text.encode("utf-8", "surrogatepass")
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    if any(ord(c) < 0x20 or ord(c) == 0x7F for c in text) or len(raw) > 1024:
        return False
    return all(part not in ("", ".", "..") for part in text.split("/"))


def test_naughty_strings(node):
    strings = json.loads((DATA / "naughty-strings" / "blns.json").read_text())
    connection, keys = node.connect(), 0
    for number, text in enumerate(strings):
        value = json.dumps(text, ensure_ascii=number % 2 == 0).encode("utf-8", "surrogatepass")
        target = f"/kv/value/{number}"
        assert send(connection, "PUT", target, value).status == 201, text
        assert send(connection, "GET", target).body == value, text
        if not may_be_key(text):
            continue
        keys += 1
        target = "/kv/" + urllib.parse.quote("naughty/" + text)
        assert send(connection, "PUT", target, str(number)).status in (200, 201), text
        assert send(connection, "GET", target + "?meta=true").json["path"] == "naughty/" + text
    print(f"{len(strings)} naughty strings as values, {keys} of them as keys")
    assert len(strings) == 515 and keys > 400


def test_naughty_strings_that_are_no_keys(node):
    strings = json.loads((DATA / "naughty-strings" / "blns.json").read_text())
    connection = node.connect()
    for text in strings:
        if may_be_key(text):
            continue
        answer = send(connection, "PUT", "/kv/" + urllib.parse.quote("x/" + text), "1")
        assert answer.status == 400 and answer.code == "invalid_key", (text, answer)
    assert send(connection, "GET", "/kv/?recursive=true").json["entries"] == []
