"""Watches of one node: events, cursors, snapshots, long polling, limits, the end of the process."""
import json
import socket
import threading
import time

import pytest

from harness import eventually
from watch_stream import Stream


def metric(node, name):
    """The value of a metric without labels."""
    for line in node.get("/metrics").body.decode().splitlines():
        if line.startswith(name + " "):
            return float(line.split()[1])
    raise AssertionError(f"there is no {name}")


def put_many(node, items):
    """Pipelined writes; each was taken."""
    with socket.create_connection((node.host, node.port), timeout=60) as client:
        answers = client.makefile("rb")
        for begin in range(0, len(items), 100):
            part = items[begin : begin + 100]
            client.sendall(
                "".join(
                    f"PUT {target} HTTP/1.1\r\nHost: a\r\nContent-Length: {len(value)}\r\n\r\n{value}"
                    for target, value in part
                ).encode()
            )
            for _ in part:
                assert answers.readline().split()[1] in (b"200", b"201")
                length = 0
                while (line := answers.readline()) != b"\r\n":
                    if line.lower().startswith(b"content-length:"):
                        length = int(line.split(b":")[1])
                answers.read(length)


def following(node, target="/kv/?watch=true", **fields):
    """A stream that has told its first bookmark."""
    stream = Stream(node.port, target, **fields)
    assert stream.next().kind == "bookmark"
    return stream


def test_changes_below_a_path_come_as_events(node):
    node.put("/kv/a/old", "1")
    stream = Stream(node.port, "/kv/a/?watch=true&snapshot=true")
    assert [event.kind for event in stream.until("bookmark")] == ["reset", "put"]
    assert stream.headers["content-type"] == "text/event-stream"
    assert stream.headers["cache-control"] == "no-store"
    written = node.put("/kv/a/x", '{"n":1}').json
    node.put("/kv/b/x", "1")
    node.put("/kv/a", "1")
    node.delete("/kv/a/old")
    put, deleted = stream.next(), stream.next()
    assert (put.kind, put.data) == ("put", {"path": "a/x", **written})
    assert deleted.kind == "delete" and deleted.data["path"] == "a/old"
    assert set(deleted.data) == {"path", "uuid", "timestamp"}
    assert put.id and deleted.id and put.id != deleted.id


@pytest.mark.parametrize("text", ['{"a": [1,\n 2]}', "\r\n17\r", "0", '"\\n"', " [] "])
def test_values_come_if_asked_for(node, text):
    stream = following(node, "/kv/?watch=true&values=true")
    node.put("/kv/v", text)
    event = stream.next()
    assert event.data["data"] == json.loads(text)
    assert set(event.data) == {"path", "uuid", "timestamp", "data"}


def test_a_snapshot_first(node):
    node.put("/kv/a/1", "1")
    node.put("/kv/a/2", "2")
    node.delete("/kv/a/1")
    for target in ("/kv/a/?watch=true&snapshot=true", "/kv/a/?watch=true&since=0"):
        stream = Stream(node.port, target)
        kinds = [stream.next() for _ in range(3)]
        assert [event.kind for event in kinds] == ["reset", "put", "bookmark"]
        assert kinds[1].data["path"] == "a/2"
        stream.close()


def test_a_stream_goes_on_at_any_of_its_events(node):
    stream = following(node)
    for i in range(20):
        node.put(f"/kv/k{i}", str(i))
    events = [stream.next() for _ in range(20)]
    assert [event.data["path"] for event in events] == [f"k{i}" for i in range(20)]
    for i in (0, 7, 19):
        for again in (
            Stream(node.port, "/kv/?watch=true", last_event_id=events[i].id),
            Stream(node.port, f"/kv/?watch=true&since={events[i].id}"),
        ):
            rest = [again.next() for _ in range(20 - i)]
            assert [e.data.get("path") for e in rest] == [f"k{n}" for n in range(i + 1, 20)] + [None]
            assert rest[-1].kind == "bookmark"
            again.close()


def test_a_stream_goes_on_after_a_kill(node):
    stream = following(node)
    node.put("/kv/a", "1")
    node.put("/kv/gone", "1")
    seen = [stream.next(), stream.next()]
    node.put("/kv/a", "2")
    node.delete("/kv/gone")
    node.put("/kv/b", "3")
    node.kill()
    node.start()
    again = Stream(node.port, "/kv/?watch=true", last_event_id=seen[-1].id)
    told = {}
    for event in again.until("bookmark"):
        assert event.kind in ("put", "delete")
        told[event.data["path"]] = event.kind
    assert told == {"a": "put", "b": "put", "gone": "delete"}


def test_a_cursor_belongs_to_its_path(node):
    stream = following(node, "/kv/a/?watch=true")
    node.put("/kv/a/x", "1")
    cursor = stream.next().id
    for target in ("/kv/?watch=true", "/kv/a/x/?watch=true"):
        answer = node.request("GET", target, headers={"Last-Event-ID": cursor})
        assert (answer.status, answer.code) == (400, "invalid_query")


@pytest.mark.parametrize(
    "query",
    [
        "watch=yes",
        "watch=true&since=%00",
        "watch=true&since=abc",
        "watch=true&wait=-1",
        "watch=true&wait=301",
        "watch=true&wait=1.5",
        "watch=true&recursive=true",
        "watch=true&limit=5",
        "watch=true&after=eA",
        "watch=true&snapshot=1",
        "since=0",
        "wait=1",
        "snapshot=true",
        "watch=true&watch=true",
    ],
)
def test_what_is_no_watch_is_refused(node, query):
    answer = node.get(f"/kv/?{query}")
    assert (answer.status, answer.code) == (400, "invalid_query"), answer.body


def test_head_and_an_older_client(node):
    head = node.request("HEAD", "/kv/?watch=true")
    assert head.status == 200 and head.headers["content-type"] == "text/event-stream"
    with socket.create_connection(("127.0.0.1", node.port)) as client:
        client.sendall(b"GET /kv/?watch=true HTTP/1.0\r\nHost: a\r\n\r\n")
        text = b""
        while b"event: bookmark" not in text:
            piece = client.recv(4096)
            assert piece
            text += piece
        assert b"chunked" not in text.lower()


def test_long_polling(node):
    now = node.get("/kv/?watch=true&wait=30").json
    assert now["events"] == [] and now["cursor"]
    node.put("/kv/a", "1")
    answer = node.get(f"/kv/?watch=true&wait=30&since={now['cursor']}").json
    assert [event["path"] for event in answer["events"]] == ["a"]
    quiet = node.get(f"/kv/?watch=true&wait=0&since={answer['cursor']}").json
    assert quiet["events"] == [] and quiet["cursor"]

    waiting = threading.Timer(0.2, lambda: node.put("/kv/b", '{"x":1}'))
    waiting.start()
    answer = node.get(f"/kv/?watch=true&wait=30&values=true&since={quiet['cursor']}").json
    waiting.join()
    (event,) = answer["events"]
    assert (event["event"], event["path"], event["data"]) == ("put", "b", {"x": 1})
    node.delete("/kv/b")
    answer = node.get(f"/kv/?watch=true&wait=30&since={answer['cursor']}").json
    assert [(e["event"], e["path"]) for e in answer["events"]] == [("delete", "b")]

    everything = node.get("/kv/?watch=true&wait=30&since=0").json
    assert [e["event"] for e in everything["events"]] == ["reset", "put"]
    assert everything["events"][1]["path"] == "a"


def test_long_polling_in_bites(node):
    cursor = node.get("/kv/?watch=true&wait=1").json["cursor"]
    for i in range(1500):
        node.put(f"/kv/k{i:04}", "1")
    paths = []
    while len(paths) < 1500:
        answer = node.get(f"/kv/?watch=true&wait=5&since={cursor}").json
        assert 0 < len(answer["events"]) <= 1000
        paths += [event["path"] for event in answer["events"]]
        cursor = answer["cursor"]
    assert paths == [f"k{i:04}" for i in range(1500)]


def test_a_reader_that_lags_too_far_is_told_and_goes_on(node):
    stream = Stream(node.port, "/kv/?watch=true", buffer=4096)
    path = f"many/{'p' * 200}"
    put_many(node, [(f"/kv/{path}/{i:05}", "1") for i in range(40_000)])
    latest, ended = None, None
    for event in stream:
        latest = event.id or latest
        ended = event.data["reason"] if event.kind == "end" else None
    assert ended == "slow" and stream.complete
    again = Stream(node.port, "/kv/?watch=true", last_event_id=latest)
    told = [event.data["path"] for event in again.until("bookmark")]
    assert told[-1] == f"{path}/39999" and len(told) == len(set(told))


def test_sigterm_ends_streams_in_good_order(node):
    streams = [following(node) for _ in range(5)]
    begun = time.monotonic()
    node.stop()
    assert time.monotonic() - begun < 5
    for stream in streams:
        assert stream.next().data == {"reason": "shutdown"}
        assert stream.next() is None and stream.complete


def test_a_client_that_is_gone_is_noticed(node):
    streams = [following(node) for _ in range(3)]
    assert metric(node, "kvs_watchers") == 3
    for stream in streams:
        stream.close()
    eventually(lambda: metric(node, "kvs_watchers") == 0, 10)
    assert metric(node, "kvs_watches_total") == 3


def test_an_idle_stream_outlives_the_idle_timeout(new_node):
    node = new_node(idle_timeout=1).start()
    stream = following(node)
    assert stream.silent_for(3)
    node.put("/kv/a", "1")
    assert stream.next().kind == "put"


def test_many_watchers_each_hear_of_their_own(node):
    streams = [following(node, f"/kv/w{i}/?watch=true") for i in range(100)]
    for i in range(100):
        node.put(f"/kv/w{i}/k", str(i))
    for i, stream in enumerate(streams):
        assert stream.next().data["path"] == f"w{i}/k"
