"""The process: configuration, start, refusals, signals, logs."""
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import threading

import pytest

from harness import Node, free_port
from ledger import Load


def run(kvs, *arguments, folder, environment=None, timeout=20):
    return subprocess.run(
        [kvs, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=timeout,
        env={**os.environ, **(environment or {})},
        check=False,
    )


def tree(folder):
    """Every file below with its content."""
    return {p.relative_to(folder): p.read_bytes() for p in pathlib.Path(folder).rglob("*") if p.is_file()}


def one_line(result, *words):
    """The process refused to start, with one line that says what to do."""
    assert result.returncode == 1, result
    lines = result.stderr.strip().splitlines()
    lines = [line for line in lines if not line.startswith("{")]
    assert len(lines) == 1 and lines[0].startswith("kvs: "), lines
    for word in words:
        assert word in lines[0], lines
    return True


def test_help_and_version(kvs, tmp_path):
    assert "CONFIG.yaml" in run(kvs, "--help", folder=tmp_path).stdout
    assert run(kvs, "--version", folder=tmp_path).stdout.startswith("kvs 0.")
    assert run(kvs, "--nonsense", folder=tmp_path).returncode == 2


def test_first_start_writes_the_default_configuration(kvs, tmp_path):
    port = free_port()
    process = subprocess.Popen(
        [kvs], cwd=tmp_path, env={**os.environ, "KVS_PORT": str(port)}, stderr=subprocess.DEVNULL
    )
    try:
        node = Node(kvs, tmp_path, {"port": port})
        node.process = process
        node.wait_until_ready()
        text = (tmp_path / "config.yaml").read_text()
        for key in (
            "node_id",
            "bind_address",
            "seed_nodes",
            "gossip_interval_min",
            "fetch_delay_ms",
            "durability",
        ):
            assert f"\n{key}:" in "\n" + text
        assert (tmp_path / "data").is_dir()
        assert node.stop() == 0
    finally:
        process.kill()
        process.wait()
    assert run(kvs, "check", "config.yaml", folder=tmp_path).returncode == 0


def test_a_bad_configuration_touches_nothing(kvs, tmp_path):
    (tmp_path / "bad.yaml").write_text("prot: 8080\ndata_dir: ./data\n")
    before = tree(tmp_path)
    assert one_line(run(kvs, "bad.yaml", folder=tmp_path), "bad.yaml", "prot", "port", "1")
    assert tree(tmp_path) == before and not (tmp_path / "data").exists()
    assert one_line(run(kvs, "none.yaml", folder=tmp_path), "none.yaml")


def test_a_port_in_use_touches_nothing(new_node):
    first = new_node().start()
    second = new_node(port=first.port)
    assert one_line(run(second.binary, second.write_config(), folder=second.folder), str(first.port))
    assert not second.data_dir.exists()
    assert first.get("/health").status == 200


def test_a_data_folder_in_use_is_refused(new_node):
    first = new_node().start()
    first.put("/kv/a", "1")
    second = new_node(data_dir=str(first.data_dir))
    assert one_line(run(second.binary, second.write_config(), folder=second.folder), str(first.data_dir))
    assert first.put("/kv/a", "2").status == 200


def test_a_foreign_folder_is_refused(new_node):
    node = new_node()
    node.data_dir.mkdir()
    (node.data_dir / "letter.txt").write_text("dear")
    assert one_line(run(node.binary, node.write_config(), folder=node.folder), str(node.data_dir))
    assert tree(node.data_dir) == {pathlib.Path("letter.txt"): b"dear"}


def test_a_newer_format_is_refused_and_left_alone(new_node):
    node = new_node().start()
    node.put("/kv/a", "1")
    node.stop()
    sound = (node.data_dir / "FORMAT").read_text()
    (node.data_dir / "FORMAT").write_text("".join("99" if c.isdigit() else c for c in sound))
    before = tree(node.data_dir)
    assert one_line(run(node.binary, node.write_config(), folder=node.folder), "newer")
    assert tree(node.data_dir) == before
    (node.data_dir / "FORMAT").write_text(sound)
    assert node.start().get("/kv/a").body == b"1"


def test_a_folder_without_rights_is_refused(kvs):
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("needs root and setpriv to give up rights")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        shutil.copy(kvs, folder / "kvs")
        node = Node(folder / "kvs", folder, {})
        node.write_config()
        os.chmod(folder, 0o755)
        nobody = ["--reuid=65534", "--regid=65534", "--clear-groups"]
        result = run("setpriv", *nobody, folder / "kvs", "config.yaml", folder=folder)
        assert one_line(result, str(node.data_dir))
        assert not node.data_dir.exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_orderly_end_under_load_loses_nothing(new_node, number):
    node = new_node(durability="os")
    node.start()
    load = Load(node)
    load.start()
    load.wait_for(300)
    assert node.stop(number) == 0
    load.finish()
    load.again()
    node.start()
    load.check()


def test_requests_under_way_are_finished(node):
    body = b'"' + b"x" * 1000 + b'"'
    with socket.create_connection(("127.0.0.1", node.port), timeout=10) as sock:
        sock.sendall(b"PUT /kv/a HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body) + body[:500])
        ready = node.get("/health")
        assert ready.status == 200
        node.process.send_signal(signal.SIGTERM)
        while True:  # until it has stopped accepting
            try:
                socket.create_connection(("127.0.0.1", node.port), timeout=1).close()
            except OSError:
                break
        sock.sendall(body[500:])
        answer = sock.recv(1000)
    assert answer.startswith(b"HTTP/1.1 201 ") and b"connection: close" in answer.lower()
    assert node.process.wait(20) == 0


def test_a_second_signal_ends_at_once(node):
    with socket.create_connection(("127.0.0.1", node.port), timeout=10) as sock:
        sock.sendall(b"PUT /kv/a HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n1")
        assert node.get("/health").status == 200
        node.process.send_signal(signal.SIGTERM)
        with pytest.raises(subprocess.TimeoutExpired):
            node.process.wait(0.5)
        node.process.send_signal(signal.SIGTERM)
        assert node.process.wait(5) != 0


def test_logs_are_json_lines_and_reopened_on_sighup(new_node, tmp_path):
    log = tmp_path / "kvs.log"
    node = new_node(log_file=str(log), log_level="debug").start()
    moved = tmp_path / "kvs.log.1"
    log.rename(moved)
    node.process.send_signal(signal.SIGHUP)
    waiting = threading.Event()
    for _ in range(200):
        if log.exists():
            break
        waiting.wait(0.05)
    assert log.exists()
    assert node.stop() == 0
    for file in (moved, log):
        for line in file.read_text().splitlines():
            assert json.loads(line).keys() >= {"time", "level", "msg"}
    assert "ended" in log.read_text() and "ended" not in moved.read_text()


@pytest.mark.parametrize("address", ["::1", "localhost"])
def test_other_kinds_of_addresses(new_node, address):
    node = new_node(bind_address=address).spawn()
    target = "::1" if address == "::1" else "127.0.0.1"
    waiting = threading.Event()
    for _ in range(200):
        try:
            with socket.create_connection((target, node.port), timeout=5) as sock:
                sock.sendall(b"GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                assert sock.recv(100).startswith(b"HTTP/1.1 200")
                break
        except OSError as reason:
            if target == "::1" and not pathlib.Path("/proc/net/if_inet6").exists():
                pytest.skip(f"this machine has no IPv6: {reason}")
            waiting.wait(0.05)
    else:
        raise AssertionError(node.log())
    assert node.stop() == 0


def test_the_environment_overrides_the_file(new_node):
    node = new_node()
    other = free_port()
    node.spawn(env={**os.environ, "KVS_PORT": str(other), "KVS_NODE_ID": "from-environment"})
    node.port = other
    node.wait_until_ready()
    assert node.get("/health").json["node_id"] == "from-environment"
