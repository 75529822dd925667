"""Nodes of two versions of the peer protocol in one cluster.

kvs-next speaks version 2 with those that do, and puts fields that nobody knows behind everything:
envelopes, rows of members, messages. It stands for any later version; see src/wire/peer_version.h.
"""
import ctypes
import os
import socket
import struct
import threading

import pytest

from cluster import wait_for
from harness import send
from history import Load

MAGIC, PING = b"KVSP", 1
ALL_PROTOCOLS = 3  # ETH_P_ALL
IP_HEAD = slice(14, 34)  # behind that of Ethernet


@pytest.fixture
def kvs_next(kvs):
    binary = kvs.parent / "kvs-next"
    assert binary.is_file(), f"{binary} is not there: build it"
    return binary


def ping(version):
    """The frame of a ping from a cluster that nobody here belongs to."""
    content = bytes([40]) + struct.pack("<5Q", 1, 2, 3, 0, 4) + bytes([0])
    sealed = MAGIC + bytes([version, PING, 0]) + struct.pack("<I", len(content)) + content
    xxhash = ctypes.CDLL("libxxhash.so.0")
    xxhash.XXH3_64bits.restype, xxhash.XXH3_64bits.argtypes = ctypes.c_uint64, [ctypes.c_char_p, ctypes.c_size_t]
    return sealed + struct.pack("<Q", xxhash.XXH3_64bits(sealed, len(sealed)))


def answer_to(node, frame):
    connection = node.connect()
    answer = send(connection, "POST", "/internal/v1/gossip", frame, {"Content-Type": "application/x-kvs"})
    connection.close()
    return answer.status, answer.code


def assert_speaks(node, highest):
    """It reads frames up to that version, so it sees that this one is of another cluster."""
    for version in range(1, highest + 1):
        assert answer_to(node, ping(version)) == (409, "cluster_mismatch"), version
    assert answer_to(node, ping(highest + 1)) == (501, "not_implemented")


def replace(node, binary, load):
    """Stops a node under load, and starts it on the same folder with another binary."""
    node.end()
    node.binary = binary
    load.wait_for(30)
    node.start()
    load.wait_for(60)


def test_a_rolling_upgrade_and_back(cluster, kvs, kvs_next):
    """No request fails at a node that runs, nothing is lost, and all end equal."""
    with Load(cluster.nodes) as load:
        for node in cluster.nodes:
            replace(node, kvs_next, load)
            cluster.wait_until_members()
            assert_speaks(node, 2)
        for node in cluster.nodes[:2]:
            replace(node, kvs, load)
            cluster.wait_until_members()
            assert_speaks(node, 1)
    print(load.check(cluster.wait_until_converged()))


def test_a_new_version_joins_and_bootstraps(cluster, kvs_next):
    first = cluster.nodes[0]
    for number in range(200):
        assert first.put(f"/kv/before/{number}", ["x" * 100, number]).status == 201
    fourth = cluster.add()
    fourth.binary = kvs_next
    fourth.start()
    cluster.wait_until_members()
    assert fourth.put("/kv/after", 1).status == 201
    assert len(cluster.wait_until_converged()) > 200


class Frames(threading.Thread):
    """Listens to the loopback device: which versions the frames have that go to an address."""

    def __init__(self):
        super().__init__(daemon=True)
        self.device = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL_PROTOCOLS))
        self.device.bind(("lo", 0))
        self.device.settimeout(0.1)
        self.stopping, self.versions = threading.Event(), {}

    def run(self):
        while not self.stopping.is_set():
            try:
                packet = self.device.recv(1 << 17)
            except TimeoutError:
                continue
            begin = packet.find(MAGIC)
            if begin >= 0 and len(packet) > begin + len(MAGIC):
                address = socket.inet_ntoa(packet[IP_HEAD][16:20])
                self.versions.setdefault(address, set()).add(packet[begin + len(MAGIC)])

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, kind, error, trace):
        self.stopping.set()
        self.join(5)
        self.device.close()


def test_each_is_written_to_in_a_version_that_it_speaks(new_cluster, kvs_next):
    if os.geteuid() != 0:
        pytest.skip("needs root to listen to the loopback device")
    cluster = new_cluster(3)
    first, second, third = cluster.nodes
    second.binary = third.binary = kvs_next
    with Frames() as frames:
        cluster.start()
        for number in range(30):
            assert cluster.nodes[number % 3].put(f"/kv/mixed/{number}", number).status == 201
        wait_for(
            lambda: 2 in frames.versions.get(second.host, ()) and 2 in frames.versions.get(third.host, ()),
            20,
            lambda: f"the later version is not used: {frames.versions}",
        )
        cluster.wait_until_converged()
    assert frames.versions[first.host] == {1}
