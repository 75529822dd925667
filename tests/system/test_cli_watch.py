"""`kvs watch` against real nodes: what it prints, how it ends, and how it goes on."""
import json
import signal
import subprocess

import pytest

from client import Client
from harness import eventually


@pytest.fixture
def client(kvs, node):
    return Client(kvs, node.address)


def start(kvs, node, *arguments):
    return subprocess.Popen(
        [kvs, "watch", *arguments, "--node", node.address],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_lines_of_plain_text(client, node):
    first = node.put("/kv/a/x", '{"n":\n1}').json
    second = node.put("/kv/a/y", "2").json
    out = client.ok("watch", "a/", "--snapshot", "--values", "--limit", "2")
    assert out.splitlines() == [
        "reset\t\t\t",
        f"put\ta/x\t{first['uuid']}\t{first['timestamp']}\t" + '{"n": 1}',
        f"put\ta/y\t{second['uuid']}\t{second['timestamp']}\t2",
    ]


def test_lines_of_json_and_a_cursor_to_go_on(client, node):
    node.put("/kv/a", "1")
    node.put("/kv/b", "2")
    lines = client.ok("watch", "--snapshot", "--limit", "1", "--json").splitlines()
    reset, put = [json.loads(line) for line in lines]
    assert (reset["event"], put["event"], put["path"]) == ("reset", "put", "a")
    lines = client.ok("watch", "--since", "0", "--limit", "2", "--json").splitlines()
    last = json.loads(lines[-1])
    assert last["path"] == "b" and set(last) == {"event", "cursor", "path", "uuid", "timestamp"}


def test_ctrl_c_tells_how_to_go_on(kvs, node):
    process = start(kvs, node, "--json")
    assert json.loads(process.stdout.readline())["event"] == "bookmark"
    node.put("/kv/a", "1")
    assert json.loads(process.stdout.readline())["path"] == "a"
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 130
    eventually(lambda: b"kvs_watchers 0" in node.get("/metrics").body)
    process = start(kvs, node)
    eventually(lambda: b"kvs_watchers 1" in node.get("/metrics").body)
    node.put("/kv/b", "1")
    assert process.stdout.readline().startswith("put\tb\t")
    process.send_signal(signal.SIGINT)
    _, remark = process.communicate(timeout=10)
    cursor = remark.rpartition("--since ")[2].strip()
    node.put("/kv/c", "1")
    again = subprocess.run(
        [kvs, "watch", "--since", cursor, "--limit", "1", "--node", node.address],
        capture_output=True,
        text=True,
        check=True,
        timeout=20,
    )
    assert again.stdout.startswith("put\tc\t")


def test_it_outlives_a_restart_of_the_node(kvs, node):
    process = start(kvs, node, "--json")
    assert json.loads(process.stdout.readline())["event"] == "bookmark"
    node.put("/kv/a", "1")
    assert json.loads(process.stdout.readline())["path"] == "a"
    node.kill()
    node.start()
    node.put("/kv/b", "1")
    event = json.loads(process.stdout.readline())
    while event["event"] in ("bookmark", "end"):
        event = json.loads(process.stdout.readline())
    assert (event["event"], event["path"]) == ("put", "b")
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 143
    process.communicate()


def test_what_is_wrong(kvs, client, node):
    for arguments in (["watch", "a//b"], ["watch", "--since", "x"], ["watch", "--limit", "0"]):
        done = subprocess.run(
            [kvs, *arguments, "--node", node.address], capture_output=True, text=True, check=False, timeout=20
        )
        assert done.returncode == 2 and done.stderr, arguments
    gone = subprocess.run(
        [kvs, "watch", "--node", "127.0.0.1:1"], capture_output=True, text=True, check=False, timeout=20
    )
    assert gone.returncode == 5
