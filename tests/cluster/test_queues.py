"""What waits for a peer, or comes from one, is bounded: memory does not grow with the backlog."""
import contextlib
import pathlib
import threading

from harness import send

MIB = 1 << 20
VALUE = 256 * 1024
KEYS = 40
ROUNDS = 16  # 160 MiB for each peer, far more than may wait
# What one stopped peer may cost beside the caches: a frame on each of its connections, the table of
# the store that is written, and one batch in either hand.
ALLOWED = 64 * MIB


def resident(node):
    status = pathlib.Path(f"/proc/{node.process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) * 1024


def fill(node, rounds, clients=2):
    """Writes every key `rounds` times, a new value each time."""

    def run(share):
        with contextlib.closing(node.connect(timeout=30)) as connection:
            for number in range(rounds):
                for key in range(share, KEYS, clients):
                    value = f'"{number:04d}{key:04d}' + "x" * VALUE + '"'
                    answer = send(connection, "PUT", f"/kv/large/{key}", value)
                    if answer.status not in (200, 201):
                        faults.append(answer)
                        return

    faults = []
    threads = [threading.Thread(target=run, args=(share,)) for share in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults, faults[0]


def test_a_peer_that_takes_nothing_costs_bounded_memory(cluster):
    writer, stopped, other = cluster.nodes
    fill(writer, 2)  # caches, tables and buffers have what they take anyway
    before = resident(writer)
    stopped.pause()
    try:
        fill(writer, ROUNDS)
        grown = resident(writer) - before
        print(f"{ROUNDS * KEYS * VALUE // MIB} MiB written beside a stopped peer: {grown / MIB:+.1f} MiB")
        assert grown < ALLOWED
        assert other.get("/kv/large/0").status == 200
    finally:
        stopped.resume()
    cluster.wait_until_converged(60)


def test_a_peer_that_cannot_keep_up_costs_bounded_memory(cluster):
    """Two nodes write to the third at once, more than it may hold; it refuses, and catches up."""
    first, second, third = cluster.nodes
    fill(first, 2)
    before = resident(third)
    writers = [threading.Thread(target=fill, args=(node, ROUNDS // 2)) for node in (first, second)]
    peak = [before]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        third.pause()
        writers[0].join(0.2)
        third.resume()
        writers[0].join(0.05)
        peak.append(resident(third))
    grown = max(peak) - before
    print(f"{ROUNDS * KEYS * VALUE // MIB} MiB from two peers: {grown / MIB:+.1f} MiB at most")
    assert grown < ALLOWED
    cluster.wait_until_converged(60)
