"""P13: damage is never served and never passed over in silence, whichever file it hits."""
import json
import random
import shutil

import pytest

from harness import send

KEYS = 400


def expected(number):
    return json.dumps({"number": number, "text": "v" * (number % 300)}).encode()


def write_all(node):
    connection = node.connect()
    for number in range(KEYS):
        assert send(connection, "PUT", f"/kv/d/{number:03}", expected(number)).status == 201


@pytest.fixture
def logged(new_node):
    """A folder whose records are all in the log, as kill -9 leaves it."""
    node = new_node(durability="os").start()
    write_all(node)
    node.kill()
    return node


@pytest.fixture
def tabled(new_node):
    """A folder whose records are in table files: an orderly end and a start write them."""
    node = new_node(durability="os").start()
    write_all(node)
    assert node.stop() == 0
    node.start()
    assert node.stop() == 0
    return node


def files(node, pattern):
    found = sorted(p for p in node.data_dir.rglob(pattern) if p.is_file() and p.stat().st_size > 0)
    assert found, f"no {pattern} in {sorted(node.data_dir.rglob('*'))}"
    return found


def flip_bit(path, rng):
    data = bytearray(path.read_bytes())
    place = rng.randrange(len(data) * 8)
    data[place // 8] ^= 1 << (place % 8)
    path.write_bytes(data)
    return place // 8


def start_damaged(node):
    """True if it starts; else it has refused with one line and exit code 1."""
    node.log_path.unlink(missing_ok=True)
    node.spawn()
    try:
        node.wait_until_ready()
        return True
    except AssertionError:
        assert node.process.poll() == 1, (node.process.poll(), node.log())
        assert len([line for line in node.log().splitlines() if line.startswith("kvs: ")]) == 1, node.log()
        return False


def judge(node):
    """Reads everything: counts of sound, missing and refused keys. Wrong bytes are never right."""
    counts, connection = {"sound": 0, "missing": 0, "refused": 0}, node.connect()
    for number in range(KEYS):
        answer = send(connection, "GET", f"/kv/d/{number:03}")
        if answer.status == 200:
            assert answer.body == expected(number)
            counts["sound"] += 1
        elif answer.status == 404:
            counts["missing"] += 1
        else:
            assert answer.status == 500, (answer.status, answer.body)
            counts["refused"] += 1
    return counts


def trial(node, pattern, rng):
    """One flipped bit, one start: what came of it. The folder is as before afterwards."""
    saved = node.folder / "saved"
    shutil.rmtree(saved, ignore_errors=True)
    shutil.copytree(node.data_dir, saved)
    path = rng.choice(files(node, pattern))
    place = flip_bit(path, rng)
    try:
        if not start_damaged(node):
            return "the start was refused"
        counts = judge(node)
        noticed = '"damage"' in node.log() or "damaged" in node.log()
        assert counts["missing"] == 0 or noticed, f"{path} at {place}: {counts} in silence: {node.log()}"
        node.stop()
        return "harmless" if counts["sound"] == KEYS else "noticed"
    finally:
        node.destroy()
        shutil.rmtree(node.data_dir)
        saved.rename(node.data_dir)


@pytest.mark.parametrize(
    "pattern, trials", [("*.log", 25), ("MANIFEST-*", 6), ("CURRENT", 4), ("OPTIONS-*", 3)]
)
def test_a_flipped_bit_in_the_log_and_the_database_files(logged, pattern, trials):
    outcomes, rng = {}, random.Random(pattern)
    for _ in range(trials):
        outcome = trial(logged, pattern, rng)
        outcomes[outcome] = outcomes.get(outcome, 0) + 1
    print(f"{pattern}: {outcomes}")
    assert logged.start() and judge(logged)["sound"] == KEYS


def test_a_flipped_bit_in_a_table(tabled):
    outcomes, rng = {}, random.Random("sst")
    for _ in range(15):
        outcome = trial(tabled, "*.sst", rng)
        outcomes[outcome] = outcomes.get(outcome, 0) + 1
    print(f"*.sst: {outcomes}")
    assert tabled.start() and judge(tabled)["sound"] == KEYS


def test_what_is_sound_in_a_damaged_log_stays_and_the_damaged_copy_is_kept(logged):
    (log,) = files(logged, "*.log")
    data = bytearray(log.read_bytes())
    data[len(data) // 2] ^= 0xFF
    log.write_bytes(data)
    assert start_damaged(logged)
    counts = judge(logged)
    assert counts["sound"] > KEYS // 4 and counts["missing"] > 0
    assert '"level":"error"' in logged.log() and "damage" in logged.log()
    assert any(p.read_bytes() == bytes(data) for p in logged.data_dir.rglob("*.log"))
    assert logged.put("/kv/after", "1").status == 201
    assert logged.stop() == 0
    logged.log_path.unlink()
    logged.start()
    assert judge(logged) == counts and '"level":"error"' not in logged.log()
