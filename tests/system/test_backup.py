"""`kvs backup` and `kvs restore`: what was acknowledged before is in it, and nothing half made looks whole."""
import json
import os
import random
import shutil
import signal
import subprocess
import threading

import pytest

from client import Client
from harness import Node
from ledger import Load
from small_disk import fill, small_disk  # noqa: F401 - a fixture

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def backed(new_node, tmp_path, kvs):
    """Makes a node with a backup_folder, its client, and the folder."""

    def make(**settings):
        backups = tmp_path / "backups"
        node = new_node(**{"backup_folder": str(backups), "durability": "os", **settings}).start()
        return node, Client(kvs, node.address), backups

    return make


def order(node, name, **options):
    return node.request("POST", "/backup", json.dumps({"name": name}), headers=JSON, timeout=60, **options)


def restored_node(new_node, client, backup):
    """A node on a folder that was made of a backup."""
    node = new_node()
    client.ok("restore", backup, node.data_dir, timeout=120)
    return node.start()


def values_of(node, histories):
    found = {}
    for history in histories:
        answer = node.get(f"/kv/{history.key}")
        assert answer.status in (200, 404), (history.key, answer)
        found[history.key] = answer.body.decode() if answer.status == 200 else None
    return found


def last_acknowledged(history):
    return max(i for i, attempt in enumerate(list(history.attempts)) if attempt.acknowledged)


@pytest.mark.parametrize("durability", ["sync", "os"])
def test_a_backup_under_load_holds_what_was_acknowledged_before_it(backed, new_node, durability):
    node, client, backups = backed(durability=durability)
    load = Load(node, clients=6, pad=3000)
    histories = [history for one in load.clients for history in one.histories]
    marks = []
    load.start()
    for number in range(4):
        load.wait_for(400)
        before = {history.key: last_acknowledged(history) for history in histories}
        assert client.ok("backup", f"b{number}").strip() == str(backups / f"b{number}")
        marks.append((before, {history.key: len(history.attempts) for history in histories}))
    load.wait_for(200)
    load.finish()
    for number, (before, after) in enumerate(marks):
        restored = restored_node(new_node, client, backups / f"b{number}")
        seen = values_of(restored, histories)
        for history in histories:
            possible = [attempt.value for attempt in history.attempts[before[history.key] : after[history.key]]]
            assert seen[history.key] in possible, (number, history.key, seen[history.key], possible)
        assert '"level":"error"' not in restored.log()
        restored.destroy()
    load.check()


def test_a_deletion_before_the_backup_stays_one(backed, new_node):
    node, client, backups = backed()
    node.put("/kv/a", "1")
    node.put("/kv/b", "2")
    node.delete("/kv/a")
    told = client.json("backup", "b")
    assert told["path"] == str(backups / "b") and told["bytes"] > 0
    node.delete("/kv/b")
    target = backups.parent / "restored"
    said = client.json("restore", backups / "b", target)
    assert (said["records"], said["tombstones"], said["id"]) == (1, 1, told["id"])
    again = new_node(data_dir=str(target)).start()
    assert again.get("/kv/a").status == 404 and again.get("/kv/b").body == b"2"
    assert again.put("/kv/a", "3").status == 201


def test_a_node_that_is_killed_meanwhile_leaves_nothing_that_looks_whole(backed, new_node):
    node, client, backups = backed()
    load = Load(node, pad=20_000)
    chance = random.Random(4)
    whole = 0
    for number in range(25):
        load.start()
        load.wait_for(60)
        asking = threading.Thread(target=lambda number=number: ask_and_forget(node, f"b{number}"))
        asking.start()
        asking.join(chance.uniform(0, 0.03))
        node.kill()
        asking.join(20)
        load.finish()
        load.again()
        for found in os.listdir(backups) if backups.exists() else []:
            if not found.startswith("."):
                target = backups.parent / "restored"
                client.ok("restore", backups / found, target, timeout=120)
                shutil.rmtree(target)
                shutil.rmtree(backups / found)
                whole += 1
        node.start()
        load.check()
    client.ok("backup", "last")
    assert os.listdir(backups) == ["last"]  # what was half made is gone
    print(f"25 kills, {whole} backups were whole before them")


def ask_and_forget(node, name):
    try:
        order(node, name)
    except (OSError, ValueError, AttributeError):
        pass
    except Exception:  # noqa: BLE001 - the node is gone; http.client has many words for it
        pass


def test_a_full_disk_refuses_a_backup_and_a_restore(backed, new_node, small_disk):
    node, client, backups = backed(
        data_dir=str(small_disk / "data"), backup_folder=str(small_disk / "backups"), cache_mb=16
    )
    for number in range(20):
        node.put(f"/kv/{number}", json.dumps("x" * 200_000))
    client.ok("backup", "first")
    ballast = fill(small_disk)
    refused = client.run("backup", "second")
    assert refused.returncode == 6 and "disk" in refused.stderr, refused
    assert os.listdir(small_disk / "backups") == ["first"]
    restoring = client.run("restore", small_disk / "backups" / "first", small_disk / "restored")
    assert restoring.returncode == 6 and "No space left" in restoring.stderr, restoring
    ballast.unlink()
    assert node.put("/kv/after", "1").status == 201
    client.ok("backup", "second")
    client.ok("restore", small_disk / "backups" / "first", small_disk / "restored")
    again = new_node(data_dir=str(small_disk / "restored"), cache_mb=16).start()
    assert again.get("/kv/19").status == 200 and again.get("/kv/after").status == 404


def test_a_restore_can_be_killed_and_repeated(backed, new_node, kvs):
    node, client, backups = backed()
    for number in range(60):
        node.put(f"/kv/{number}", json.dumps("x" * 900_000))
    client.ok("backup", "b")
    target = backups.parent / "restored"
    chance, killed = random.Random(5), 0
    for number in range(12):
        process = client.start("restore", backups / "b", target, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if (target / "FORMAT").exists():
            process.communicate(timeout=60)
            break
        try:
            process.communicate(timeout=chance.uniform(0.01, 0.08))
            break
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT if number % 2 else signal.SIGKILL)
            _, said = process.communicate(timeout=60)
            if process.returncode == 0:
                break
            # One that comes before it is waited for ends the process as it ends any.
            assert process.returncode in (130, -signal.SIGKILL, -signal.SIGINT), (process.returncode, said)
            assert process.returncode != 130 or b"the same command goes on from there" in said
            killed += 1
        starting = new_node(data_dir=str(target)) if target.exists() else None
        if starting and (target / "RESTORING").exists() and not (target / "FORMAT").exists():
            assert starting.spawn().process.wait(20) == 1 and "repeat kvs restore" in starting.log()
    if not (target / "FORMAT").exists() or (target / "RESTORING").exists():
        client.ok("restore", backups / "b", target, timeout=120)
    again = new_node(data_dir=str(target)).start()
    assert all(again.get(f"/kv/{number}").body == node.get(f"/kv/{number}").body for number in range(60))
    print(f"{killed} ends")


def test_what_was_cut_off_or_changed_is_refused(backed):
    node, client, backups = backed()
    for number in range(50):
        node.put(f"/kv/{number}", json.dumps("x" * 1000))
    client.ok("backup", "b")
    (log,) = (backups / "b" / "db").glob("*.log")
    whole = log.read_bytes()
    target = backups.parent / "restored"
    for part in (whole[:-1], whole[: len(whole) // 2], b"", whole[:500] + b"\0" + whole[501:]):
        log.write_bytes(part)
        refused = client.run("restore", backups / "b", target)
        assert refused.returncode == 1 and "cannot be restored" in refused.stderr, refused
        assert not target.exists()
    log.unlink()
    assert "is missing" in client.run("restore", backups / "b", target).stderr


def test_no_folder_in_use_or_with_anything_in_it_is_touched(backed, new_node):
    node, client, backups = backed()
    node.put("/kv/a", "1")
    client.ok("backup", "b")
    for folder, why in (
        (node.data_dir, f"in use by process {node.process.pid}"),
        (backups, "is not empty"),
        (backups / "none" / "x", "cannot be made"),
    ):
        refused = client.run("restore", backups / "b", folder)
        assert refused.returncode == 1 and why in refused.stderr, refused
    assert "is no backup" in client.run("restore", backups, backups.parent / "r").stderr
    told = client.run("restore", "--json", backups, backups.parent / "r")
    assert json.loads(told.stderr)["error"]["code"] == "data_dir_unusable"
    other = new_node(data_dir=str(backups / "b"))
    assert other.spawn().process.wait(20) == 1 and "is a backup" in other.log()
    assert node.get("/kv/a").status == 200


def test_names_lead_nowhere_else(backed):
    node, client, backups = backed()
    for name in ("../out", "/tmp/out", ".hidden", "a/b", "", "x" * 65):
        answer = order(node, name)
        assert (answer.status, answer.code) == (400, "bad_request"), name
    for name in ("../out", ".hidden", "a/b", "x" * 65):
        refused = client.run("backup", name)
        assert refused.returncode == 2 and "backup_folder" in refused.stderr, refused
    assert not backups.exists() or os.listdir(backups) == []
    assert order(node, "a.1").status == 201
    assert (order(node, "a.1").status, order(node, "a.1").code) == (409, "id_in_use")
    assert client.run("backup", "a.1").returncode == 1
    assert client.ok("backup").startswith(str(backups / "20"))


def test_whoever_has_no_folder_or_no_leave_to_ask_gets_none(new_node, backed, kvs):
    plain = new_node().start()
    assert (order(plain, "b").status, order(plain, "b").code) == (404, "not_found")
    refused = Client(kvs, plain.address).run("backup", "b")
    assert refused.returncode == 3 and "backup_folder" in refused.stderr
    node, _, backups = backed()
    for headers in ({}, {"Content-Type": "text/plain"}):  # what a foreign page can make a browser send
        answer = node.request("POST", "/backup", '{"name":"b"}', headers=headers)
        assert (answer.status, answer.code) == (415, "unsupported_media_type")
    assert node.get("/backup").status == 405
    assert not backups.exists()


def test_one_at_a_time_and_the_node_goes_on_meanwhile(backed):
    node, _, backups = backed()
    statuses = []
    threads = [
        threading.Thread(target=lambda n=n: statuses.append(order(node, f"b{n}").status)) for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(statuses) <= {201, 503} and 201 in statuses
    assert len(os.listdir(backups)) == statuses.count(201)
    assert node.stop() == 0
