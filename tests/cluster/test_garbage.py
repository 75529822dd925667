"""What no peer of ours sends harms nobody: the process lives, answers clients, and nothing changes."""
import contextlib
import json
import random
import socket
import struct
import threading

import pytest

from harness import send
from history import Load

PATHS = ["/internal/v1/gossip", "/internal/v1/push", "/internal/v1/sync", "/internal/v1/ballot"]
HEAD_BYTES = 11  # magic, version, kind, flags, length
FLOOD = 500


def read_request(connection):
    """The body of the first request that comes."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, body = data.split(b"\r\n\r\n", 1)
    (length,) = [int(line.split(b":")[1]) for line in head.splitlines() if line.lower().startswith(b"content-length")]
    while len(body) < length:
        body += connection.recv(65536)
    return body


@pytest.fixture
def frame(cluster):
    """A sound frame from a node of another cluster, taken where it believed to find a seed."""
    address = (cluster.subnet.address(8), 8080)
    with socket.create_server(address) as listener:
        listener.settimeout(20)
        stranger = cluster.add(cluster_name="another", seed_nodes=["%s:%d" % address])
        stranger.spawn()
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(20)
            body = read_request(connection)
    cluster.nodes.remove(stranger)
    stranger.destroy()
    assert body.startswith(b"KVSP") and len(body) > HEAD_BYTES + 8
    return body


def damaged(frame, draw):
    """Bytes that are no sound frame, of every kind."""
    kind = draw.randrange(6)
    changed = bytearray(frame)
    if kind == 0:
        return draw.randbytes(draw.randrange(2000))
    if kind == 1:
        return frame[: draw.randrange(len(frame))]
    if kind == 2:
        changed[draw.randrange(len(frame))] ^= 1 << draw.randrange(8)
    elif kind == 3:
        changed[HEAD_BYTES - 4 : HEAD_BYTES] = struct.pack("<I", draw.choice([0, 1, 0x7FFFFFFF, 0xFFFFFFFF]))
    elif kind == 4:
        changed += draw.randbytes(draw.randrange(1, 100))
    else:
        changed[HEAD_BYTES:] = draw.randbytes(len(frame) - HEAD_BYTES)
    return bytes(changed)


def pester(node, bodies, path_of):
    """Sends the bodies one after the other; the statuses. The node may close the connection on any."""
    statuses, connection = [], node.connect(20)
    for number, body in enumerate(bodies):
        path = path_of(number)
        kind = "application/x-kvs" if path in PATHS else "application/json"
        answer = send(connection, "POST", path, body, {"Content-Type": kind})
        statuses.append(answer.status)
    connection.close()
    return statuses


@pytest.fixture
def unmoved(cluster):
    """Whatever happens meanwhile, all nodes hold at the end what they held before."""
    for number in range(30):
        assert cluster.nodes[number % 3].put(f"/kv/kept/{number}", number).status == 201
    before = cluster.wait_until_converged()
    pids = [node.process.pid for node in cluster.nodes]
    yield
    assert cluster.wait_until_converged() == before
    cluster.wait_until_members(["node1", "node2", "node3"])
    assert [node.process.pid for node in cluster.running] == pids
    assert all(node.mode() == "normal" for node in cluster.nodes)


def test_damaged_frames(cluster, frame, unmoved):
    draw = random.Random(1)
    for node in cluster.nodes:
        statuses = pester(node, [damaged(frame, draw) for _ in range(200)], lambda _: draw.choice(PATHS))
        assert set(statuses) <= {400, 501}, set(statuses)


def test_frames_of_another_cluster_again_and_again(cluster, frame, unmoved):
    for node in cluster.nodes:
        assert set(pester(node, [frame] * 100, lambda n: PATHS[n % 4])) == {409}


def test_rubbish_at_the_door_for_members(cluster, unmoved):
    draw = random.Random(2)
    bodies = [b"", b"null", b"[]", b"{}", b'{"id":1}', b'{"id":"","address":""}', b"[" * 600]
    bodies += [json.dumps({"id": "x" * 300, "address": "1:1", "joined_timestamp": -1, "last_seen": 2**70}).encode()]
    bodies += [draw.randbytes(draw.randrange(1, 500)) for _ in range(100)]
    for node in cluster.nodes:
        for path in ("/members/join", "/members/leave"):
            posted = [body for body in bodies if path == "/members/join" or body not in (b"", b"{}")]
            statuses = pester(node, posted, lambda _, path=path: path)
            assert set(statuses) <= {400, 404, 409}, (path, set(statuses))


def test_lies_about_lengths(cluster, frame, unmoved):
    """Connections that announce more than they send, and that just go away."""
    for node in cluster.nodes:
        with contextlib.ExitStack() as open_sockets:
            for number in range(40):
                sock = open_sockets.enter_context(socket.create_connection((node.host, node.port), 10))
                length = [len(frame) + 1, 4 << 20, 2**63, -1][number % 4]
                head = f"POST {PATHS[number % 4]} HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-kvs\r\n"
                sock.sendall(f"{head}Content-Length: {length}\r\n\r\n".encode())
                with contextlib.suppress(OSError):
                    sock.sendall(frame)
            assert node.get("/kv/kept/1").status == 200
            assert node.put("/kv/kept/extra", 1).status in (200, 201)
            assert node.delete("/kv/kept/extra").status == 204


def test_a_flood_while_clients_work(cluster, frame):
    draws = [random.Random(seed) for seed in range(4)]

    def flood(draw):
        node = cluster.nodes[draw.randrange(3)]
        pester(node, [damaged(frame, draw) for _ in range(FLOOD)], lambda n: PATHS[n % 4])

    with Load(cluster.nodes) as load:
        threads = [threading.Thread(target=flood, args=(draw,), daemon=True) for draw in draws]
        for thread in threads:
            thread.start()
        load.wait_for(100)
        for thread in threads:
            thread.join(30)
            assert not thread.is_alive(), "a node does not answer the flood"
    load.check(cluster.wait_until_converged())
    cluster.wait_until_members(["node1", "node2", "node3"])
