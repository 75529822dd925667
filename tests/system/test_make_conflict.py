"""`kvs make-conflict`, and the three nodes of examples/."""
import os
import pathlib
import re
import signal
import socket
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
KEYS = 300


def make_conflict(kvs, *arguments):
    return subprocess.run(
        [kvs, "make-conflict", *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False
    )


def contents(node):
    """Every made key with its value, its timestamp and its uuid."""
    found = {}
    for number in range(1, KEYS + 1):
        answer = node.get(f"/kv/conflict/{number}?meta=true")
        assert answer.status == 200, answer
        found[number] = answer.json
    return found


def test_each_folder_alone_shows_its_own_values_with_equal_timestamps(kvs, new_node, tmp_path):
    folders = [tmp_path / "first", tmp_path / "second"]
    result = make_conflict(kvs, *folders, "--keys", KEYS)
    assert result.returncode == 0, result
    shown = []
    for name, folder in zip(("first", "second"), folders):
        node = new_node(node_id=name, data_dir=str(folder)).start()
        shown.append(contents(node))
        assert node.stop() == 0
    first, second = shown
    for number in range(1, KEYS + 1):
        mine, theirs = first[number], second[number]
        assert mine["data"] == {"writer": "first", "number": number}
        assert theirs["data"] == {"writer": "second", "number": number}
        assert mine["timestamp"] == theirs["timestamp"]
        assert mine["uuid"] != theirs["uuid"]


def test_a_write_replaces_the_value_that_was_made(kvs, new_node, tmp_path):
    assert make_conflict(kvs, tmp_path / "first", tmp_path / "second").returncode == 0
    node = new_node(data_dir=str(tmp_path / "first")).start()
    assert node.put("/kv/conflict/1", {"mine": True}).status == 200
    node.kill()
    assert node.start().get("/kv/conflict/1").json == {"mine": True}


def test_says_what_to_start_next(kvs, tmp_path):
    result = make_conflict(kvs, tmp_path / "first", tmp_path / "second")
    for line in result.stdout.splitlines():
        if match := re.fullmatch(r"  KVS_NODE_ID=\w+ .*KVS_DATA_DIR=(\S+) .*kvs", line):
            assert pathlib.Path(match[1]).is_dir()
    assert len(re.findall(r"KVS_DATA_DIR=", result.stdout)) == 2


def test_folders_with_content_are_left_alone(kvs, tmp_path):
    (tmp_path / "second").mkdir()
    (tmp_path / "second" / "mine").write_text("x")
    result = make_conflict(kvs, tmp_path / "first", tmp_path / "second")
    assert result.returncode == 1
    assert result.stderr.startswith("kvs: ") and "not an empty folder" in result.stderr
    assert not (tmp_path / "first").exists()
    assert (tmp_path / "second" / "mine").read_text() == "x"


def ports_in_use():
    for port in (8081, 8082, 8083):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return True
    return False


def test_the_three_nodes_of_the_examples_start_and_end(kvs, tmp_path):
    if ports_in_use():
        pytest.skip("a port of the examples, 8081 to 8083, is in use")
    script = ROOT / "examples" / "three-nodes"
    environment = {**os.environ, "KVS": str(kvs), "THREE_NODES_DIR": str(tmp_path / "nodes")}
    process = subprocess.Popen([script], env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert "8081, 8082 and 8083" in process.stdout.readline()
        pids = [int((tmp_path / "nodes" / f"node{n}.pid").read_text()) for n in (1, 2, 3)]
        again = subprocess.run([script], env=environment, capture_output=True, text=True, timeout=20, check=False)
        assert again.returncode == 1 and "runs already" in again.stderr
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGTERM)  # impatience leaves no node behind
        assert process.wait(timeout=30) == 143
    finally:
        subprocess.run([script, "stop"], env=environment, timeout=30, check=True)
        process.kill()
        process.wait()
    assert not any(pathlib.Path(f"/proc/{pid}").exists() for pid in pids)
