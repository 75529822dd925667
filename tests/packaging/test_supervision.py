"""A node under a supervisor: readiness, signs of life, the end. The supervisor is played by the test; the command
is the unit's."""
import os
import shlex
import signal
import subprocess

import pytest

import unit_file
from harness import eventually
from stopped_thread import stopped_thread, threads
from supervisor import NotifySocket

WATCHDOG_SECONDS = 2.0


@pytest.fixture
def notify_socket(tmp_path):
    made = NotifySocket(tmp_path)
    yield made
    made.close()


def environment(notify_socket, watchdog=WATCHDOG_SECONDS):
    return {
        **os.environ,
        "NOTIFY_SOCKET": str(notify_socket.path),
        "WATCHDOG_USEC": str(int(watchdog * 1_000_000)),
    }


def test_tells_that_it_is_ready_when_it_answers(new_node, notify_socket):
    node = new_node().spawn(env=environment(notify_socket))
    seen = notify_socket.wait_for("READY")
    assert node.get("/health").status == 200  # at once, without another try
    assert seen[0] == {"STATUS": "opening the data folder"}
    assert seen[-1]["READY"] == "1"
    assert seen[-1]["STATUS"] == f"node-alpha at 127.0.0.1:{node.port}: normal, 1 live member"


def test_tells_that_it_lives_often_enough_and_that_it_ends(new_node, notify_socket):
    node = new_node().spawn(env=environment(notify_socket))
    notify_socket.wait_for("READY")
    for _ in range(4):
        message = notify_socket.receive(WATCHDOG_SECONDS)
        assert message is not None and message["WATCHDOG"] == "1" and "READY" not in message
    assert node.stop() == 0
    last = notify_socket.wait_for("STOPPING")
    assert last[-1]["STOPPING"] == "1"
    assert notify_socket.receive(0.1) is None


def test_a_node_that_leaves_ends_in_good_order(new_node, notify_socket):
    node = new_node().spawn(env=environment(notify_socket))
    notify_socket.wait_for("READY")
    assert node.request("POST", "/members/leave").status == 200
    notify_socket.wait_for("STOPPING")
    assert node.process.wait(20) == 0


def signs_end(notify_socket):
    """Whether no more come: those that were on their way are taken first."""
    while notify_socket.receive(0) is not None:
        pass
    notify_socket.receive(0.3)  # of a round that had passed the thread already
    return notify_socket.receive(1) is None and notify_socket.receive(0.5) is None


def test_any_thread_that_hangs_silences_it(new_node, notify_socket):
    """Each thread that has to take turns is stopped alone; the others go on."""
    node = new_node(threads=2).spawn(env=environment(notify_socket, watchdog=0.4))
    notify_socket.wait_for("READY")
    silenced = []
    for thread in threads(node.process.pid):
        try:
            with stopped_thread(thread):
                if signs_end(notify_socket):
                    silenced.append(thread)
        except PermissionError:
            pytest.skip("this machine does not let a process be traced")
        notify_socket.wait_for("WATCHDOG")  # it goes on
    # Two doors, the links and the node; and the first thread, which asks them. Not those that write the log or wait
    # for the disk.
    assert len(silenced) == 5 and silenced[0] == node.process.pid
    assert node.stop() == 0


def test_no_supervisor_is_no_harm(new_node, tmp_path):
    nowhere = {**os.environ, "NOTIFY_SOCKET": str(tmp_path / "nobody"), "WATCHDOG_USEC": "1000000"}
    node = new_node().start(env=nowhere)
    assert node.put("/kv/a", "1").status == 201
    assert node.stop() == 0


def test_sighup_does_not_end_it_or_stop_its_signs_of_life(new_node, notify_socket, tmp_path):
    node = new_node(log_file=str(tmp_path / "log.json")).spawn(env=environment(notify_socket))
    notify_socket.wait_for("READY")
    (tmp_path / "log.json").rename(tmp_path / "log.json.1")
    node.process.send_signal(signal.SIGHUP)
    eventually((tmp_path / "log.json").exists)
    assert notify_socket.receive(WATCHDOG_SECONDS)["WATCHDOG"] == "1"
    assert node.stop() == 0


def test_the_unit_is_what_the_node_expects():
    assert shlex.split(unit_file.setting("ExecStart")) == ["/usr/bin/kvs", "/etc/kvs/config.yaml"]
    assert unit_file.setting("Type") == "notify" and unit_file.setting("NotifyAccess") == "main"
    assert unit_file.setting("User") == unit_file.setting("Group") == "kvs"
    # 10 s for requests that have begun (docs/operations.md), and what they wrote goes to the disk.
    assert unit_file.seconds(unit_file.setting("TimeoutStopSec")) >= 30
    assert unit_file.seconds(unit_file.setting("WatchdogSec")) >= 30


def test_systemd_understands_the_unit(kvs, tmp_path):
    try:
        subprocess.run(["systemd-analyze", "--version"], capture_output=True, check=True, timeout=20)
    except OSError:
        pytest.skip("no systemd-analyze here")
    unit = tmp_path / "kvs.service"
    documentation = unit_file.setting("Documentation", "Unit")
    text = unit_file.UNIT.read_text().replace("/usr/bin/kvs", str(kvs)).replace(documentation, "file:///dev/null")
    unit.write_text(text)
    verified = subprocess.run(
        ["systemd-analyze", "verify", unit], capture_output=True, text=True, timeout=60, check=False
    )
    ours = [line for line in verified.stderr.splitlines() if "kvs" in line]
    assert verified.returncode == 0 and not ours, verified
    exposure = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--threshold=15", unit],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert exposure.returncode == 0, exposure.stdout.splitlines()[-1]
