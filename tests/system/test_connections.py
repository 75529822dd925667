"""P16: connections are cheap, and those that do not read or do not end cost bounded memory."""
import contextlib
import json
import resource
import socket

import pytest

WANTED = 10_000


def rss(node):
    """Resident memory of the node, in bytes."""
    with open(f"/proc/{node.process.pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


@pytest.fixture
def many_descriptors():
    """As many connections as this machine lets both sides have."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    hard = before[1] if before[1] != resource.RLIM_INFINITY else 1 << 20
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, before[1]))
    yield min(WANTED, hard - 500)
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_ten_thousand_idle_connections(new_node, many_descriptors):
    node = new_node(idle_timeout=600).start()
    address = ("127.0.0.1", node.port)
    with contextlib.ExitStack() as stack:
        request = b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n"

        def connect():
            sock = stack.enter_context(socket.create_connection(address, timeout=20))
            sock.sendall(request)
            return sock

        for _ in range(200):
            assert connect().recv(1000).startswith(b"HTTP/1.1 200")
        before = rss(node)
        for _ in range(200, many_descriptors):
            assert connect().recv(1000).startswith(b"HTTP/1.1 200")
        each = (rss(node) - before) / (many_descriptors - 200)
        assert node.put("/kv/a", "1").status == 201
        print(f"{many_descriptors} connections, {each:.0f} bytes of resident memory each")
        assert each <= 4096
    if many_descriptors < WANTED:
        pytest.skip(f"only {many_descriptors} descriptors allowed here, {WANTED} wanted; those were fine")


def test_a_client_that_never_reads_costs_bounded_memory(node):
    value = json.dumps("x" * 1_000_000)
    node.put("/kv/big", value)
    before = rss(node)
    with contextlib.ExitStack() as stack:
        for _ in range(20):
            sock = stack.enter_context(socket.create_connection(("127.0.0.1", node.port), timeout=2))
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            with contextlib.suppress(OSError):
                for _ in range(300):  # 300 MB of answers a connection, if somebody read them
                    sock.sendall(b"GET /kv/big HTTP/1.1\r\nHost: a\r\n\r\n" * 10)
        assert node.get("/health").status == 200
        grown = rss(node) - before
        print(f"20 clients that asked for gigabytes and read nothing: {grown >> 20} MiB")
        assert grown < 20 * 8 << 20


def test_a_listing_that_nobody_reads_costs_bounded_memory(node):
    for number in range(200):
        node.put(f"/kv/list/{number:03}", json.dumps("x" * 100_000))
    before = rss(node)
    with contextlib.ExitStack() as stack:
        for _ in range(20):
            sock = stack.enter_context(socket.create_connection(("127.0.0.1", node.port), timeout=2))
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.sendall(b"GET /kv/list/?values=true HTTP/1.1\r\nHost: a\r\n\r\n")
        assert node.get("/health").status == 200
        assert rss(node) - before < 20 * 4 << 20


def test_unfinished_bodies_cost_what_was_sent(node):
    before = rss(node)
    head = b"PUT /kv/u HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n"
    with contextlib.ExitStack() as stack:
        for _ in range(500):
            sock = stack.enter_context(socket.create_connection(("127.0.0.1", node.port), timeout=5))
            sock.sendall(head + b'"' + b"x" * 1000)
        assert node.get("/health").status == 200
        assert rss(node) - before < 500 * 16 << 10
